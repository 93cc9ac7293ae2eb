/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs on pools, and the pools that are open.  An open pool stays open until the process ends,
 * so that whoever got it need not count; a removed one has no volumes that could lead to it.
 */
#include "core/pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/pool/pool_disk.h"
#include "core/pool/pool_identity.h"
#include "core/pool/pool_mirror.h"
#include "core/pool/pool_spare.h"
#include "core/service.h"
#include "core/volume/trash.h"
#include "core/volume/volume_view.h"
#include "model/name.h"
#include "store/pool.h"

struct open_pool {
    struct list node;
    struct arena *mem; /* of the texts */
    struct driver_pool pool;
};

struct pools {
    pthread_mutex_t lock; /* guards: open, retired */
    struct list open;
    struct list retired; /* of removed disks: somebody may still hold one for a moment */
};

struct pool_making {
    struct pool pool;
    int fd;
    bool is_directory_new;
};

static void making_done(struct pool_making *making);
static int make_directory(struct pool_making *making, struct error *err);
static int choose_driver(struct pool_making *making, struct error *err);
static int make_apply(struct task *task, struct op *op, struct error *err);
static int make_finish(struct task *task, struct op *op, struct error *err);
static int make_revert(struct task *task, struct op *op, struct error *err);
static int remove_finish(struct task *task, struct op *op, struct error *err);
static struct open_pool *find_open(struct pools *pools, const char *pool_id);
static struct open_pool *take_open(struct pools *pools, const char *pool_id);
static struct open_pool *open_row(struct task *task, const char *pool_id, struct error *err);
static int open_found(struct task *task, struct open_pool *open, const struct pool *pool,
                      struct error *err);
static void open_pool_free(struct open_pool *open);

static const struct op_kind create_kind = {
    .name = "pool.create",
    .apply = make_apply,
    .finish = make_finish,
    .revert = make_revert,
};

static const struct op_kind remove_kind = {
    .name = "pool.remove",
    .finish = remove_finish,
};

struct pools *pools_open(struct task *task, struct error *err)
{
    struct pools *pools = mem_alloc(sizeof(*pools));
    struct pool *list = NULL;
    int count = store_pool_list(task->db, task->mem, &list, err);

    (void)pthread_mutex_init(&pools->lock, NULL); /* never fails with default attributes */
    list_init(&pools->open);
    list_init(&pools->retired);
    if (count < 0) {
        pools_close(pools);
        return NULL;
    }
    task->service->pools = pools;
    pool_disk_look_sweep(task);
    pool_mirror_reset();
    for (int i = 0; i < count; i++) {
        const struct driver_pool *open = NULL;
        struct error refused;
        if (pool_open(task, list[i].id, &open, &refused) < 0)
            log_error("pool refused name=%s reason=\"%s\"", list[i].name, refused.message);
    }
    return pools;
}

void pools_close(struct pools *pools)
{
    if (pools == NULL)
        return;
    list_each(node, &pools->open)
        open_pool_free(container_of(node, struct open_pool, node));
    list_each(node, &pools->retired)
        open_pool_free(container_of(node, struct open_pool, node));
    (void)pthread_mutex_destroy(&pools->lock); /* nobody is left to hold it */
    free(pools);
}

int pool_create(struct task *task, const char *name, const char *path, const char *driver,
                struct pool *pool, struct error *err)
{
    struct pool made = { .name = name, .driver = driver };

    if (name_check("pool", name, err) < 0)
        return -1;
    if (*path != '/')
        return fail(err, ERR_INVALID, "a pool's path must be absolute: '%s'", path);
    made.path = path_clean(task->mem, path);
    if (pool_make(task, &made, err) < 0)
        return error_prefix(err, "cannot make pool '%s' at '%s'", name, made.path);
    *pool = made;
    return 0;
}

int pool_make(struct task *task, struct pool *pool, struct error *err)
{
    CLEANUP(making_done) struct pool_making making = { .pool = *pool, .fd = -1 };
    char id[UUID_SIZE];

    uuid_make(id);
    making.pool.id = arena_strdup(task->mem, id);
    making.pool.created_ms = clock_now_ms();
    cleanup_op struct op op = {
        .kind = &create_kind,
        .subject = arena_printf(task->mem, "pool '%s'", pool->name),
        .data = &making,
    };
    if (op_run(task, &op, err) < 0)
        return -1;
    *pool = making.pool;
    return 0;
}

int pool_get(struct task *task, const char *ref, struct pool *pool, struct error *err)
{
    int found = store_pool_find(task->db, task->mem, ref, pool, err);

    if (found < 0)
        return -1;
    return found > 0 ? 0 : fail(err, ERR_NOT_FOUND, "no such pool: %s", ref);
}

