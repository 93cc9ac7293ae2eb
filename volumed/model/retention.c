/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement: each rule looks at the snapshots from the newest to the oldest and adds reasons.
 */
#include "model/retention.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/span.h"

struct court {
    const struct retention_question *question;
    struct retention_verdict *verdicts;
    struct arena *mem;
    size_t *order; /* indexes, newest first */
};

static const char *const period_names[PERIOD_COUNT] = { "hourly", "daily", "weekly", "monthly",
                                                        "yearly" };

static int compare_newest_first(const void *a, const void *b, void *context);
static void keep_for_its_own_sake(struct court *court, size_t index);
static void keep_newest(struct court *court);
static void keep_last(struct court *court);
static void keep_period(struct court *court, enum period period);
static int64_t bucket_of(const struct court *court, enum period period, size_t index);
static void keep_by_age_and_tag(struct court *court, size_t index);
static void judge_safety(struct court *court, size_t index);
static void let_go(struct court *court, size_t index);
static void give_way_for_space(struct court *court);
static bool is_space_short(const struct court *court);
static bool is_untouchable(const struct court *court, size_t index);
static int64_t age_of(const struct court *court, size_t index);
static bool has_tag(const struct retention_item *item, const struct pair *tag);
static void keep(struct court *court, size_t index, const char *reason);
static const char *span_text(struct arena *mem, const char *format, int64_t span_ms);

void retention_judge(const struct retention_question *question, struct arena *mem,
                     struct retention_verdict *verdicts)
{
    struct court court = { .question = question, .verdicts = verdicts, .mem = mem };

    court.order = arena_array(mem, question->count + 1, sizeof(*court.order));
    for (size_t i = 0; i < question->count; i++) {
        court.order[i] = i;
        verdicts[i] = (struct retention_verdict){ 0 };
    }
    qsort_r(court.order, question->count, sizeof(*court.order), compare_newest_first, &court);
    keep_newest(&court);
    for (size_t i = 0; i < question->count; i++)
        keep_for_its_own_sake(&court, i);
    keep_last(&court);
    for (int period = 0; period < PERIOD_COUNT; period++)
        keep_period(&court, (enum period)period);
    for (size_t i = 0; i < question->count; i++) {
        keep_by_age_and_tag(&court, i);
        judge_safety(&court, i);
        let_go(&court, i);
    }
    give_way_for_space(&court);
}

/* Of two of one moment the later in the list counts as newer, so that the order is total. */
static int compare_newest_first(const void *a, const void *b, void *context)
{
    const struct court *court = context;
    const struct retention_item *items = court->question->items;
    size_t left = *(const size_t *)a;
    size_t right = *(const size_t *)b;
    int64_t left_ms = items[left].created_ms;
    int64_t right_ms = items[right].created_ms;

    if (left_ms != right_ms)
        return left_ms < right_ms ? 1 : -1;
    return left < right ? 1 : -1;
}

static void keep_for_its_own_sake(struct court *court, size_t index)
{
    const struct retention_item *item = &court->question->items[index];
    int64_t min_age_ms = court->question->rules->min_age_ms;

    if (item->is_held)
        keep(court, index, "held");
    if (item->is_base)
        keep(court, index, "a base of replication");
    if (item->is_attached)
        keep(court, index, "attached to a container");
    if (age_of(court, index) < 0)
        keep(court, index, "its time is in the future");
    else if (age_of(court, index) < min_age_ms)
        keep(court, index, span_text(court->mem, "younger than %s", min_age_ms));
}

static void keep_newest(struct court *court)
{
    const struct retention_item *items = court->question->items;
    bool has_newest = false;

    for (size_t i = 0; i < court->question->count; i++) {
        size_t index = court->order[i];
        if (items[index].is_safety)
            continue;
        if (items[index].is_whole) {
            keep(court, index, has_newest ? "the newest with a whole fence" : "the newest");
            return;
        }
        if (!has_newest)
            keep(court, index, "the newest");
        has_newest = true;
    }
}

static void keep_last(struct court *court)
{
    int wanted = court->question->rules->last;
    int seen = 0;

    for (size_t i = 0; i < court->question->count && seen < wanted; i++)
        if (!court->question->items[court->order[i]].is_safety)
            keep(court, court->order[i], arena_printf(court->mem, "last %d of %d", ++seen, wanted));
}

/* The newest of each bucket.  What is from the future takes no place in them. */
static void keep_period(struct court *court, enum period period)
{
    int wanted = court->question->rules->periods[period];
    int64_t bucket = INT64_MIN;
    int seen = 0;

    for (size_t i = 0; i < court->question->count && seen < wanted; i++) {
        size_t index = court->order[i];
        if (court->question->items[index].is_safety || age_of(court, index) < 0)
            continue;
        int64_t mine = bucket_of(court, period, index);
        if (mine == bucket)
            continue;
        bucket = mine;
        keep(court, index,
             arena_printf(court->mem, "%s %d of %d", period_names[period], ++seen, wanted));
    }
}

