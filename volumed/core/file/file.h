/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into a volume or a snapshot without mounting it: a directory's entries, a file's bytes, a
 * tar of a part.  Paths are looked up inside the tree, as a process would whose root it is: a link
 * leads nowhere else.  Devices, fifos and sockets are shown and never opened.
 */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stdint.h>
#include <sys/stat.h>

#include "core/image/image.h"

struct file_place {
    const char *volume;
    const char *snapshot; /* NULL: the volume as it is now */
    const char *path;     /* NULL: the root */
};

struct file_entry {
    const char *name;
    struct stat st;
    const char *link_target; /* "" unless it is a link */
};

/* 0, or -1 with err, which ends the listing. */
typedef int (*file_entry_fn)(void *context, const struct file_entry *entry, struct error *err);

/* "file", "directory", "link", "device", "fifo", "socket". */
const char *file_kind(mode_t mode);

/*
 * Each entry of a directory, in no order, as it is read; of anything else: itself.  An entry lives
 * until each() returns.
 */
int file_list(struct task *task, const struct file_place *place, file_entry_fn each, void *context,
              struct error *err);

/* The bytes of a regular file; INVALID for anything else. */
int file_read(struct task *task, const struct file_place *place, const struct byte_sink *sink,
              struct error *err);

/* A tar, its entries named from the path's last component; of the root, or of "DIR/.": from ".". */
int file_archive(struct task *task, const struct file_place *place, const struct byte_sink *sink,
                 struct error *err);

#endif
