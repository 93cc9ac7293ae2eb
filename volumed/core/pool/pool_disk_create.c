/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a pool with a disk of its own.  The image is built beside its place under a name of our
 * own, and gets its own when the pool in it is whole:
 *
 *    disk                        mount     row    a crash here, resumed
 *    nothing                     –         –      taken back
 *  ── intent on the name and the path ─────────── prepare
 *    IMAGE.<id>.new, in part     –         –      taken back
 *    IMAGE.<id>.new, filesystem  –, up     –      taken back
 *    IMAGE                       up        –      goes on: mounted again, published
 *  ── row, intent gone ────────────────────────── finish
 *
 * A device is formatted where it is: taking that back only unmounts it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/units.h"
#include "base/uuid.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "core/pool/pool.h"
#include "core/pool/pool_disk.h"
#include "core/pool/pool_identity.h"
#include "core/service.h"
#include "driver/driver.h"
#include "model/name.h"
#include "mount/disk.h"
#include "runtime/mkfs.h"
#include "store/pool.h"
#include "store/pool_disk.h"

#define MIB           ((int64_t)1 << 20)
#define GIB           ((int64_t)1 << 30)
#define SIZE_USUAL    (10 * GIB)
#define ROOM_PART     4 /* of what the host has, at most, when no size is given */
#define IMAGE_MODE    0600
#define ROOT_MODE     0711 /* as of any pool: looked through, not listed */
#define DIRECTORY_DEV "/dev/"

struct making {
    struct pool pool;
    struct pool_disk disk;
    const char *building; /* the image's name until it is whole */
    bool is_forced;
    bool is_placed; /* by this process: the image has its own name */
};

/* What a filesystem is good for, best first for "auto" (docs/adr/0015). */
static const struct kind {
    const char *filesystem;
    const char *driver;
    int64_t min_bytes;
} kinds[] = {
    { "xfs", "reflink", 304 * MIB },
    { "btrfs", "btrfs", POOL_DISK_BTRFS_MIN },
};

static int plan(struct task *task, const struct pool_disk_spec *spec, struct making *making,
                struct error *err);
static const struct kind *choose_kind(const char *name, struct error *err);
static int plan_image(struct task *task, const struct pool_disk_spec *spec, const struct kind *kind,
                      struct making *making, struct error *err);
static int check_room(const struct making *making, int64_t room, struct error *err);
static int plan_device(struct task *task, const struct pool_disk_spec *spec, struct making *making,
                       struct error *err);
static int prepare(struct task *task, struct op *op, struct error *err);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int make_image(struct task *task, const struct making *making, struct error *err);
static int check_device(struct task *task, const struct making *making, struct error *err);
static int make_pool(struct task *task, const struct making *making, struct error *err);
static int place_image(struct making *making, struct error *err);
static int check_whole(struct task *task, const struct making *making, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);

const struct op_kind pool_disk_create_kind = {
    .name = "pool.create",
    .prepare = prepare,
    .load = load,
    .apply = apply,
    .finish = finish,
    .revert = revert,
};

int pool_disk_create(struct task *task, const struct pool_disk_spec *spec, struct pool *pool,
                     struct error *err)
{
    struct making making = { .is_forced = spec->is_forced };

    if (plan(task, spec, &making, err) < 0)
        return error_prefix(err, "cannot make pool '%s'", spec->name);
    cleanup_op struct op op = {
        .kind = &pool_disk_create_kind,
        .subject = arena_printf(task->mem, "pool '%s'", spec->name),
        .objects = {
            arena_printf(task->mem, "pool-name:%s", making.pool.name),
            arena_printf(task->mem, "disk:%s", making.disk.path),
        },
        .data = &making,
        .result = json_object(),
    };
    json_set(op.result, "id", json_text(making.pool.id));
    if (op_run(task, &op, err) < 0)
        return error_prefix(err, "cannot make pool '%s'", spec->name);
    const char *id = making.pool.id;
    if (json_get_text(op.result, "id", task->mem, &id, err) < 0)
        return -1;
    return pool_get(task, id, pool, err);
}

