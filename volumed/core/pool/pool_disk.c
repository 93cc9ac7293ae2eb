/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing disks up and down, and their bytes.  Whether one is up is asked of the kernel each time.
 * A claim on the pool's id keeps two threads from mounting it twice.
 */
#include "core/pool/pool_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sys.h"
#include "core/operation/claim.h"
#include "core/service.h"
#include "mount/disk.h"
#include "mount/filesystem.h"
#include "mount/loop.h"
#include "mount/table.h"
#include "store/pool_disk.h"

#define LOOK_PREFIX ".look-"
#define TARGET_MODE 0711
#define STEP_BYTES  ((int64_t)256 << 20)

static int mount_image(const struct pool *pool, const struct pool_disk *disk, struct error *err);
static int mount_device(const struct pool *pool, const struct pool_disk *disk, const char *device,
                        struct error *err);

int pool_disk_find(struct task *task, const char *pool_id, struct pool_disk *disk,
                   struct error *err)
{
    return store_pool_disk_find(task->db, task->mem, pool_id, disk, err);
}

int pool_disk_up(struct task *task, const struct pool *pool, const struct pool_disk *disk,
                 struct error *err)
{
    cleanup_claim struct claim claim = { 0 };

    claim_enter(&claim, pool->id);
    cleanup_fd int parent = fs_make_dir(task->service->state_fd, "pools", TARGET_MODE, err);
    if (parent < 0)
        return -1;
    cleanup_fd int target = fs_make_dir(parent, path_base(pool->path), TARGET_MODE, err);
    if (target < 0)
        return -1;
    if (mount_is_root(target))
        return 0;
    return disk->is_device ? mount_device(pool, disk, disk->path, err)
                           : mount_image(pool, disk, err);
}

int pool_disk_down(const struct pool *pool, struct error *err)
{
    cleanup_claim struct claim claim = { 0 };

    claim_enter(&claim, pool->id);
    for (;;) {
        cleanup_fd int target = sys_openat(AT_FDCWD, pool->path, O_PATH | O_DIRECTORY, 0);
        if (target == -ENOENT)
            return 0;
        bool is_up = target >= 0 && mount_is_root(target);
        sys_close_fd(&target);
        if (!is_up)
            break;
        if (filesystem_unmount(pool->path, err) < 0)
            return -1;
    }
    int rc = sys_unlinkat(AT_FDCWD, pool->path, AT_REMOVEDIR);
    return rc < 0 && rc != -ENOENT ? fail_sys(err, rc, "cannot remove '%s'", pool->path) : 0;
}

const char *pool_disk_look_path(struct task *task, const char *id)
{
    return arena_printf(task->mem, "%s/pools/" LOOK_PREFIX "%s", task->service->state_dir, id);
}

void pool_disk_look_sweep(struct task *task)
{
    cleanup_dir DIR *dir = NULL;

    if (dir_open(task->service->state_fd, "pools", &dir) < 0)
        return;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        const char *id = entry->d_name + strlen(LOOK_PREFIX);
        struct error failure;
        if (strncmp(entry->d_name, LOOK_PREFIX, strlen(LOOK_PREFIX)) != 0)
            continue;
        const struct pool place = { .id = id, .path = pool_disk_look_path(task, id) };
        if (pool_disk_down(&place, &failure) < 0)
            log_warn("mount not removed path=%s error=\"%s\"", place.path, failure.message);
    }
}

int pool_disk_allocate(int fd, int64_t from_bytes, int64_t to_bytes, struct error *err)
{
    int rc = 0;

    for (int64_t at = from_bytes; rc >= 0 && at < to_bytes; at += STEP_BYTES) {
        int64_t size = to_bytes - at < STEP_BYTES ? to_bytes - at : STEP_BYTES;
        rc = sys_fallocate(fd, 0, at, size);
    }
    if (rc == -EOPNOTSUPP)
        rc = sys_ftruncate(fd, to_bytes);
    if (rc >= 0)
        rc = sys_fsync(fd);
    return rc < 0 ? fail_sys(err, rc, "cannot allocate %lld MiB on the host",
                             (long long)((to_bytes - from_bytes) >> 20))
                  : 0;
}

