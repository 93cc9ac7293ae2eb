/* SPDX-License-Identifier: Apache-2.0 */
/* From options to what drivers understand, and the numbers of projects. */
#include "core/volume/volume_limit.h"

#include <fcntl.h>
#include <string.h>

#include "base/sys.h"
#include "base/units.h"
#include "core/operation/claim.h"
#include "store/project.h"

#define SIZE_MIN      ((int64_t)64 << 10) /* an empty tree takes some, too */
#define PROJECT_FIRST 0x40000000          /* numbers below are the administrator's */
#define PROJECT_LAST  0x7fffffff
#define TRIES_MAX     1000

static int read_size(const char *text, int64_t *size_bytes, struct error *err);
static int read_inodes(const char *text, int64_t *inodes, struct error *err);
static int take_project(struct task *task, const struct driver_pool *pool, const char *data_id,
                        uint32_t *project, struct error *err);
static int new_project(struct task *task, const struct driver_pool *pool, const char *data_id,
                       int64_t *id, struct error *err);

int volume_limit_read(const struct pairs *options, struct volume_limit *limit, struct error *err)
{
    const char *size = pairs_get(options, "size");
    const char *inodes = pairs_get(options, "inodes");
    struct volume_limit read = { 0 };

    if (read_size(size, &read.size_bytes, err) < 0 || read_inodes(inodes, &read.inodes, err) < 0)
        return -1;
    *limit = read;
    return 0;
}

bool volume_limit_is_given(const struct volume_limit *limit)
{
    return limit->size_bytes > 0 || limit->inodes > 0;
}

int volume_limit_plan(struct task *task, const struct driver_pool *pool,
                      const struct volume *volume, struct driver_limit *limit, struct error *err)
{
    const struct driver *driver = pool->driver;
    struct volume_limit wanted;

    if (volume_limit_read(&volume->options, &wanted, err) < 0)
        return -1;
    *limit = (struct driver_limit){ .size_bytes = wanted.size_bytes, .inodes = wanted.inodes };
    if (driver->image != NULL && wanted.size_bytes == 0)
        return fail(err, ERR_INVALID,
                    "a volume in pool '%s' is a file of its size, and needs one (option 'size')",
                    pool->name);
    if (!volume_limit_is_given(&wanted))
        return 0;
    if (driver->check_limit == NULL)
        return fail(err, ERR_UNSUPPORTED, "driver '%s' of pool '%s' cannot limit volumes",
                    driver->name, pool->name);
    if (driver->check_limit(pool, limit, err) < 0)
        /* The first words are those of Docker's local driver. */
        return err->code == ERR_UNSUPPORTED
                   ? error_prefix(err, "quota size requested but no quota support")
                   : -1;
    return driver->is_project_free == NULL
               ? 0
               : take_project(task, pool, volume->data_id, &limit->project, err);
}

int volume_limit_apply(struct task *task, const struct driver_pool *pool,
                       const struct volume *volume, int dirfd, struct error *err)
{
    struct driver_limit limit;

    if (volume_limit_plan(task, pool, volume, &limit, err) < 0)
        return -1;
    if (limit.size_bytes == 0 && limit.inodes == 0)
        return 0;
    cleanup_fd int fd = sys_openat(dirfd, volume->data_id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s' in pool '%s'", volume->data_id, pool->name);
    return pool->driver->set_limit(pool, fd, &limit, err);
}

static int read_size(const char *text, int64_t *size_bytes, struct error *err)
{
    if (text == NULL || strcmp(text, "none") == 0)
        return 0;
    if (units_parse_size(text, size_bytes) < 0)
        return fail(err, ERR_INVALID, "invalid size: '%s'", text);
    if (*size_bytes < SIZE_MIN)
        return fail(err, ERR_INVALID, "size '%s' is too small: at least 64k, or 'none'", text);
    return 0;
}

static int read_inodes(const char *text, int64_t *inodes, struct error *err)
{
    if (text == NULL || strcmp(text, "none") == 0)
        return 0;
    if (units_parse_int(text, inodes) < 0 || *inodes < 1)
        return fail(err, ERR_INVALID, "invalid number of inodes: '%s'", text);
    return 0;
}

static int take_project(struct task *task, const struct driver_pool *pool, const char *data_id,
                        uint32_t *project, struct error *err)
{
    cleanup_claim struct claim turn = { 0 };
    int64_t id = 0;

    claim_enter(&turn, "project numbers");
    if (store_project_find(task->db, data_id, &id, err) < 0 ||
        (id == 0 && new_project(task, pool, data_id, &id, err) < 0))
        return -1;
    *project = (uint32_t)id;
    return 0;
}

/* A number may be on disk without a row: an administrator's, or from before the database was lost.
 */
static int new_project(struct task *task, const struct driver_pool *pool, const char *data_id,
                       int64_t *id, struct error *err)
{
    int64_t last = 0;

    if (store_project_last(task->db, &last, err) < 0)
        return -1;
    for (int64_t i = last < PROJECT_FIRST ? PROJECT_FIRST : last + 1, tries = 0;
         i <= PROJECT_LAST && tries < TRIES_MAX; i++, tries++) {
        if (!pool->driver->is_project_free(pool, (uint32_t)i, false))
            continue;
        *id = i;
        return store_project_insert(task->db, &(struct project){ i, pool->id, data_id }, err);
    }
    return fail(err, ERR_CONFLICT, "no project number is free in pool '%s'", pool->name);
}