static int plan(struct task *task, const struct pool_disk_spec *spec, struct making *making,
                struct error *err)
{
    const struct kind *kind = choose_kind(spec->filesystem, err);
    char id[UUID_SIZE];

    if (kind == NULL || name_check("pool", spec->name, err) < 0)
        return -1;
    uuid_make(id);
    making->pool = (struct pool){
        .id = arena_strdup(task->mem, id),
        .name = spec->name,
        .driver = kind->driver,
        .path = arena_printf(task->mem, "%s/pools/%s", task->service->state_dir, spec->name),
        .is_default = spec->is_default,
        .created_ms = clock_now_ms(),
    };
    making->disk = (struct pool_disk){
        .pool_id = making->pool.id,
        .filesystem = kind->filesystem,
        .size_bytes = spec->size_bytes / MIB * MIB,
        .max_bytes = spec->max_bytes < 0 ? 0 : spec->max_bytes / MIB * MIB,
        .is_device = spec->device != NULL,
    };
    int rc = spec->device != NULL ? plan_device(task, spec, making, err)
                                  : plan_image(task, spec, kind, making, err);
    if (rc == 0 && making->disk.size_bytes < kind->min_bytes)
        return fail(err, ERR_INVALID, "%s needs %lld MiB at least", kind->filesystem,
                    (long long)(kind->min_bytes / MIB));
    return rc;
}

static const struct kind *choose_kind(const char *name, struct error *err)
{
    bool is_auto = name == NULL || strcmp(name, "auto") == 0;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        bool fits =
            is_auto ? mkfs_is_there(kinds[i].filesystem) : strcmp(kinds[i].filesystem, name) == 0;
        if (fits)
            return &kinds[i];
    }
    if (is_auto)
        (void)fail(err, ERR_UNSUPPORTED, "there is no mkfs here: install xfsprogs or btrfs-progs");
    else
        (void)fail(err, ERR_INVALID,
                   "a disk can have xfs or btrfs (or auto), not '%s'; other drivers need a path",
                   name);
    return NULL;
}

static int plan_image(struct task *task, const struct pool_disk_spec *spec, const struct kind *kind,
                      struct making *making, struct error *err)
{
    struct pool_disk *disk = &making->disk;
    const char *parent = arena_printf(task->mem, "%s/disks", task->service->state_dir);
    int64_t room = 0;

    if (spec->image != NULL && *spec->image != '/')
        return fail(err, ERR_INVALID, "an image's path must be absolute: '%s'", spec->image);
    if (spec->image == NULL) {
        cleanup_fd int made = fs_make_dir(task->service->state_fd, "disks", 0700, err);
        if (made < 0)
            return -1;
        disk->path = arena_printf(task->mem, "%s/%s", parent, making->pool.id);
    } else {
        disk->path = path_clean(task->mem, spec->image);
        parent = arena_strndup(task->mem, disk->path, (size_t)(path_base(disk->path) - disk->path));
    }
    making->building = arena_printf(task->mem, "%s.%s.new", disk->path, making->pool.id);
    if (access(disk->path, F_OK) == 0)
        return fail(err, ERR_CONFLICT, "there is something at '%s'", disk->path);
    if (pool_disk_room(task, parent, "", &room, err) < 0)
        return -1;
    if (disk->size_bytes == 0)
        disk->size_bytes =
            (room / ROOM_PART < SIZE_USUAL ? room / ROOM_PART : SIZE_USUAL) / MIB * MIB;
    if (disk->size_bytes < kind->min_bytes && spec->size_bytes == 0)
        disk->size_bytes = kind->min_bytes;
    return check_room(making, room, err);
}