bool pool_disk_is_direct(const struct pool_disk *disk)
{
    struct loop loop = { .fd = -1 };
    struct error ignored; /* then it is not known to be direct */

    if (disk->is_device)
        return true;
    cleanup_fd int fd = sys_openat(AT_FDCWD, disk->path, O_RDONLY, 0);
    bool is_direct = fd >= 0 && loop_find(fd, &loop, &ignored) > 0 && loop.is_direct;
    loop_close(&loop);
    return is_direct;
}

json_t *pool_disk_to_json(const struct pool_disk *disk)
{
    json_t *json = json_object();

    json_set(json, "path", json_text(disk->path));
    json_set(json, "filesystem", json_text(disk->filesystem));
    json_set(json, "is_device", json_boolean(disk->is_device));
    json_set(json, "size_bytes", json_integer(disk->size_bytes));
    json_set(json, "max_bytes", json_integer(disk->max_bytes));
    return json;
}

int pool_disk_from_json(struct task *task, const json_t *json, struct pool_disk *disk,
                        struct error *err)
{
    *disk = (struct pool_disk){ .path = "", .filesystem = "" };
    if (json_get_text(json, "path", task->mem, &disk->path, err) < 0 ||
        json_get_text(json, "filesystem", task->mem, &disk->filesystem, err) < 0 ||
        json_get_bool(json, "is_device", &disk->is_device, err) < 0 ||
        json_get_int(json, "size_bytes", &disk->size_bytes, err) < 0)
        return -1;
    return json_get_int(json, "max_bytes", &disk->max_bytes, err);
}

json_t *pool_to_json(const struct pool *pool)
{
    json_t *json = json_object();

    json_set(json, "id", json_text(pool->id));
    json_set(json, "name", json_text(pool->name));
    json_set(json, "driver", json_text(pool->driver));
    json_set(json, "path", json_text(pool->path));
    json_set(json, "is_default", json_boolean(pool->is_default));
    json_set(json, "created_ms", json_integer(pool->created_ms));
    return json;
}

int pool_from_json(struct task *task, const json_t *json, struct pool *pool, struct error *err)
{
    *pool = (struct pool){ .id = "", .name = "", .driver = "", .path = "" };
    if (json_get_text(json, "id", task->mem, &pool->id, err) < 0 ||
        json_get_text(json, "name", task->mem, &pool->name, err) < 0 ||
        json_get_text(json, "driver", task->mem, &pool->driver, err) < 0 ||
        json_get_text(json, "path", task->mem, &pool->path, err) < 0 ||
        json_get_bool(json, "is_default", &pool->is_default, err) < 0)
        return -1;
    return json_get_int(json, "created_ms", &pool->created_ms, err);
}

static int mount_image(const struct pool *pool, const struct pool_disk *disk, struct error *err)
{
    cleanup_fd int fd = sys_openat(AT_FDCWD, disk->path, O_RDWR, 0);
    struct loop loop;

    if (fd < 0)
        return fail_sys(err, fd, "cannot open image '%s'", disk->path);
    if (loop_open(fd, disk->path, &loop, err) < 0)
        return -1;
    int rc = mount_device(pool, disk, loop.path, err);
    loop_close(&loop); /* without a mount it goes */
    return rc;
}

/*
 * Discards would give back what was allocated, and with it the promise that writes find room.  XFS
 * counts per project, for limits of volumes, only when it is mounted so: where the kernel knows it.
 */
static int mount_device(const struct pool *pool, const struct pool_disk *disk, const char *device,
                        struct error *err)
{
    static const char *const choices[][3] = { { "nodiscard", "pquota", NULL },
                                              { "nodiscard", NULL } };
    bool is_xfs = strcmp(disk->filesystem, "xfs") == 0;
    int rc = -1;

    for (size_t i = is_xfs ? 0 : 1; rc < 0 && i < ARRAY_SIZE(choices); i++) {
        const struct disk_spec spec = {
            .type = disk->filesystem,
            .device = device,
            .options = disk->is_device ? choices[i] + 1 : choices[i],
        };
        rc = disk_mount(&spec, pool->path, err);
        if (rc < 0 && err->code != ERR_INVALID)
            break;
    }
    return rc;
}