int pool_list(struct task *task, struct pool **list, struct error *err)
{
    return store_pool_list(task->db, task->mem, list, err);
}

int pool_remove(struct task *task, const char *ref, struct error *err)
{
    struct pool pool;

    if (pool_get(task, ref, &pool, err) < 0)
        return -1;
    if (pool.is_default)
        return fail(err, ERR_CONFLICT, "pool '%s' is the default and stays", pool.name);
    struct pool_disk disk;
    int found = pool_disk_find(task, pool.id, &disk, err);
    if (found != 0)
        return found < 0 ? -1 : pool_disk_remove(task, &pool, &disk, err);
    cleanup_op struct op op = {
        .kind = &remove_kind,
        .subject = arena_printf(task->mem, "pool '%s'", pool.name),
        .data = &pool,
    };
    if (op_run(task, &op, err) < 0)
        return -1;
    return 0;
}

int pool_open(struct task *task, const char *pool_id, const struct driver_pool **open,
              struct error *err)
{
    struct pools *pools = task->service->pools;
    struct open_pool *known = find_open(pools, pool_id);

    if (known == NULL) {
        struct open_pool *opened = open_row(task, pool_id, err);
        if (opened == NULL)
            return -1;
        LOCK_SCOPE(&pools->lock);
        list_append(&pools->open, &opened->node); /* twice if two threads raced: harmless */
        known = opened;
    }
    *open = &known->pool;
    return 0;
}

int pool_retire(struct task *task, const char *pool_id, struct error *err)
{
    struct pools *pools = task->service->pools;

    for (struct open_pool *open; (open = take_open(pools, pool_id)) != NULL;) {
        pool_spare_drop(&open->pool);
        int rc = pool_identity_divert(&open->pool, task->service->tmp_fd, err);
        LOCK_SCOPE(&pools->lock);
        list_append(rc < 0 ? &pools->open : &pools->retired, &open->node);
        if (rc < 0)
            return -1;
    }
    return 0;
}

int pool_clone_cost(struct task *task, const char *pool_id, enum cost *cost, struct error *err)
{
    const struct driver_pool *open = NULL;

    if (pool_open(task, pool_id, &open, err) < 0)
        return -1;
    *cost = open->driver->clone_cost;
    return 0;
}

int pool_space(struct task *task, const char *pool_id, struct pool_space *space, struct error *err)
{
    const struct driver_pool *open = NULL;
    struct statvfs st;

    if (pool_open(task, pool_id, &open, err) < 0)
        return -1;
    if (fstatvfs(open->fd, &st) < 0)
        return fail_sys(err, -errno, "cannot measure pool '%s'", open->name);
    space->size_bytes = (int64_t)(st.f_blocks * st.f_frsize);
    space->free_bytes = (int64_t)(st.f_bavail * st.f_frsize);
    return 0;
}

int pool_fail_not_empty(struct task *task, const struct pool *pool, struct error *err)
{
    struct trash_entry *list = NULL;
    struct error ignored; /* the first one is the better answer */
    int count = trash_list(task, pool->id, &list, &ignored);

    if (count <= 0)
        return fail(err, ERR_CONFLICT, "pool '%s' is not empty", pool->name);
    return fail(err, ERR_CONFLICT,
                "pool '%s' is not empty: its trash holds %d, which 'volctl trash purge' removes",
                pool->name, count);
}

int pool_event(struct task *task, const char *action, const struct pool *pool, struct error *err)
{
    struct pair items[] = { { "driver", pool->driver }, { "path", pool->path } };

    return event_emit(task, "pool", action, pool->name, &(struct pairs){ ARRAY_SIZE(items), items },
                      err);
}

static void making_done(struct pool_making *making)
{
    sys_close_fd(&making->fd);
}

static int make_apply(struct task *task, struct op *op, struct error *err)
{
    struct pool_making *making = op->data;

    if (make_directory(making, err) < 0 || choose_driver(making, err) < 0)
        return -1;
    if (view_probe(driver_find(making->pool.driver), making->fd, making->pool.path, err) < 0)
        return error_prefix(err, "driver '%s' does not fit", making->pool.driver);
    return pool_identity_write(task->mem, making->fd, &making->pool, err);
}

