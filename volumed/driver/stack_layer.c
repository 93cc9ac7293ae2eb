/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: made, opened, sealed, and removed when the last tree that had them is gone.  One lock for
 * all pools: under it nothing takes longer than a few syncs of directories.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/sys.h"
#include "base/thread.h"
#include "driver/attributes.h"
#include "driver/stack.h"

#define LAYER_MODE 0700
#define ROOT_MODE  0755
#define REF_FILE   "ref"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: layers without a reference */

static int open_layers(const struct driver_pool *pool, struct error *err);
static int fill(int layer_fd, int like_fd, bool is_upper);
static int make_root(int layer_fd, int like_fd);
static bool is_unused(int layers_fd, const char *id);
static int set_aside(const struct driver_pool *pool, int layers_fd, const char *id,
                     struct error *err);

void stack_lock(struct stack_lock *held)
{
    (void)pthread_mutex_lock(&lock); /* fails only on misuse */
    held->is_held = true;
}

void stack_unlock(struct stack_lock *held)
{
    if (held->is_held)
        (void)pthread_mutex_unlock(&lock); /* fails only on misuse */
    held->is_held = false;
}

int stack_layer_make(const struct driver_pool *pool, int like_fd, bool is_upper, char id[UUID_SIZE],
                     struct error *err)
{
    cleanup_fd int layers_fd = open_layers(pool, err);

    if (layers_fd < 0)
        return -1;
    uuid_make(id);
    cleanup_fd int layer_fd = fs_make_dir(layers_fd, id, LAYER_MODE, err);
    if (layer_fd < 0)
        return -1;
    int rc = fill(layer_fd, like_fd, is_upper);
    if (rc >= 0)
        rc = sys_fsync(layers_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot make a layer in pool '%s'", pool->name) : 0;
}

int stack_layer_make_aside(const struct driver_pool *pool, const char *id, struct error *err)
{
    cleanup_fd int layer_fd = fs_make_dir(pool->tmp_fd, id, LAYER_MODE, err);

    if (layer_fd < 0)
        return -1;
    int rc = fill(layer_fd, -1, false);
    int fd = rc < 0 ? rc : sys_openat(layer_fd, STACK_DATA, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot make a layer in pool '%s'", pool->name) : fd;
}

int stack_layer_drop(const struct driver_pool *pool, const char *id, struct error *err)
{
    cleanup_fd int layers_fd = open_layers(pool, err);

    if (layers_fd < 0)
        return -1;
    int found = set_aside(pool, layers_fd, id, err);
    return found <= 0 ? found : fs_remove_tree(pool->tmp_fd, id, err);
}

int stack_layers_sweep(const struct driver_pool *pool, bool is_repair, int *dropped,
                       struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    cleanup_fd int layers_fd = open_layers(pool, err);
    int rc = layers_fd < 0 ? 0 : dir_open(layers_fd, ".", &dir);

    if (layers_fd < 0 || rc < 0)
        return layers_fd < 0 ? -1 : fail_sys(err, rc, "cannot read layers of '%s'", pool->name);
    *dropped = 0;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        if (!uuid_is_valid(entry->d_name))
            continue;
        struct stack_lock held = { 0 };
        stack_lock(&held);
        bool is_left = is_unused(layers_fd, entry->d_name);
        stack_unlock(&held);
        if (is_left && is_repair && stack_layer_drop(pool, entry->d_name, err) < 0)
            return -1;
        *dropped += is_left ? 1 : 0;
    }
    return 0;
}

int stack_layer_open(const struct driver_pool *pool, const char *id, struct error *err)
{
    char path[sizeof(STACK_LAYERS) + UUID_SIZE + sizeof(STACK_DATA)];

    (void)snprintf(path, sizeof(path), STACK_LAYERS "/%s/" STACK_DATA, id); /* fits */
    int fd = sys_openat(pool->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open layer '%s' of pool '%s'", id, pool->name) : fd;
}

const char *stack_layer_path(struct arena *mem, const struct driver_pool *pool, const char *id)
{
    return arena_printf(mem, "%s/" STACK_LAYERS "/%s/" STACK_DATA, pool->path, id);
}

void stack_layer_seal(const struct driver_pool *pool, const char *id)
{
    struct error ignored; /* it goes with the layer */
    cleanup_fd int layers_fd = open_layers(pool, &ignored);
    cleanup_fd int layer_fd =
        layers_fd < 0 ? -1 : sys_openat(layers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (layer_fd >= 0)
        (void)fs_remove_tree(layer_fd, STACK_WORK, &ignored);
}

static int open_layers(const struct driver_pool *pool, struct error *err)
{
    cleanup_fd int layers_fd = fs_make_dir(pool->fd, STACK_LAYERS, LAYER_MODE, err);

    if (layers_fd < 0)
        return -1;
    cleanup_fd int floor_fd = fs_make_dir(layers_fd, STACK_FLOOR, ROOT_MODE, err);
    return floor_fd < 0 ? -1 : move_fd(&layers_fd);
}

static int fill(int layer_fd, int like_fd, bool is_upper)
{
    int rc = make_root(layer_fd, like_fd);

    if (rc >= 0 && is_upper)
        rc = sys_mkdirat(layer_fd, STACK_WORK, LAYER_MODE);
    if (rc < 0)
        return rc;
    cleanup_fd int ref_fd = sys_openat(layer_fd, REF_FILE, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (ref_fd < 0)
        return ref_fd;
    rc = sys_fsync(ref_fd);
    return rc < 0 ? rc : sys_fsync(layer_fd);
}

static int make_root(int layer_fd, int like_fd)
{
    struct stat st;
    int rc = sys_mkdirat(layer_fd, STACK_DATA, LAYER_MODE);
    cleanup_fd int fd =
        rc < 0 ? rc : sys_openat(layer_fd, STACK_DATA, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (fd < 0)
        return fd;
    if (like_fd < 0) {
        rc = sys_fchmod(fd, ROOT_MODE);
    } else {
        rc = sys_fstatat(like_fd, "", &st, AT_EMPTY_PATH);
        if (rc >= 0)
            rc = attributes_copy(&(struct attributes_place){ .fd = like_fd }, &st,
                                 &(struct attributes_place){ .fd = fd }, true);
    }
    return rc < 0 ? rc : sys_fsync(fd);
}

static bool is_unused(int layers_fd, const char *id)
{
    char path[UUID_SIZE + sizeof("/" REF_FILE)];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/" REF_FILE, id); /* fits */
    int rc = sys_fstatat(layers_fd, path, &st, AT_SYMLINK_NOFOLLOW);
    return rc == -ENOENT || (rc >= 0 && st.st_nlink == 1);
}

/* 1: it is in tmp now. */
static int set_aside(const struct driver_pool *pool, int layers_fd, const char *id,
                     struct error *err)
{
    LOCK_SCOPE(&lock);
    if (!is_unused(layers_fd, id))
        return 0;
    int rc = sys_renameat2(layers_fd, id, pool->tmp_fd, id, 0);
    if (rc == -ENOENT)
        return 0;
    return rc < 0 ? fail_sys(err, rc, "cannot remove layer '%s' of pool '%s'", id, pool->name) : 1;
}
