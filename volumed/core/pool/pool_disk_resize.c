/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing a disk's size while its pool is in use.  Up: the image is allocated, the loop device
 * looks at it anew, the filesystem takes it in.  Down: the same backwards.  Each step asks what is,
 * so that a resumed run does what is left; an image longer than its filesystem does no harm.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/units.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "core/pool/pool.h"
#include "core/pool/pool_disk.h"
#include "core/pool/pool_reserve.h"
#include "driver/driver.h"
#include "driver/resize.h"
#include "mount/loop.h"
#include "store/pool_disk.h"

#define MIB            ((int64_t)1 << 20)
#define GIB            ((int64_t)1 << 30)
#define QUIET_MS       600000
#define STEP_WORTH     (16 * MIB) /* less is not worth growing by */
#define LOW_PART       4          /* of the size: less free than this asks for more */
#define LOW_MIN        (128 * MIB)
#define LOW_MAX        (8 * GIB)
#define STEP_PART      4
#define STEP_MIN       (256 * MIB)
#define STEP_MAX       (16 * GIB)
#define CLAMP(x, a, b) ((x) < (a) ? (a) : (x) > (b) ? (b) : (x))

struct resizing {
    struct pool pool;
    struct pool_disk disk; /* as it was */
    int64_t size_bytes;
    int64_t max_bytes; /* negative: as it was */
    bool is_allocated; /* the filesystem may have taken it in: the image must not shrink again */
};

static int run(struct task *task, struct resizing *resizing, struct error *err);
static int check(struct task *task, const struct resizing *resizing, struct error *err);
static int prepare(struct task *task, struct op *op, struct error *err);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int grow(struct resizing *resizing, const struct driver_pool *pool, int64_t to_bytes,
                struct error *err);
static int shrink(const struct resizing *resizing, const struct driver_pool *pool,
                  struct error *err);
static int open_image(const struct resizing *resizing, struct loop *loop, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);
static int grow_if_due(struct task *task, const struct pool_disk *disk, struct error *err);
static int64_t next_size(const struct pool_disk *disk, int64_t room_bytes);
static void tell_full(const char *name);

const struct op_kind pool_disk_resize_kind = {
    .name = "pool.resize",
    .prepare = prepare,
    .load = load,
    .apply = apply,
    .finish = finish,
    .revert = revert,
};

int pool_disk_resize(struct task *task, const char *pool_ref, int64_t size_bytes, struct error *err)
{
    struct resizing resizing = { .size_bytes = size_bytes / MIB * MIB, .max_bytes = -1 };

    if (pool_get(task, pool_ref, &resizing.pool, err) < 0)
        return -1;
    int found = pool_disk_find(task, resizing.pool.id, &resizing.disk, err);
    if (found <= 0)
        return found < 0
                   ? -1
                   : fail(err, ERR_UNSUPPORTED,
                          "pool '%s' is a directory on a filesystem of the host, and as large",
                          resizing.pool.name);
    if (resizing.disk.max_bytes > 0 && resizing.disk.max_bytes < resizing.size_bytes)
        resizing.max_bytes = resizing.size_bytes;
    if (check(task, &resizing, err) < 0 || run(task, &resizing, err) < 0)
        return error_prefix(err, "cannot resize pool '%s'", resizing.pool.name);
    return 0;
}

int pool_disk_grow_due(struct task *task, struct error *err)
{
    struct pool_disk *list = NULL;
    int count = store_pool_disk_list(task->db, task->mem, &list, err);

    for (int i = 0; i < count; i++) {
        struct error failure;
        const struct driver_pool *open = NULL;
        if (pool_open(task, list[i].pool_id, &open, &failure) < 0)
            continue; /* refused, and told elsewhere */
        if (pool_reserve_make(open, &failure) < 0)
            log_warn("pool has no reserve error=\"%s\"", failure.message);
        bool may_grow = !list[i].is_device &&
                        (list[i].max_bytes == 0 || list[i].size_bytes < list[i].max_bytes);
        if (may_grow && grow_if_due(task, &list[i], &failure) < 0 && failure.code != ERR_CONFLICT)
            log_error("pool does not grow id=%s error=\"%s\"", list[i].pool_id, failure.message);
    }
    return count < 0 ? -1 : 0;
}