/* What is given as max is promised: it must be there now, beside what others were promised. */
static int check_room(const struct making *making, int64_t room, struct error *err)
{
    const struct pool_disk *disk = &making->disk;
    int64_t wanted = disk->max_bytes > disk->size_bytes ? disk->max_bytes : disk->size_bytes;
    char text[2][UNITS_TEXT_SIZE];

    if (disk->max_bytes > 0 && disk->max_bytes < disk->size_bytes)
        return fail(err, ERR_INVALID, "the size is above the maximum");
    if (wanted <= room)
        return 0;
    units_format_size(wanted, text[0]);
    units_format_size(room > 0 ? room : 0, text[1]);
    return fail(
        err, ERR_NO_SPACE,
        "%s were asked for, and the host can promise %s: what is free, less a reserve and what"
        " other pools may still grow by",
        text[0], text[1]);
}

static int plan_device(struct task *task, const struct pool_disk_spec *spec, struct making *making,
                       struct error *err)
{
    struct stat st;

    if (spec->image != NULL || spec->size_bytes != 0 || spec->max_bytes > 0)
        return fail(err, ERR_INVALID, "a device is used whole: it goes with no path and no size");
    making->disk.path = path_clean(task->mem, spec->device);
    cleanup_fd int fd = sys_openat(AT_FDCWD, spec->device, O_RDONLY, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &st, AT_EMPTY_PATH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot open '%s'", spec->device);
    if (!S_ISBLK(st.st_mode) || *spec->device != '/')
        return fail(err, ERR_INVALID, "'%s' is not a block device", spec->device);
    off_t size = lseek(fd, 0, SEEK_END);
    making->disk.size_bytes = size < 0 ? 0 : size;
    making->disk.max_bytes = making->disk.size_bytes;
    return 0;
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    const struct making *making = op->data;
    struct pool other;
    int found = store_pool_find(task->db, task->mem, making->pool.name, &other, err);

    if (found != 0)
        return found < 0 ? -1 : fail(err, ERR_EXISTS, "the name is another pool's");
    op->note = json_object();
    json_set(op->note, "pool", pool_to_json(&making->pool));
    json_set(op->note, "disk", pool_disk_to_json(&making->disk));
    json_set(op->note, "building", json_text_or_empty(making->building));
    return 0;
}

static int load(struct task *task, struct op *op, struct error *err)
{
    struct making *making = arena_alloc(task->mem, sizeof(*making));

    op->data = making;
    if (pool_from_json(task, json_member(op->note, "pool"), &making->pool, err) < 0 ||
        pool_disk_from_json(task, json_member(op->note, "disk"), &making->disk, err) < 0)
        return -1;
    making->disk.pool_id = making->pool.id;
    return json_get_text(op->note, "building", task->mem, &making->building, err);
}

static int apply(struct task *task, struct op *op, struct error *err)
{
    struct making *making = op->data;

    if (op->is_resumed)
        return check_whole(task, making, err);
    if (making->disk.is_device ? check_device(task, making, err) < 0
                               : make_image(task, making, err) < 0)
        return -1;
    if (make_pool(task, making, err) < 0)
        return -1;
    return making->disk.is_device ? 0 : place_image(making, err);
}

static int make_image(struct task *task, const struct making *making, struct error *err)
{
    const struct mkfs_spec spec = {
        .type = making->disk.filesystem,
        .path = making->building,
        .uuid = making->pool.id,
    };
    cleanup_fd int fd =
        sys_openat(AT_FDCWD, making->building, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, IMAGE_MODE);

    if (fd < 0)
        return fail_sys(err, fd, "cannot make image '%s'", making->building);
    /* Copied on write twice over, an image falls to pieces; before its first byte it can be said.
     */
    if (fs_magic(fd) == BTRFS_SUPER_MAGIC && btrfs_driver.set_nocow(fd, err) < 0)
        return -1;
    if (pool_disk_allocate(fd, 0, making->disk.size_bytes, err) < 0)
        return -1;
    return mkfs_run(task->mem, &spec, err);
}

/* What is on it may be somebody's: only a blank device is taken without being told twice. */
static int check_device(struct task *task, const struct making *making, struct error *err)
{
    const struct mkfs_spec spec = {
        .type = making->disk.filesystem,
        .path = making->disk.path,
        .uuid = making->pool.id,
        .is_forced = making->is_forced,
    };
    const char *what = NULL;
    cleanup_fd int fd = sys_openat(AT_FDCWD, making->disk.path, O_RDWR | O_EXCL, 0);

    if (fd == -EBUSY)
        return fail(err, ERR_BUSY, "'%s' is in use", making->disk.path);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", making->disk.path);
    if (disk_identify(task->mem, fd, &what, err) < 0)
        return -1;
    if (what != NULL && !making->is_forced)
        return fail(err, ERR_CONFLICT, "there is %s on '%s'; --force overwrites it", what,
                    making->disk.path);
    sys_close_fd(&fd); /* mkfs wants it for itself */
    return mkfs_run(task->mem, &spec, err);
}

static int make_pool(struct task *task, const struct making *making, struct error *err)
{
    struct pool_disk disk = making->disk;

    if (!disk.is_device)
        disk.path = making->building;
    if (pool_disk_up(task, &making->pool, &disk, err) < 0)
        return -1;
    cleanup_fd int fd = sys_openat(AT_FDCWD, making->pool.path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", making->pool.path);
    int rc = sys_fchmod(fd, ROOT_MODE);
    if (rc < 0)
        return fail_sys(err, rc, "cannot set the mode of '%s'", making->pool.path);
    if (driver_find(making->pool.driver)->probe(fd) <= 0)
        return fail(err, ERR_UNSUPPORTED, "the filesystem that was made cannot share blocks");
    if (pool_identity_write(task->mem, fd, &making->pool, err) < 0)
        return -1;
    rc = sys_syncfs(fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync '%s'", making->pool.path) : 0;
}

static int place_image(struct making *making, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *path = making->disk.path;
    int rc = sys_renameat2(AT_FDCWD, making->building, AT_FDCWD, path, RENAME_NOREPLACE);

    if (rc < 0)
        return fail_sys(err, rc, "cannot make '%s'", path);
    making->is_placed = true;
    const char *parent = arena_strndup(mem, path, (size_t)(path_base(path) - path));
    cleanup_fd int dir = sys_openat(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY, 0);
    return dir < 0 ? fail_sys(err, dir, "cannot open '%s'", parent) : fs_sync_dir(dir, err);
}

/* After a crash, or when the row could not be written: all is there, or it is taken back. */
static int check_whole(struct task *task, const struct making *making, struct error *err)
{
    struct driver_pool open;

    if (access(making->disk.path, F_OK) < 0)
        return fail(err, ERR_CONFLICT, "it was interrupted");
    if (pool_disk_up(task, &making->pool, &making->disk, err) < 0 ||
        pool_identity_open(task->mem, &making->pool, &open, err) < 0)
        return -1;
    pool_identity_close(&open);
    return 0;
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    const struct making *making = op->data;

    if (store_pool_insert(task->db, &making->pool, err) < 0 ||
        store_pool_disk_insert(task->db, &making->disk, err) < 0)
        return -1;
    return pool_event(task, "create", &making->pool, err);
}

static int revert(struct task *task, struct op *op, struct error *err)
{
    const struct making *making = op->data;

    (void)task;
    if (pool_disk_down(&making->pool, err) < 0)
        return -1;
    if (making->disk.is_device)
        return 0;
    const char *path = making->is_placed ? making->disk.path : making->building;
    int rc = sys_unlinkat(AT_FDCWD, path, 0);
    return rc < 0 && rc != -ENOENT ? fail_sys(err, rc, "cannot remove '%s'", path) : 0;
}
