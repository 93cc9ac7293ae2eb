/* SPDX-License-Identifier: Apache-2.0 */
/* A tar becomes a tree below the root of the confined process. */
#ifndef TRANSFER_UNPACK_H
#define TRANSFER_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "transfer/confined.h"
#include "transfer/inflate.h"

struct unpack_rules {
    const char *below;   /* cleaned path of the directory that entries go below; "" for the root */
    bool has_whiteouts;  /* ".wh." names become overlayfs's whiteouts: a layer */
    bool has_attributes; /* owners, modes, times, devices; else plain files of root's */
    bool is_no_overwrite_dir_non_dir; /* Docker's: a directory and another kind never replace each
                                         other */
    bool is_exact; /* a copy of what was packed: marks count, nothing inherited stays, the root has
                      attributes too */
    bool is_owned; /* by uid and gid, whatever the archive says */
    uid_t uid;
    gid_t gid;
    int64_t entries_max;
};

struct unpack_result {
    int64_t entries;
    int64_t bytes; /* of regular files */
};

/*
 * Unpacks the tar that 'source' yields and changes the working directory.  Links that the tree
 * holds are followed inside 'root_fd'.  What existed is replaced, a directory by a directory
 * merged. Directories that hide those below them are reported as "opaque".  Errors name the entry.
 */
int unpack_tar(struct confined *run, int root_fd, const struct unpack_rules *rules,
               struct inflate *source, struct unpack_result *result, struct error *err);

#endif
