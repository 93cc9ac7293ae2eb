/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watermarks.  The level that a pool was last seen at is kept in its row, so that events tell of
 * changes alone, also across a restart; that is the only thing written, and only when it changes.
 */
#include "core/pool/space.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/service.h"
#include "driver/driver.h"
#include "store/pool_mark.h"

#define WARN_PERCENT   80
#define PURGE_PERCENT  90
#define REFUSE_PERCENT 95
#define CALM_PERCENT   1     /* below a mark by this much before it is left */
#define SETTLE_MS      10000 /* for removed data to become free space */
#define PURGE_MAX      1000  /* things a run gives up; the next run goes on */

enum level {
    LEVEL_CALM,
    LEVEL_WARN,
    LEVEL_PURGE,
    LEVEL_REFUSE
};

struct moving {
    struct pool pool;
    const struct space_marks *marks;
};

static _Atomic bool is_due; /* a mark was moved */

static int set_finish(struct task *task, struct op *op, struct error *err);
static int read_mark(struct task *task, const char *pool_id, struct pool_mark *mark,
                     struct error *err);
static int check_marks(const struct pool_mark *mark, struct error *err);
static int tend_driver(struct task *task, const struct pool *pool, struct error *err);
static int tend_pool(struct task *task, const struct pool *pool, struct error *err);
static int purge(struct task *task, const struct pool *pool, int64_t below_percent,
                 struct error *err);
static int give_one(struct task *task, const struct pool *pool, struct error *err);
static void settle(struct task *task, const struct pool *pool);
static enum level level_of(const struct pool_mark *mark, int64_t percent);
static int tell(struct task *task, const struct pool *pool, const struct pool_mark *mark,
                const struct pool_space *space, struct error *err);
static int tell_purged(struct task *task, const struct pool *pool, int given,
                       const struct pool_space *space, struct error *err);
static int64_t used_percent(const struct pool_space *space);
static const char *size_text(struct task *task, int64_t bytes);

static const struct op_kind set_kind = { .name = "pool.set", .finish = set_finish };

int space_marks_get(struct task *task, const char *pool_id, struct space_marks *marks,
                    struct error *err)
{
    struct pool_mark mark;

    if (read_mark(task, pool_id, &mark, err) < 0)
        return -1;
    *marks = (struct space_marks){ mark.warn_percent, mark.purge_percent, mark.refuse_percent };
    return 0;
}

int space_marks_set(struct task *task, const char *pool_ref, const struct space_marks *marks,
                    struct error *err)
{
    struct moving moving = { .marks = marks };