static int run(struct task *task, struct resizing *resizing, struct error *err)
{
    cleanup_op struct op op = {
        .kind = &pool_disk_resize_kind,
        .subject = arena_printf(task->mem, "pool '%s'", resizing->pool.name),
        .objects = { arena_printf(task->mem, "pool:%s", resizing->pool.id) },
        .data = resizing,
    };

    return op_run(task, &op, err);
}

static int check(struct task *task, const struct resizing *resizing, struct error *err)
{
    const struct pool_disk *disk = &resizing->disk;
    int64_t room = 0;
    char text[UNITS_TEXT_SIZE];

    if (disk->is_device)
        return fail(err, ERR_UNSUPPORTED, "it fills its device");
    if (resizing->size_bytes < disk->size_bytes && strcmp(disk->filesystem, "btrfs") != 0)
        return fail(err, ERR_UNSUPPORTED, "an XFS filesystem cannot be made smaller");
    if (resizing->size_bytes < POOL_DISK_BTRFS_MIN)
        return fail(err, ERR_INVALID, "a disk is 256 MiB at least");
    if (resizing->size_bytes < disk->size_bytes)
        return 0;
    if (pool_disk_room(task, disk->path, disk->pool_id, &room, err) < 0)
        return -1;
    units_format_size(room > 0 ? room : 0, text);
    if (resizing->size_bytes - disk->size_bytes > room)
        return fail(err, ERR_NO_SPACE, "the host can promise %s more, and no more than that", text);
    return 0;
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    struct resizing *resizing = op->data;
    struct pool_disk now;
    int found = store_pool_disk_find(task->db, task->mem, resizing->pool.id, &now, err);

    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_CONFLICT, "the pool was removed meanwhile");
    if (now.size_bytes != resizing->disk.size_bytes)
        return fail(err, ERR_CONFLICT, "its size was changed meanwhile");
    op->note = json_object();
    json_set(op->note, "pool", pool_to_json(&resizing->pool));
    json_set(op->note, "disk", pool_disk_to_json(&resizing->disk));
    json_set(op->note, "size_bytes", json_integer(resizing->size_bytes));
    json_set(op->note, "max_bytes", json_integer(resizing->max_bytes));
    return 0;
}

static int load(struct task *task, struct op *op, struct error *err)
{
    struct resizing *resizing = arena_alloc(task->mem, sizeof(*resizing));

    op->data = resizing;
    if (pool_from_json(task, json_member(op->note, "pool"), &resizing->pool, err) < 0 ||
        pool_disk_from_json(task, json_member(op->note, "disk"), &resizing->disk, err) < 0 ||
        json_get_int(op->note, "size_bytes", &resizing->size_bytes, err) < 0)
        return -1;
    resizing->is_allocated = true; /* perhaps */
    return json_get_int(op->note, "max_bytes", &resizing->max_bytes, err);
}

static int apply(struct task *task, struct op *op, struct error *err)
{
    struct resizing *resizing = op->data;
    const struct driver_pool *pool = NULL;

    if (pool_open(task, resizing->pool.id, &pool, err) < 0)
        return -1;
    return resizing->size_bytes >= resizing->disk.size_bytes
               ? grow(resizing, pool, resizing->size_bytes, err)
               : shrink(resizing, pool, err);
}

/* What the image has already is allocated again for nothing. */
static int grow(struct resizing *resizing, const struct driver_pool *pool, int64_t to_bytes,
                struct error *err)
{
    const struct pool_disk *disk = &resizing->disk;
    int64_t from_bytes = to_bytes > disk->size_bytes ? disk->size_bytes : resizing->size_bytes;
    struct loop loop = { .fd = -1 };
    cleanup_fd int fd = open_image(resizing, &loop, err);
    int rc = -1;

    if (fd >= 0 && pool_disk_allocate(fd, from_bytes, to_bytes, err) == 0 &&
        loop_resize(&loop, err) == 0) {
        resizing->is_allocated = true;
        rc = resize_filesystem(pool->fd, disk->filesystem, to_bytes, err);
    }
    loop_close(&loop);
    return rc;
}

static int shrink(const struct resizing *resizing, const struct driver_pool *pool,
                  struct error *err)
{
    struct loop loop = { .fd = -1 };

