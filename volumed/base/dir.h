/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a directory, one after the other:
 *
 *     cleanup_dir DIR *dir = NULL;
 *     int rc = dir_open(dirfd, "sub", &dir);
 *     ...
 *     for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;)
 *
 * Whole trees are base/tree.h's.
 */
#ifndef BASE_DIR_H
#define BASE_DIR_H

#include <dirent.h>

#include "base/base.h"

#define cleanup_dir CLEANUP(dir_close)

/* Opens a directory to list it; a link as the last part is not followed.  Returns 0 or -errno. */
int dir_open(int dirfd, const char *path, DIR **dir);

void dir_close(DIR **dir);

/* The next entry but "." and ".."; NULL at the end.  Valid until the next call. */
const struct dirent *dir_next(DIR *dir);

#endif
