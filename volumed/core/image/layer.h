/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers on their way to the disk and off it.  A layer is LAYERS/<dir_id>/, the tree that overlays
 * use, and LAYERS/<dir_id>.tar.zst, the tar it came from, from which its digest can be had again.
 */
#ifndef CORE_LAYER_H
#define CORE_LAYER_H

#include <stdbool.h>

#include "core/image/image.h"
#include "core/operation/claim.h"
#include "model/layer.h"

struct layer_spec {
    struct claim *claim; /* taken on the new dir_id; to be left once it has a row or is gone */
    const struct byte_source *source; /* the tar, compressed or not; or, when NULL … */
    int tar_fd;                       /* … this descriptor, borrowed */
    const char *parent;               /* chain_id below; NULL: none */
    const char *diff_id;              /* what it must be; NULL: any */
};

/*
 * Unpacks a layer under a new dir_id, verified and durable.  No row is written.  INVALID for an
 * archive that is damaged, hostile, or not what it is said to be; then nothing is left.
 */
int layer_unpack(struct task *task, const struct layer_spec *spec, struct layer *layer,
                 struct error *err);

/* Removes what layer_unpack() made.  Idempotent. */
int layer_discard(struct task *task, const struct layer *layer, struct error *err);

/* Returns 1 and fills 'layer' when the chain is there. */
int layer_find(struct task *task, const char *chain_id, struct layer *layer, struct error *err);

/* Removes the rows of layers that nothing stands on, in the caller's transaction.  *removed is
 * NULL-terminated by a zero chain_id. */
int layer_forget_unused(struct task *task, struct layer **removed, size_t *count,
                        struct error *err);

/* Opens the layer's kept tar (zstd). */
int layer_open_archive(struct task *task, const struct layer *layer, struct error *err);

#endif