static int64_t bucket_of(const struct court *court, enum period period, size_t index)
{
    int64_t created_s = court->question->items[index].created_ms / 1000;
    struct calendar at = calendar_of(created_s + zone_offset(court->question->zone, created_s));

    switch (period) {
    case PERIOD_HOUR: return at.day * 24 + at.hour;
    case PERIOD_DAY: return at.day;
    case PERIOD_WEEK: return (int64_t)at.iso_year * 100 + at.iso_week;
    case PERIOD_MONTH: return (int64_t)at.year * 12 + at.month;
    case PERIOD_YEAR: return at.year;
    case PERIOD_COUNT: break;
    }
    return 0;
}

static void keep_by_age_and_tag(struct court *court, size_t index)
{
    const struct retention *rules = court->question->rules;
    const struct retention_item *item = &court->question->items[index];
    int64_t age_ms = age_of(court, index);

    if (item->is_safety)
        return;
    if (rules->within_ms > 0 && age_ms >= 0 && age_ms < rules->within_ms)
        keep(court, index, span_text(court->mem, "within %s", rules->within_ms));
    for (size_t i = 0; i < rules->tag_count; i++)
        if (has_tag(item, &rules->tags[i]))
            keep(court, index, arena_printf(court->mem, "tag %s", rules->tags[i].key));
}

static void judge_safety(struct court *court, size_t index)
{
    int64_t safety_ms = court->question->rules->safety_ms;

    if (!court->question->items[index].is_safety)
        return;
    if (safety_ms == 0)
        keep(court, index, "made before a rollback, and no rule is about those");
    else if (age_of(court, index) < safety_ms)
        keep(court, index, span_text(court->mem, "made before a rollback, within %s", safety_ms));
}

static void let_go(struct court *court, size_t index)
{
    struct retention_verdict *verdict = &court->verdicts[index];
    const struct retention *rules = court->question->rules;

    if (verdict->is_kept)
        return;
    verdict->reasons[verdict->reason_count++] =
        court->question->items[index].is_safety
            ? span_text(court->mem, "made before a rollback, older than %s", rules->safety_ms)
            : "no rule keeps it";
}

/* One at a time, the oldest; and none while others go anyway. */
static void give_way_for_space(struct court *court)
{
    if (!is_space_short(court))
        return;
    for (size_t i = 0; i < court->question->count; i++)
        if (!court->verdicts[i].is_kept)
            return;
    for (size_t i = court->question->count; i-- > 0;) {
        size_t index = court->order[i];
        if (is_untouchable(court, index))
            continue;
        court->verdicts[index] = (struct retention_verdict){
            .is_for_space = true,
            .reason_count = 1,
            .reasons = { "the oldest, and the pool is short of space" },
        };
        return;
    }
}

static bool is_space_short(const struct court *court)
{
    const struct retention_space *space = &court->question->space;
    const struct retention *rules = court->question->rules;

    if (space->size_bytes <= 0)
        return false;
    return space->free_bytes < rules->free_bytes ||
           (double)space->free_bytes * 100 <
               (double)space->size_bytes * (double)rules->free_percent;
}

/* What even a full pool does not take. */
static bool is_untouchable(const struct court *court, size_t index)
{
    const struct retention_item *item = &court->question->items[index];
    const struct retention_verdict *verdict = &court->verdicts[index];
    int64_t age_ms = age_of(court, index);
    bool is_newest =
        verdict->reason_count > 0 && strncmp(verdict->reasons[0], "the newest", 10) == 0;

    return item->is_safety || item->is_held || item->is_base || item->is_attached || is_newest ||
           age_ms < 0 || age_ms < court->question->rules->min_age_ms;
}

static int64_t age_of(const struct court *court, size_t index)
{
    return court->question->now_ms - court->question->items[index].created_ms;
}

static bool has_tag(const struct retention_item *item, const struct pair *tag)
{
    const char *value = item->labels != NULL ? pairs_get(item->labels, tag->key) : NULL;

    return value != NULL && (tag->value == NULL || strcmp(value, tag->value) == 0);
}

static void keep(struct court *court, size_t index, const char *reason)
{
    struct retention_verdict *verdict = &court->verdicts[index];

    assert(verdict->reason_count < RETENTION_REASONS_MAX);
    verdict->is_kept = true;
    verdict->reasons[verdict->reason_count++] = reason;
}

static const char *span_text(struct arena *mem, const char *format, int64_t span_ms)
{
    char text[SPAN_TEXT_SIZE];

    span_format(span_ms, text);
    const char *at = strstr(format, "%s");
    return arena_printf(mem, "%.*s%s", (int)(at - format), format, text);
}
