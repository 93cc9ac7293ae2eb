/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a confined child can be asked to do, once it is confined: see the table in confined.c. Input
 * is standard input, output standard output, answers go into the report.
 */
#ifndef TRANSFER_VERBS_H
#define TRANSFER_VERBS_H

#include "base/error.h"
#include "transfer/confined.h"
#include "transfer/view.h"

/*
 * A layer's tar, compressed or not, into the root directory.  Request: "copy" is the descriptor for
 * a zstd copy.  Report: "diff_id", "archive_bytes", "bytes", and "opaque" for each directory that
 * the parent is to mark.
 */
int verb_unpack_layer(struct confined *run, const struct view *view, struct error *err);

/* An archive of plain files (an image archive) into the root directory.  Report: none. */
int verb_unpack_files(struct confined *run, const struct view *view, struct error *err);

/*
 * The root directory, which nobody writes, as an exact tar (pack_changes()); with "base" in the
 * request, a descriptor, what is other in it than in that tree.  "is_shared" as there.
 */
int verb_save_tree(struct confined *run, const struct view *view, struct error *err);

/*
 * Such a tar into the root directory: into an empty one, or over what the base was.  Durable when
 * it has ended.
 */
int verb_put_tree(struct confined *run, const struct view *view, struct error *err);

/* A compressed stream to plain bytes.  Report: "diff_id", "archive_bytes". */
int verb_inflate(struct confined *run, const struct view *view, struct error *err);

/* An overlay's upper directory to a layer's tar. */
int verb_pack_layer(struct confined *run, const struct view *view, struct error *err);

/* The whole root to a tar. */
int verb_export(struct confined *run, const struct view *view, struct error *err);

/*
 * The argument of the three below is a path as a client of Docker's says it: a trailing slash or
 * "/." follows a last link.  NOT_FOUND when nothing is there.
 *
 * Report of stat: "name", "size", "mode" (st_mode), "mtime_ns", "link_target".
 */
int verb_stat(struct confined *run, const struct view *view, struct error *err);

/* The path as a tar, its entries named from the path's last component. */
int verb_get(struct confined *run, const struct view *view, struct error *err);

/*
 * A tar into the directory of the path.  Request: "is_no_overwrite_dir_non_dir"; "user" owns what
 * is made, a name or number of the container's.  Errors: DENIED in what is read-only.
 */
int verb_put(struct confined *run, const struct view *view, struct error *err);

#endif