    if (pool_get(task, pool_ref, &moving.pool, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = &set_kind,
        .subject = arena_printf(task->mem, "pool '%s'", moving.pool.name),
        .data = &moving,
    };
    if (op_run(task, &op, err) < 0)
        return -1;
    is_due = true;
    alarm_ring(&task->service->alarm);
    return 0;
}

static int set_finish(struct task *task, struct op *op, struct error *err)
{
    const struct moving *moving = op->data;
    const struct space_marks *marks = moving->marks;
    struct pool_mark mark;

    if (read_mark(task, moving->pool.id, &mark, err) < 0)
        return -1;
    if (marks->warn_percent >= 0)
        mark.warn_percent = marks->warn_percent;
    if (marks->purge_percent >= 0)
        mark.purge_percent = marks->purge_percent;
    if (marks->refuse_percent >= 0)
        mark.refuse_percent = marks->refuse_percent;
    if (check_marks(&mark, err) < 0 ||
        store_pool_mark_put(task->db, moving->pool.id, &mark, err) < 0)
        return -1;
    return event_emit(task, "pool", "update", moving->pool.name, &(struct pairs){ 0 }, err);
}

int space_check(struct task *task, const char *pool_id, const char *what, struct error *err)
{
    struct pool_space space;
    struct pool_mark mark;
    struct pool pool;

    if (pool_get(task, pool_id, &pool, err) < 0 || pool_space(task, pool_id, &space, err) < 0 ||
        read_mark(task, pool_id, &mark, err) < 0)
        return -1;
    int64_t percent = used_percent(&space);
    if (mark.refuse_percent >= 100 || percent < mark.refuse_percent)
        return 0;
    return fail(err, ERR_NO_SPACE,
                "no %s: pool '%s' is %lld %% full (%s of %s are free) and takes no new snapshots"
                " and clones from %lld %% on; remove what is not needed, or raise its mark by"
                " 'volctl pool set %s refuse=PERCENT'",
                what, pool.name, (long long)percent, size_text(task, space.free_bytes),
                size_text(task, space.size_bytes), (long long)mark.refuse_percent, pool.name);
}

int space_next(struct task *task, int64_t *due_ms, struct error *err)
{
    (void)task;
    (void)err;
    *due_ms = is_due ? 1 : 0;
    return 0;
}

int space_tend(struct task *task, struct error *err)
{
    struct pool *list = NULL;
    int count = pool_list(task, &list, err);

    is_due = false;

    for (int i = 0; i < count; i++) {
        struct error reason; /* one pool must not hide another */
        if (tend_driver(task, &list[i], &reason) < 0)
            log_warn("pool not tended name=%s error=\"%s\"", list[i].name, reason.message);
        if (tend_pool(task, &list[i], &reason) < 0 && reason.code != ERR_CONFLICT)
            log_warn("pool not watched name=%s error=\"%s\"", list[i].name, reason.message);
    }
    return count < 0 ? -1 : 0;
}

static int read_mark(struct task *task, const char *pool_id, struct pool_mark *mark,
                     struct error *err)
{
    *mark = (struct pool_mark){ WARN_PERCENT, PURGE_PERCENT, REFUSE_PERCENT, LEVEL_CALM };
    return store_pool_mark_find(task->db, pool_id, mark, err) < 0 ? -1 : 0;
}

static int check_marks(const struct pool_mark *mark, struct error *err)
{
    if (mark->warn_percent <= mark->purge_percent && mark->purge_percent <= mark->refuse_percent &&
        mark->refuse_percent <= 100)
        return 0;
    return fail(err, ERR_INVALID,
                "the marks must rise, up to 100: warn=%lld purge=%lld refuse=%lld",
                (long long)mark->warn_percent, (long long)mark->purge_percent,
                (long long)mark->refuse_percent);
}

/* A pool that is refused is told of by reconcile. */
static int tend_driver(struct task *task, const struct pool *pool, struct error *err)
{
    const struct driver_pool *open = NULL;

    if (pool_open(task, pool->id, &open, err) < 0)
        return 0;
    return open->driver->tend != NULL ? open->driver->tend(open, err) : 0;
}

static int tend_pool(struct task *task, const struct pool *pool, struct error *err)
{
    struct pool_space space;
    struct pool_mark mark;

    if (read_mark(task, pool->id, &mark, err) < 0 || pool_space(task, pool->id, &space, err) < 0)
        return -1;
    enum level level = level_of(&mark, used_percent(&space));
    if (level >= LEVEL_PURGE) {
        int given = purge(task, pool, mark.purge_percent, err);
        if (given < 0 || pool_space(task, pool->id, &space, err) < 0)
            return -1;
        if (given > 0 && tell_purged(task, pool, given, &space, err) < 0)
            return -1;
        level = level_of(&mark, used_percent(&space));
    }
    if (level == (enum level)mark.level)
        return 0;
    mark.level = level;
    return tell(task, pool, &mark, &space, err);
}

/* Returns how many things were given up. */
static int purge(struct task *task, const struct pool *pool, int64_t below_percent,
                 struct error *err)
{
    struct pool_space space;

