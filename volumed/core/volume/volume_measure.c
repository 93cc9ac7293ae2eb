/* SPDX-License-Identifier: Apache-2.0 */
/* Counts, walks and their ages. */
#include "core/volume/volume_measure.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/pool/pool.h"
#include "core/service.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_limit.h"
#include "driver/driver.h"
#include "store/volume.h"
#include "store/volume_usage.h"

#define SMALL_FILES 10000                            /* walked in a few hundredths of a second */
#define STALE_MS    ((int64_t)3600 * 1000)           /* a walk is done again after this */
#define FORGET_MS   ((int64_t)30 * 24 * 3600 * 1000) /* growth of what is gone */

struct sample {
    const char *object;
    int64_t used_bytes;
};

struct samples {
    struct sample *items;
    size_t count;
    size_t capacity;
};

static int count(struct task *task, const struct volume *volume, bool is_fresh,
                 struct measure *measure, struct error *err);
static int add_walk(struct task *task, const struct volume *volume, enum measure_effort effort,
                    struct measure *measure, struct error *err);
static bool is_good(struct task *task, const struct volume *volume, const struct walk_row *row,
                    enum measure_effort effort);
static int read_version(struct task *task, const struct volume *volume, bool is_fresh,
                        int64_t *version);
static int walk(struct task *task, const struct volume *volume, struct walk_row *row,
                struct error *err);
static void take_walk(struct measure *measure, const struct walk_row *row);
static int add_growth(struct task *task, const struct volume *volume, struct measure *measure,
                      struct error *err);
static int look_at_volumes(struct task *task, struct samples *samples, struct error *err);
static int look_at_volume(struct task *task, const struct volume *volume, struct samples *samples,
                          struct error *err);
static int look_at_pools(struct task *task, struct samples *samples, struct error *err);
static void add_sample(struct task *task, struct samples *samples, const char *object,
                       int64_t used_bytes);
static int store_samples(struct task *task, const struct samples *samples, struct error *err);
static const char *object_of(struct task *task, const char *noun, const char *id);

int volume_measure(struct task *task, const struct volume *volume, enum measure_effort effort,
                   struct measure *measure, struct error *err)
{
    *measure = (struct measure){ -1, -1, -1, -1, 0, 0, false, { 0, GROWTH_DAYS_UNKNOWN } };
    if ((effort != MEASURE_WALK &&
         count(task, volume, effort == MEASURE_FRESH, measure, err) < 0) ||
        add_walk(task, volume, effort, measure, err) < 0)
        return -1;
    return add_growth(task, volume, measure, err);
}

int volume_measure_all(struct task *task, struct error *err)
{
    struct samples samples = { 0 };

    if (look_at_volumes(task, &samples, err) < 0 || look_at_pools(task, &samples, err) < 0)
        return -1;
    return task->service->is_stopping ? 0 : store_samples(task, &samples, err);
}

/* By the filesystem, where it counts. */
static int count(struct task *task, const struct volume *volume, bool is_fresh,
                 struct measure *measure, struct error *err)
{
    const struct driver_pool *pool = NULL;
    struct driver_usage usage = { 0 };

    if (volume_is_foreign(volume))
        return 0;
    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    if (pool->driver->usage == NULL)
        return 0;
    cleanup_fd int fd = volume_data_open(pool, volume, err);
    if (fd < 0)
        return -1;
    if (pool->driver->usage(pool, fd, is_fresh, &usage, err) < 0)
        return err->code == ERR_UNSUPPORTED ? 0 : -1;
    measure->is_counted = true;
    measure->used_bytes = usage.referenced_bytes;
    measure->exclusive_bytes = usage.exclusive_bytes;
    measure->files = usage.inodes;
    measure->measured_ms = clock_now_ms();
    return 0;
}

static int add_walk(struct task *task, const struct volume *volume, enum measure_effort effort,
                    struct measure *measure, struct error *err)
{
    struct walk_row row = { 0 };
    int found = store_walk_find(task->db, task->mem, volume->id, &row, err);
    bool is_known = found > 0 && strcmp(row.data_id, volume->data_id) == 0;

    if (found < 0)
        return -1;
    bool is_enough = effort == MEASURE_KNOWN || (effort == MEASURE_SOON && measure->is_counted) ||
                     (is_known && is_good(task, volume, &row, effort));
    if (!is_enough) {
        if (walk(task, volume, &row, err) < 0)
            return -1;
        is_known = true;
    }
    if (is_known)
        take_walk(measure, &row);
    return 0;
}

/* Small volumes are quicker walked than explained: of them there is no row. */
static bool is_good(struct task *task, const struct volume *volume, const struct walk_row *row,
                    enum measure_effort effort)
{
    int64_t version = 0;

    if (effort == MEASURE_SOON)
        return true;
    return row->version != 0 && read_version(task, volume, true, &version) == 0 &&
           version == row->version;
}

/* Large ones are remembered.  The version is asked for before: a change meanwhile shows in the
 * next.
 */
