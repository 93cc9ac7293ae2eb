/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths.  Those that others name are resolved once, beneath a descriptor, and used as a descriptor
 * from then on; these functions are the only way to do it.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"

/*
 * Opens 'path' beneath 'dirfd'.  Symbolic links are refused everywhere, as is leaving 'dirfd' and
 * crossing /proc's magic links.  Returns -EXDEV for an escape, -ELOOP for a link.  A leading '/' is
 * ignored.
 */
int path_open_beneath(int dirfd, const char *path, int flags);

/* Opens 'path' as a process whose root is 'dirfd' would: links are followed, inside. */
int path_open_in_root(int dirfd, const char *path, int flags);

/*
 * Makes the directories of 'path' that are missing beneath 'dirfd' and opens the last.  Links are
 * refused.  Not durable on return.
 */
int path_make_beneath(int dirfd, const char *path, mode_t mode);

/* Lexically: one '/' before each component, no '.', '..' taken back (never above the root), "" =
 * "/". */
char *path_clean(struct arena *mem, const char *path);

/* Components of a cleaned path; 0 for "/". */
int path_depth(const char *clean);

/* True when cleaned 'path' is 'dir' or lies below it. */
bool path_is_within(const char *path, const char *dir);

/* Part after the last '/'. */
const char *path_base(const char *path);

#endif
