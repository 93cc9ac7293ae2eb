/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of layers. */
#ifndef STORE_LAYER_H
#define STORE_LAYER_H

#include "base/error.h"
#include "model/layer.h"
#include "store/db.h"

/* EXISTS when the chain is there; CONFLICT when its parent is not. */
int store_layer_insert(struct db *db, const struct layer *layer, struct error *err);

/* Returns how many were found (0 or 1). */
int store_layer_find(struct db *db, struct arena *mem, const char *chain_id, struct layer *layer,
                     struct error *err);

/* The layer and all below it, top first.  Returns the count. */
int store_layer_chain(struct db *db, struct arena *mem, const char *chain_id, struct layer **list,
                      struct error *err);

/* Layers that no layer, image or container stands on.  Returns the count. */
int store_layer_list_unused(struct db *db, struct arena *mem, struct layer **list,
                            struct error *err);
int store_layer_list(struct db *db, struct arena *mem, struct layer **list, struct error *err);

/* CONFLICT when something stands on it. */
int store_layer_delete(struct db *db, const char *chain_id, struct error *err);

#endif
