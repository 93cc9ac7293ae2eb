/* SPDX-License-Identifier: Apache-2.0 */
/* Files and trees of our own making: whole files in, whole files out, trees away. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

/*
 * Replaces the file 'name' in 'dirfd' atomically: temporary name, fsync, rename, fsync of the
 * directory.  Durable on return.
 */
int fs_write_file(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                  struct error *err);

/* As above without the syncs: atomic against readers, not against power loss. */
int fs_write_volatile(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                      struct error *err);

/* Reads a whole file of at most 'max' bytes, NUL-terminated.  Errors: NOT_FOUND, INVALID (larger).
 */
int fs_read_file(struct arena *mem, int dirfd, const char *name, size_t max, char **data,
                 size_t *size, struct error *err);

/*
 * Removes 'name' and all below it, never following a link and never crossing into another mount.
 * Idempotent: nothing there is success.  Durable on return (the directory is synced).
 */
int fs_remove_tree(int dirfd, const char *name, struct error *err);

/* Removes all entries of a directory, as fs_remove_tree. */
int fs_empty_dir(int dirfd, struct error *err);

/* Opens a directory, making it (and nothing above it) when missing. */
int fs_make_dir(int dirfd, const char *name, mode_t mode, struct error *err);

/* mkdir -p of an absolute path of our own; opens the last. */
int fs_make_path(const char *path, mode_t mode, struct error *err);

/* fsync of a directory (also by an O_PATH descriptor). */
int fs_sync_dir(int dirfd, struct error *err);

/* statfs f_type. */
int64_t fs_magic(int fd);
bool fs_is_network(int64_t magic);

/* True when the directory has no entries. */
int fs_dir_is_empty(int dirfd, bool *is_empty, struct error *err);

#endif
