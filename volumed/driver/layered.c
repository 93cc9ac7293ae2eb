/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks of layers on any filesystem: a clone writes down which layers the copy has, whatever they
 * hold.  Order in time, for a writable source:
 *
 *    the source's stack     the copy's        a crash here leaves
 *    U  L2 L1 (U written)   -                 nothing changed
 *  ── a new layer V, then the source's stack replaced, durable ──
 *    V  U  L2 L1            -                 the same contents in one more layer
 *  ── all of U written back, the copy's stack built in tmp, then moved to its name ──
 *    V  U  L2 L1            U  L2 L1          the copy
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/sys.h"
#include "driver/stack.h"

#define RANK      1
#define TREE_MODE 0755

static int probe(int dirfd);
static int create(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);
static int remove_tree(const struct driver_pool *pool, int dirfd, const char *name,
                       struct error *err);
static int clone_stack(const struct driver_pool *pool, const struct driver_copy *copy,
                       struct error *err);
static int seal(const struct driver_pool *pool, int dirfd, const char *name, bool is_read_only,
                struct error *err);
static int tell_stack(const struct driver_pool *pool, int dirfd, const char *name,
                      struct arena *mem, struct driver_stack *stack, struct error *err);
static int tend(const struct driver_pool *pool, struct error *err);
static int clone_locked(const struct driver_pool *pool, const struct driver_copy *copy,
                        struct error *err);
static int push_upper(const struct driver_pool *pool, struct stack *stack, struct error *err);
static int seal_source(const struct driver_pool *pool, int tree_fd, struct stack *stack,
                       struct error *err);
static int build(const struct driver_pool *pool, const char *name, const struct stack *stack,
                 struct error *err);
static int publish(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);
static int open_tree_dir(const struct driver_pool *pool, int dirfd, const char *name,
                         struct error *err);
static int take_view(const struct driver_pool *pool, int tree_fd, struct error *err);
static size_t list_refs(int tree_fd, char (**ids)[UUID_SIZE], struct arena *mem);

const struct driver layered_driver = {
    .name = "layered",
    .clone_cost = COST_O1,
    .probe = probe,
    .create = create,
    .remove = remove_tree,
    .clone = clone_stack,
    .seal = seal,
    .stack = tell_stack,
    .merge_begin = stack_merge_begin,
    .merge_end = stack_merge_end,
    .tend = tend,
};

/* Whether overlayfs takes it is tried by core, which can mount. */
static int probe(int dirfd)
{
    (void)dirfd;
    return RANK;
}

