/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer in the place of a stack's lowest.  It shows what they showed, so that a tree may have
 * it or them, and a crash between two trees is no matter.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/sys.h"
#include "driver/stack.h"

static int replace(const struct driver_pool *pool, int tree_fd, const struct driver_merge *merge,
                   struct stack *former, struct error *err);
static bool ends_with(const struct driver_pool *pool, const struct stack *stack,
                      const char *const *replaced, size_t count);
static int publish(const struct driver_pool *pool, const char *id, struct error *err);

int stack_merge_begin(const struct driver_pool *pool, const char *id, struct error *err)
{
    return stack_layer_make_aside(pool, id, err);
}

int stack_merge_end(const struct driver_pool *pool, int dirfd, const char *name,
                    const struct driver_merge *merge, struct error *err)
{
    cleanup_fd int tree_fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    struct stack former = { 0 };

    if (tree_fd < 0)
        return fail_sys(err, tree_fd, "cannot open '%s' in pool '%s'", name, pool->name);
    if (replace(pool, tree_fd, merge, &former, err) < 0)
        return -1;
    for (size_t i = 0; i < former.count; i++)
        if (stack_layer_drop(pool, former.layers[i], err) < 0) /* those that nobody has */
            return -1;
    return 0;
}

static int replace(const struct driver_pool *pool, int tree_fd, const struct driver_merge *merge,
                   struct stack *former, struct error *err)
{
    cleanup_stack_lock struct stack_lock held = { 0 };
    struct stack stack;
    size_t count = 0;

    while (merge->replaced[count] != NULL)
        count++;
    stack_lock(&held);
    if (stack_read(tree_fd, &stack, err) < 0)
        return -1;
    *former = stack;
    if (count == 0 || !ends_with(pool, &stack, merge->replaced, count))
        return fail(err, ERR_CONFLICT, "the layers of a tree have changed meanwhile");
    stack.count -= count - 1;
    (void)snprintf(stack.layers[stack.count - 1], UUID_SIZE, "%s", merge->id); /* a UUID */
    return publish(pool, merge->id, err) < 0 ? -1 : stack_write(pool, tree_fd, &stack, err);
}

/* What is written to is never replaced. */
static bool ends_with(const struct driver_pool *pool, const struct stack *stack,
                      const char *const *replaced, size_t count)
{
    cleanup_arena struct arena *mem = arena_new();

    if (count + (stack->has_upper ? 1 : 0) > stack->count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *id = stack->layers[stack->count - count + i];
        if (strcmp(stack_layer_path(mem, pool, id), replaced[i]) != 0)
            return false;
    }
    return true;
}

/* For the first tree; the others find it there. */
static int publish(const struct driver_pool *pool, const char *id, struct error *err)
{
    cleanup_fd int layers_fd = fs_make_dir(pool->fd, STACK_LAYERS, 0700, err);

    if (layers_fd < 0)
        return -1;
    int rc = sys_renameat2(pool->tmp_fd, id, layers_fd, id, RENAME_NOREPLACE);
    if (rc >= 0)
        rc = sys_fsync(layers_fd);
    return rc < 0 && rc != -ENOENT ? fail_sys(err, rc, "cannot publish layer '%s'", id) : 0;
}