    if (resize_filesystem(pool->fd, resizing->disk.filesystem, resizing->size_bytes, err) < 0) {
        if (err->code == ERR_NO_SPACE)
            return fail(err, ERR_NO_SPACE, "what it holds needs more than that");
        return -1;
    }
    cleanup_fd int fd = open_image(resizing, &loop, err);
    int rc = fd < 0 ? fd : sys_ftruncate(fd, resizing->size_bytes);
    if (rc >= 0)
        rc = loop_resize(&loop, err);
    else if (fd >= 0)
        rc = fail_sys(err, rc, "cannot cut '%s' off", resizing->disk.path);
    loop_close(&loop);
    return rc;
}

/* The device that is mounted is the image's only one. */
static int open_image(const struct resizing *resizing, struct loop *loop, struct error *err)
{
    const char *path = resizing->disk.path;
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDWR, 0);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open image '%s'", path);
    int found = loop_find(fd, loop, err);
    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_CONFLICT, "image '%s' has no loop device", path);
    return move_fd(&fd);
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    const struct resizing *resizing = op->data;
    bool is_growth = resizing->size_bytes >= resizing->disk.size_bytes;
    struct pair items[] = {
        { "size_bytes", arena_printf(task->mem, "%lld", (long long)resizing->size_bytes) },
        { "from_bytes", arena_printf(task->mem, "%lld", (long long)resizing->disk.size_bytes) },
    };

    if (store_pool_disk_set_size(task->db, resizing->pool.id, resizing->size_bytes,
                                 resizing->max_bytes, err) < 0)
        return -1;
    return event_emit(task, "pool", is_growth ? "grow" : "shrink", resizing->pool.name,
                      &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

static int revert(struct task *task, struct op *op, struct error *err)
{
    struct resizing *resizing = op->data;
    const struct driver_pool *pool = NULL;

    if (pool_open(task, resizing->pool.id, &pool, err) < 0)
        return -1;
    if (resizing->size_bytes < resizing->disk.size_bytes)
        return grow(resizing, pool, resizing->disk.size_bytes, err);
    if (resizing->is_allocated)
        return 0;
    struct loop loop = { .fd = -1 };
    cleanup_fd int fd = open_image(resizing, &loop, err);
    int rc = fd < 0 ? -1 : 0;
    if (fd >= 0 && sys_ftruncate(fd, resizing->disk.size_bytes) >= 0)
        rc = loop_resize(&loop, err);
    loop_close(&loop);
    return rc;
}

static int grow_if_due(struct task *task, const struct pool_disk *disk, struct error *err)
{
    struct resizing resizing = { .disk = *disk, .max_bytes = -1 };
    const struct driver_pool *open = NULL;
    struct statvfs space;
    int64_t room = 0;

    if (pool_open(task, disk->pool_id, &open, err) < 0)
        return -1;
    if (fstatvfs(open->fd, &space) < 0)
        return fail_sys(err, -errno, "cannot measure pool '%s'", open->name);
    int64_t free_bytes = (int64_t)(space.f_bavail * space.f_frsize);
    if (free_bytes >= CLAMP(disk->size_bytes / LOW_PART, LOW_MIN, LOW_MAX))
        return 0;
    if (pool_disk_room(task, disk->path, disk->pool_id, &room, err) < 0 ||
        pool_get(task, disk->pool_id, &resizing.pool, err) < 0)
        return -1;
    resizing.size_bytes = next_size(disk, room);
    if (resizing.size_bytes - disk->size_bytes < STEP_WORTH) {
        tell_full(open->name);
        return 0;
    }
    return run(task, &resizing, err);
}

static int64_t next_size(const struct pool_disk *disk, int64_t room_bytes)
{
    int64_t step = CLAMP(disk->size_bytes / STEP_PART, STEP_MIN, STEP_MAX);

    if (step > room_bytes)
        step = room_bytes;
    if (disk->max_bytes > 0 && step > disk->max_bytes - disk->size_bytes)
        step = disk->max_bytes - disk->size_bytes;
    return disk->size_bytes + step / MIB * MIB;
}

/* Now and then: it is asked every other second.  The scheduler's thread alone comes here. */
static void tell_full(const char *name)
{
    static int64_t quiet_until_ms;
    int64_t now_ms = clock_mono_ms();

    if (now_ms < quiet_until_ms)
        return;
    quiet_until_ms = now_ms + QUIET_MS;
    log_warn("pool runs full and cannot grow name=%s reason=\"the host has no room\"", name);
}
