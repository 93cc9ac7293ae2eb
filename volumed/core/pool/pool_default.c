/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool that is there from the first start on.  A state directory that has one and a database
 * that does not know it are what is left when a database was lost: then it is adopted, never laid
 * over.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/pool/pool.h"
#include "core/pool/pool_adopt.h"
#include "core/pool/pool_disk.h"
#include "core/service.h"
#include "store/pool.h"

#define NAME "default"

static int adopt_image(struct task *task, struct error *err);
static int adopt_if_default(struct task *task, const char *image, struct error *err);
static int make_disk(struct task *task, struct error *err);
static int make_directory(struct task *task, struct error *err);
static void tell_adopted(const struct found *found);

int pool_make_default(struct task *task, struct error *err)
{
    struct pool pool;
    int found = store_pool_find_default(task->db, task->mem, &pool, err);

    if (found != 0)
        return found < 0 ? -1 : 0;
    cleanup_fd int parent = fs_make_dir(task->service->state_fd, "pools", 0711, err);
    int adopted = parent < 0 ? -1 : adopt_image(task, err);
    if (adopted != 0)
        return adopted < 0 ? -1 : 0;
    const char *kind = task->service->default_pool;
    if (strcmp(kind, "xfs") == 0 || strcmp(kind, "btrfs") == 0) {
        int made = make_disk(task, err);
        if (made != 0)
            return made < 0 ? -1 : 0;
    }
    return make_directory(task, err);
}

/* 1: one of the images in STATE/disks was the default pool, and is it again. */
static int adopt_image(struct task *task, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(task->service->state_fd, "disks", &dir);

    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot look for images");
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        if (!uuid_is_valid(entry->d_name))
            continue;
        const char *image =
            arena_printf(task->mem, "%s/disks/%s", task->service->state_dir, entry->d_name);
        int adopted = adopt_if_default(task, image, err);
        if (adopted != 0)
            return adopted;
    }
    return 0;
}

/* An image that cannot be read now, or is another pool's, is left for 'pool adopt'. */
static int adopt_if_default(struct task *task, const char *image, struct error *err)
{
    struct pool_adopt_spec spec = { .image = image, .name = NAME, .is_dry_run = true };
    cleanup_found struct found seen = { 0 };
    cleanup_found struct found found = { 0 };
    struct error unfit;

    if (pool_adopt(task, &spec, &seen, &unfit) < 0 || !seen.was_default)
        return 0;
    spec.is_dry_run = false;
    spec.is_default = true;
    if (pool_adopt(task, &spec, &found, err) < 0)
        return -1;
    tell_adopted(&found);
    return 1;
}

/* 0: not here, and the log says why. */
static int make_disk(struct task *task, struct error *err)
{
    const struct pool_disk_spec spec = {
        .name = NAME,
        .filesystem = task->service->default_pool,
        .max_bytes = -1,
        .is_default = true,
    };
    struct pool pool;

    if (pool_disk_create(task, &spec, &pool, err) == 0)
        return 1;
    if (err->code != ERR_NO_SPACE && err->code != ERR_UNSUPPORTED && err->code != ERR_NOT_FOUND)
        return -1;
    log_warn("default pool is a directory instead of an image reason=\"%s\"", err->message);
    return 0;
}

static int make_directory(struct task *task, struct error *err)
{
    const char *kind = task->service->default_pool;
    struct pool pool = {
        .name = NAME,
        .driver =
            strcmp(kind, "auto") == 0 || strcmp(kind, "xfs") == 0 || strcmp(kind, "btrfs") == 0
                ? NULL
                : kind,
        .is_default = true,
        .path = arena_printf(task->mem, "%s/pools/" NAME, task->service->state_dir),
    };
    const struct pool_adopt_spec spec = { .path = pool.path, .name = NAME, .is_default = true };
    cleanup_found struct found found = { 0 };

    if (pool_make(task, &pool, err) == 0)
        return 0;
    if (err->code != ERR_CONFLICT) /* else something is in it */
        return -1;
    if (pool_adopt(task, &spec, &found, err) < 0)
        return -1;
    tell_adopted(&found);
    return 0;
}

static void tell_adopted(const struct found *found)
{
    log_warn("database knew no default pool, adopted what was there volumes=%lld snapshots=%lld",
             (long long)found->volume_count, (long long)found->snapshot_count);
}