static int create(const struct driver_pool *pool, int dirfd, const char *name, struct error *err)
{
    cleanup_stack_lock struct stack_lock held = { 0 };
    struct stack stack = { 0 };
    struct stat st;

    if (sys_fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return fail(err, ERR_EXISTS, "'%s' is in pool '%s' already", name, pool->name);
    stack_lock(&held);
    if (push_upper(pool, &stack, err) < 0 || build(pool, name, &stack, err) < 0)
        return -1;
    return dirfd == pool->tmp_fd ? 0 : publish(pool, dirfd, name, err);
}

/* The view first: it refuses while something is mounted there, and then nothing has been done. */
static int remove_tree(const struct driver_pool *pool, int dirfd, const char *name,
                       struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    cleanup_fd int tree_fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    char(*ids)[UUID_SIZE] = NULL;
    size_t count = 0;

    if (tree_fd >= 0) {
        if (take_view(pool, tree_fd, err) < 0)
            return -1;
        count = list_refs(tree_fd, &ids, mem);
    }
    if (fs_remove_tree(dirfd, name, err) < 0)
        return error_prefix(err, "pool '%s'", pool->name);
    for (size_t i = 0; i < count; i++)
        if (stack_layer_drop(pool, ids[i], err) < 0)
            return -1;
    return 0;
}

static int clone_stack(const struct driver_pool *pool, const struct driver_copy *copy,
                       struct error *err)
{
    if (remove_tree(pool, pool->tmp_fd, copy->name, err) < 0 || /* left by a crash */
        clone_locked(pool, copy, err) < 0)
        return error_prefix(err, "pool '%s'", pool->name);
    return 0;
}

static int clone_locked(const struct driver_pool *pool, const struct driver_copy *copy,
                        struct error *err)
{
    cleanup_stack_lock struct stack_lock held = { 0 };
    struct stack source;

    stack_lock(&held);
    if (stack_read(copy->source_fd, &source, err) < 0)
        return -1;
    struct stack stack = source;
    if (source.has_upper && seal_source(pool, copy->source_fd, &source, err) < 0)
        return -1;
    stack.has_upper = false;
    if ((!copy->is_read_only && push_upper(pool, &stack, err) < 0) ||
        build(pool, copy->name, &stack, err) < 0)
        return -1;
    return copy->dirfd == pool->tmp_fd ? 0 : publish(pool, copy->dirfd, copy->name, err);
}

static int seal(const struct driver_pool *pool, int dirfd, const char *name, bool is_read_only,
                struct error *err)
{
    cleanup_stack_lock struct stack_lock held = { 0 };
    cleanup_fd int tree_fd = open_tree_dir(pool, dirfd, name, err);
    struct stack stack;

    if (tree_fd < 0)
        return -1;
    stack_lock(&held);
    if (stack_read(tree_fd, &stack, err) < 0)
        return -1;
    if (stack.has_upper != is_read_only)
        return 0;
    if (!is_read_only)
        return push_upper(pool, &stack, err) < 0 ? -1 : stack_write(pool, tree_fd, &stack, err);
    stack.has_upper = false;
    if (stack_write(pool, tree_fd, &stack, err) < 0)
        return -1;
    stack_layer_seal(pool, stack.layers[0]);
    int rc = sys_syncfs(pool->fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync pool '%s'", pool->name) : 0;
}

static int tell_stack(const struct driver_pool *pool, int dirfd, const char *name,
                      struct arena *mem, struct driver_stack *stack, struct error *err)
{
    cleanup_fd int tree_fd = open_tree_dir(pool, dirfd, name, err);
    struct driver_stack told = { 0 };
    struct stack read;
    size_t used = 0;

    if (tree_fd < 0 || stack_read(tree_fd, &read, err) < 0)
        return -1;
    told.layers = arena_array(mem, read.count + 2, sizeof(*told.layers));
    for (size_t i = 0; i < read.count; i++) {
        const char *data = stack_layer_path(mem, pool, read.layers[i]);
        if (i > 0 || !read.has_upper) {
            told.layers[used++] = data;
            continue;
        }
        told.upper = data;
        told.work =
            arena_printf(mem, "%s/" STACK_LAYERS "/%s/" STACK_WORK, pool->path, read.layers[i]);
    }
    told.layers[used] = arena_printf(mem, "%s/" STACK_LAYERS "/" STACK_FLOOR, pool->path);
    *stack = told;
    return 0;
}

/* What a crash left of removals and of trees that were being built. */
static int tend(const struct driver_pool *pool, struct error *err)
{
    int dropped = 0;

    return stack_layers_sweep(pool, true, &dropped, err);
}

/* The root of the new layer looks as that of the one below it. */
static int push_upper(const struct driver_pool *pool, struct stack *stack, struct error *err)
{
    char id[UUID_SIZE];
    cleanup_fd int like_fd = stack->count == 0 ? -1 : stack_layer_open(pool, stack->layers[0], err);

    if ((stack->count > 0 && like_fd < 0) || stack_layer_make(pool, like_fd, true, id, err) < 0)
        return -1;
    return stack_push(stack, id, true, err);
}

static int seal_source(const struct driver_pool *pool, int tree_fd, struct stack *stack,
                       struct error *err)
{
    char sealed[UUID_SIZE];

    memcpy(sealed, stack->layers[0], UUID_SIZE);
    if (push_upper(pool, stack, err) < 0 || stack_write(pool, tree_fd, stack, err) < 0)
        return -1;
    stack_layer_seal(pool, sealed);
    int rc = sys_syncfs(pool->fd);
    return rc < 0 ? fail_sys(err, rc, "cannot write back layer '%s'", sealed) : 0;
}

static int build(const struct driver_pool *pool, const char *name, const struct stack *stack,
                 struct error *err)
{
    cleanup_fd int tree_fd = fs_make_dir(pool->tmp_fd, name, TREE_MODE, err);
    int rc = tree_fd < 0 ? 0 : sys_fchmod(tree_fd, TREE_MODE); /* whatever our umask */

    if (rc >= 0 && tree_fd >= 0)
        rc = sys_mkdirat(tree_fd, STACK_VIEW, 0700);
    if (tree_fd < 0 || rc < 0)
        return tree_fd < 0 ? -1 : fail_sys(err, rc, "cannot make '%s'", name);
    return stack_write(pool, tree_fd, stack, err);
}

static int publish(const struct driver_pool *pool, int dirfd, const char *name, struct error *err)
{
    int rc = sys_renameat2(pool->tmp_fd, name, dirfd, name, RENAME_NOREPLACE);

    if (rc >= 0)
        rc = sys_fsync(dirfd);
    return rc < 0 ? fail_sys(err, rc, "cannot publish '%s'", name) : 0;
}

static int open_tree_dir(const struct driver_pool *pool, int dirfd, const char *name,
                         struct error *err)
{
    int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open '%s' in pool '%s'", name, pool->name) : fd;
}

static int take_view(const struct driver_pool *pool, int tree_fd, struct error *err)
{
    int rc = sys_unlinkat(tree_fd, STACK_VIEW, AT_REMOVEDIR);

    if (rc < 0 && rc != -ENOENT)
        return fail_sys(err, rc, "cannot remove a tree of pool '%s'", pool->name);
    return 0;
}

/* Not of the stack: of a tree that was being changed there may be more, or no stack yet. */
static size_t list_refs(int tree_fd, char (**ids)[UUID_SIZE], struct arena *mem)
{
    cleanup_dir DIR *dir = NULL;
    size_t count = 0;
    size_t capacity = 0;

    *ids = NULL;
    if (dir_open(tree_fd, STACK_REFS, &dir) < 0)
        return 0;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        if (!uuid_is_valid(entry->d_name))
            continue;
        if (count == capacity)
            *ids = arena_grow(mem, *ids, &capacity, sizeof(**ids));
        memcpy((*ids)[count++], entry->d_name, UUID_SIZE);
    }
    return count;
}
