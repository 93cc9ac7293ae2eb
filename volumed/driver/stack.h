/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tree of the layered driver is: which layers, in which order.  POOL/layers/<id> is a layer,
 *
 *     data/    its contents, as overlayfs writes an upper layer
 *     work/    overlayfs's own, while it is some tree's upper layer
 *     ref      an empty file; each tree that has the layer holds a hard link to it
 *
 * and a tree is
 *
 *     stack          text, replaced as a whole: its layers, top first
 *     refs/<layer>   the links; those of the stack's layers, and after a crash perhaps more
 *     view/          where the layers are mounted as one
 *
 * POOL/layers/floor is empty, and below the lowest layer of each: overlayfs wants two at least.
 *
 * So the filesystem itself counts references, in the step that makes or removes them; a count that
 * is kept elsewhere would have to be repaired after every crash.
 */
#ifndef DRIVER_STACK_H
#define DRIVER_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/uuid.h"
#include "driver/driver.h"

/* Kernels before 6.8 take all layers in one option of 255 bytes: "/dev/fd/NN:" each. */
#define STACK_LAYERS_MAX 22

#define STACK_LAYERS "layers" /* in the pool */
#define STACK_FLOOR  "floor"  /* in that */
#define STACK_REFS   "refs"   /* in a tree, like the other */
#define STACK_VIEW   "view"
#define STACK_DATA   "data" /* in a layer, like the others */
#define STACK_WORK   "work"

struct stack {
    bool has_upper; /* the first layer is written to */
    size_t count;
    char layers[STACK_LAYERS_MAX][UUID_SIZE]; /* top first */
};

/* Of the tree at 'tree_fd'.  CORRUPT when it is none. */
int stack_read(int tree_fd, struct stack *stack, struct error *err);

/*
 * Makes the tree at 'tree_fd' that stack: links first, then the text, then links that are no longer
 * needed go.  Durable on return; whatever happens, the old stack or the new one is there.
 */
int stack_write(const struct driver_pool *pool, int tree_fd, const struct stack *stack,
                struct error *err);

/* stack_merge.c: driver.h's members. */
int stack_merge_begin(const struct driver_pool *pool, const char *id, struct error *err);
int stack_merge_end(const struct driver_pool *pool, int dirfd, const char *name,
                    const struct driver_merge *merge, struct error *err);

/* "POOL/layers/<id>/data". */
const char *stack_layer_path(struct arena *mem, const struct driver_pool *pool, const char *id);

/* Puts a layer on top, below which all are sealed.  CONFLICT when there are too many. */
int stack_push(struct stack *stack, const char *layer, bool is_upper, struct error *err);

/*
 * Makes an empty layer whose root has the attributes of 'like_fd' (-1: root's, 0755) and, for an
 * upper one, room for overlayfs.  Durable on return.  Nothing refers to it yet: the caller holds
 * stack_lock() until something does.
 */
int stack_layer_make(const struct driver_pool *pool, int like_fd, bool is_upper, char id[UUID_SIZE],
                     struct error *err);

/*
 * As above, by the caller's name and in the pool's tmp; no upper one.  Returns a directory of its
 * contents.
 */
int stack_layer_make_aside(const struct driver_pool *pool, const char *id, struct error *err);

/* Removes the layer unless a tree has it.  The caller does not hold the lock. */
int stack_layer_drop(const struct driver_pool *pool, const char *id, struct error *err);

/* As above for every layer; what a crash left.  *dropped is how many went, or would go. */
int stack_layers_sweep(const struct driver_pool *pool, bool is_repair, int *dropped,
                       struct error *err);

/* A readable directory of the layer's contents. */
int stack_layer_open(const struct driver_pool *pool, const char *id, struct error *err);

/* Overlayfs's own directory is of no more use. */
void stack_layer_seal(const struct driver_pool *pool, const char *id);

/* Between a layer's making and its first reference nobody may look for layers without one. */
struct stack_lock {
    bool is_held;
};

void stack_lock(struct stack_lock *held);
void stack_unlock(struct stack_lock *held);
#define cleanup_stack_lock CLEANUP(stack_unlock)

#endif