    for (int given = 0; given < PURGE_MAX; given++) {
        if (pool_space(task, pool->id, &space, err) < 0)
            return -1;
        int rc = used_percent(&space) < below_percent ? 0 : give_one(task, pool, err);
        if (rc <= 0)
            return rc < 0 ? -1 : given;
        settle(task, pool);
    }
    return PURGE_MAX;
}

static int give_one(struct task *task, const struct pool *pool, struct error *err)
{
    for (size_t i = 0; space_reliefs[i] != NULL; i++) {
        int rc = space_reliefs[i]->give(task, pool, err);
        if (rc < 0)
            return error_prefix(err, "%s", space_reliefs[i]->name);
        if (rc > 0)
            return 1;
    }
    return 0;
}

/* Else everything would be given up before the first of it shows. */
static void settle(struct task *task, const struct pool *pool)
{
    const struct driver_pool *open = NULL;
    struct error ignored; /* space that comes later is seen by the next run */

    if (pool_open(task, pool->id, &open, &ignored) == 0 && open->driver->settle != NULL)
        (void)open->driver->settle(open, clock_mono_ms() + SETTLE_MS, &ignored);
}

/* A level is left a little below its mark, so that a pool on the edge is not told again and again.
 */
static enum level level_of(const struct pool_mark *mark, int64_t percent)
{
    const int64_t marks[] = { mark->warn_percent, mark->purge_percent, mark->refuse_percent };
    int level = LEVEL_CALM;

    for (int i = 0; i < (int)ARRAY_SIZE(marks); i++) {
        bool was_passed = mark->level > i;
        if (marks[i] < 100 && percent >= marks[i] - (was_passed ? CALM_PERCENT : 0))
            level = i + 1;
    }
    return (enum level)level;
}

static int tell(struct task *task, const struct pool *pool, const struct pool_mark *mark,
                const struct pool_space *space, struct error *err)
{
    static const char *const actions[] = {
        [LEVEL_CALM] = "space-calm",
        [LEVEL_WARN] = "space-warn",
        [LEVEL_PURGE] = "space-purge",
        [LEVEL_REFUSE] = "space-refuse",
    };
    struct arena *mem = task->mem;
    cleanup_tx struct tx tx = { 0 };
    long long percent = used_percent(space);
    struct pair items[] = {
        { "used_percent", arena_printf(mem, "%lld", percent) },
        { "free_bytes", arena_printf(mem, "%lld", (long long)space->free_bytes) },
        { "size_bytes", arena_printf(mem, "%lld", (long long)space->size_bytes) },
    };

    if (tx_begin(&tx, task->db, err) < 0 ||
        store_pool_mark_put(task->db, pool->id, mark, err) < 0 ||
        event_emit(task, "pool", actions[mark->level], pool->name,
                   &(struct pairs){ ARRAY_SIZE(items), items }, err) < 0 ||
        tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(task->service->bell);
    if (mark->level > LEVEL_CALM)
        log_warn("pool is filling name=%s used_percent=%lld free_bytes=%lld", pool->name, percent,
                 (long long)space->free_bytes);
    return 0;
}

/* What went has events of its own; this one says why. */
static int tell_purged(struct task *task, const struct pool *pool, int given,
                       const struct pool_space *space, struct error *err)
{
    struct pair items[] = {
        { "things", arena_printf(task->mem, "%d", given) },
        { "used_percent", arena_printf(task->mem, "%lld", (long long)used_percent(space)) },
        { "free_bytes", arena_printf(task->mem, "%lld", (long long)space->free_bytes) },
    };

    log_info("pool purged name=%s things=%d free_bytes=%lld", pool->name, given,
             (long long)space->free_bytes);
    return event_emit(task, "pool", "space-purged", pool->name,
                      &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

/* Of what an unprivileged writer can get, as df tells it. */
static int64_t used_percent(const struct pool_space *space)
{
    int64_t used = space->size_bytes - space->free_bytes;

    return space->size_bytes <= 0 ? 0 : (int64_t)((double)used * 100 / (double)space->size_bytes);
}

static const char *size_text(struct task *task, int64_t bytes)
{
    char text[UNITS_TEXT_SIZE];

    units_format_size(bytes, text);
    return arena_strdup(task->mem, text);
}