static int walk(struct task *task, const struct volume *volume, struct walk_row *row,
                struct error *err)
{
    struct usage usage;
    int64_t version = 0;

    (void)read_version(task, volume, false, &version); /* 0: it is walked again each time */
    if (volume_usage(task, volume, &usage, err) < 0)
        return -1;
    *row = (struct walk_row){
        .data_id = volume->data_id,
        .version = version,
        .apparent_bytes = usage.apparent_bytes,
        .used_bytes = usage.used_bytes,
        .files = usage.files,
        .walked_ms = clock_now_ms(),
    };
    return usage.files > SMALL_FILES ? store_walk_put(task->db, volume->id, row, err) : 0;
}

static int read_version(struct task *task, const struct volume *volume, bool is_fresh,
                        int64_t *version)
{
    const struct driver_pool *pool = NULL;
    struct error ignored; /* a tree without a version is walked */

    if (volume_is_foreign(volume) || pool_open(task, volume->pool_id, &pool, &ignored) < 0 ||
        pool->driver->version == NULL)
        return -1;
    cleanup_fd int fd = volume_data_open(pool, volume, &ignored);
    return fd < 0 ? -1 : pool->driver->version(fd, is_fresh, version, &ignored);
}

static void take_walk(struct measure *measure, const struct walk_row *row)
{
    measure->apparent_bytes = row->apparent_bytes;
    measure->walked_ms = row->walked_ms;
    if (measure->files < 0)
        measure->files = row->files;
    if (measure->is_counted)
        return;
    measure->used_bytes = row->used_bytes;
    measure->measured_ms = row->walked_ms;
}

static int add_growth(struct task *task, const struct volume *volume, struct measure *measure,
                      struct error *err)
{
    struct volume_limit limit = { 0 };
    int64_t room_bytes = -1;
    struct pool_space space;
    struct error ignored; /* a pool that cannot be measured has no end that we know */

    if (volume_limit_read(&volume->options, &limit, err) < 0)
        return -1;
    if (limit.size_bytes > 0 && measure->used_bytes >= 0)
        room_bytes = limit.size_bytes - measure->used_bytes;
    else if (pool_space(task, volume->pool_id, &space, &ignored) == 0)
        room_bytes = space.free_bytes;
    return growth_get(task, object_of(task, "volume", volume->id), room_bytes, &measure->growth,
                      err);
}

static int look_at_volumes(struct task *task, struct samples *samples, struct error *err)
{
    struct volume *list = NULL;
    int count = store_volume_list(task->db, task->mem, &list, err);

    for (int i = 0; i < count && !task->service->is_stopping; i++) {
        struct error reason; /* one volume must not hide another */
        if (look_at_volume(task, &list[i], samples, &reason) < 0 && reason.code != ERR_CONFLICT)
            log_warn("volume not measured name=%s error=\"%s\"", list[i].name, reason.message);
    }
    return count < 0 ? -1 : 0;
}

/* A foreign one is not mounted for this. */
static int look_at_volume(struct task *task, const struct volume *volume, struct samples *samples,
                          struct error *err)
{
    struct measure measure = { 0 };
    struct walk_row row = { 0 };

    if (volume_is_foreign(volume))
        return 0;
    if (volume_measure(task, volume, MEASURE_KNOWN, &measure, err) < 0)
        return -1;
    if (!measure.is_counted && clock_now_ms() - measure.walked_ms >= STALE_MS) {
        if (walk(task, volume, &row, err) < 0)
            return -1;
        take_walk(&measure, &row);
    }
    add_sample(task, samples, object_of(task, "volume", volume->id), measure.used_bytes);
    return 0;
}

static int look_at_pools(struct task *task, struct samples *samples, struct error *err)
{
    struct pool *list = NULL;
    int count = pool_list(task, &list, err);

    for (int i = 0; i < count; i++) {
        struct pool_space space;
        struct error refused; /* told by reconcile */
        if (pool_space(task, list[i].id, &space, &refused) == 0)
            add_sample(task, samples, object_of(task, "pool", list[i].id),
                       space.size_bytes - space.free_bytes);
    }
    return count < 0 ? -1 : 0;
}

static void add_sample(struct task *task, struct samples *samples, const char *object,
                       int64_t used_bytes)
{
    if (samples->count == samples->capacity)
        samples->items =
            arena_grow(task->mem, samples->items, &samples->capacity, sizeof(*samples->items));
    samples->items[samples->count++] = (struct sample){ object, used_bytes };
}

/* One commit for all. */
static int store_samples(struct task *task, const struct samples *samples, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };
    int64_t now_ms = clock_now_ms();

    if (tx_begin(&tx, task->db, err) < 0)
        return -1;
    for (size_t i = 0; i < samples->count; i++)
        if (growth_sample(task, samples->items[i].object, samples->items[i].used_bytes, now_ms,
                          err) < 0)
            return -1;
    if (store_growth_forget(task->db, now_ms - FORGET_MS, err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

static const char *object_of(struct task *task, const char *noun, const char *id)
{
    return arena_printf(task->mem, "%s:%s", noun, id);
}