static int make_directory(struct pool_making *making, struct error *err)
{
    const char *path = making->pool.path;
    int rc = sys_mkdirat(AT_FDCWD, path, 0711);

    if (rc < 0 && rc != -EEXIST)
        return fail_sys(err, rc, "cannot make the directory");
    making->is_directory_new = rc == 0;
    making->fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (making->fd < 0)
        return fail_sys(err, making->fd, "cannot open the directory");
    cleanup_fd int parent = sys_openat(making->fd, "..", O_RDONLY | O_DIRECTORY, 0);
    if (parent < 0)
        return fail_sys(err, parent, "cannot open the directory above");
    return fs_sync_dir(parent, err);
}

static int choose_driver(struct pool_making *making, struct error *err)
{
    const char *name = making->pool.driver;

    if (fs_is_network(fs_magic(making->fd)))
        return fail(err, ERR_UNSUPPORTED,
                    "it is on a network or FUSE filesystem, where neither other hosts' mounts can"
                    " be seen nor syncs be trusted; mount such data a volume at a time, with the"
                    " driver options type, device and o");
    const struct driver *driver = name == NULL ? driver_probe(making->fd) : driver_find(name);
    if (driver == NULL || driver->probe == NULL)
        return fail(err, ERR_INVALID, "no such pool driver: %s", name == NULL ? "" : name);
    if (driver->probe(making->fd) <= 0)
        return fail(err, ERR_UNSUPPORTED, "driver '%s' does not fit the filesystem there", name);
    making->pool.driver = driver->name;
    return 0;
}

static int make_finish(struct task *task, struct op *op, struct error *err)
{
    const struct pool_making *making = op->data;

    if (store_pool_insert(task->db, &making->pool, err) < 0) {
        if (err->code == ERR_EXISTS)
            return fail(err, ERR_EXISTS, "the name or the path is another pool's");
        return -1;
    }
    return pool_event(task, "create", &making->pool, err);
}

static int make_revert(struct task *task, struct op *op, struct error *err)
{
    const struct pool_making *making = op->data;

    (void)task;
    (void)err;
    if (making->fd < 0 || !making->is_directory_new)
        return 0;
    pool_identity_remove(making->fd);
    (void)unlinkat(AT_FDCWD, making->pool.path, AT_REMOVEDIR); /* no harm in an empty directory */
    return 0;
}

static int remove_finish(struct task *task, struct op *op, struct error *err)
{
    const struct pool *pool = op->data;

    if (store_pool_delete(task->db, pool->id, err) < 0) {
        if (err->code == ERR_CONFLICT)
            return fail(err, ERR_CONFLICT, "pool '%s' is not empty (its trash counts too)",
                        pool->name);
        return -1;
    }
    return pool_event(task, "destroy", pool, err);
}

static struct open_pool *find_open(struct pools *pools, const char *pool_id)
{
    LOCK_SCOPE(&pools->lock);
    list_each(node, &pools->open) {
        struct open_pool *open = container_of(node, struct open_pool, node);
        if (strcmp(open->pool.id, pool_id) == 0)
            return open;
    }
    return NULL;
}

static struct open_pool *take_open(struct pools *pools, const char *pool_id)
{
    if (pools == NULL) /* resumed before they are opened */
        return NULL;
    LOCK_SCOPE(&pools->lock);
    list_each(node, &pools->open) {
        struct open_pool *open = container_of(node, struct open_pool, node);
        if (strcmp(open->pool.id, pool_id) != 0)
            continue;
        list_remove(node);
        return open;
    }
    return NULL;
}

static struct open_pool *open_row(struct task *task, const char *pool_id, struct error *err)
{
    struct open_pool *open = mem_alloc(sizeof(*open));
    struct pool pool;

    list_init(&open->node);
    open->mem = arena_new();
    int found = store_pool_find(task->db, open->mem, pool_id, &pool, err);
    if (found > 0 && open_found(task, open, &pool, err) == 0)
        return open;
    if (found == 0)
        (void)fail(err, ERR_NOT_FOUND, "no such pool: %s", pool_id);
    if (found > 0) {
        (void)error_prefix(err, "pool '%s' is refused", pool.name);
        err->code = ERR_CONFLICT;
    }
    arena_free(open->mem);
    free(open);
    return NULL;
}

static int open_found(struct task *task, struct open_pool *open, const struct pool *pool,
                      struct error *err)
{
    struct pool_disk disk;
    int found = pool_disk_find(task, pool->id, &disk, err);

    if (found < 0 || (found > 0 && pool_disk_up(task, pool, &disk, err) < 0))
        return -1;
    return pool_identity_open(open->mem, pool, &open->pool, err);
}

static void open_pool_free(struct open_pool *open)
{
    pool_spare_drop(&open->pool);
    pool_identity_close(&open->pool);
    arena_free(open->mem);
    free(open);
}
