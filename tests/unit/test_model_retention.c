/* SPDX-License-Identifier: Apache-2.0 */
/* Retention: what the rules say, and what holds whatever they say (by random snapshots). */
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "model/retention.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
#define NOW_MS  (INT64_C(1795500000) * 1000)
#define ROUNDS  5000
#define ITEMS   48

struct trial {
    struct arena *mem;
    struct retention rules;
    struct retention_item items[ITEMS];
    struct retention_verdict verdicts[ITEMS];
    struct retention_space space;
    size_t count;
};

static void trial_done(struct trial *trial)
{
    arena_free(trial->mem);
}

#define cleanup_trial CLEANUP(trial_done)

static void set_rules(struct trial *trial, const char *text)
{
    struct error err = { 0 };

    if (trial->mem == NULL)
        trial->mem = arena_new();
    CHECK_OK(retention_parse(text, trial->mem, &trial->rules, &err), &err);
}

static void add(struct trial *trial, int64_t age_ms)
{
    trial->items[trial->count++] =
        (struct retention_item){ .created_ms = NOW_MS - age_ms, .is_whole = true };
}

static void judge(struct trial *trial)
{
    retention_judge(&(struct retention_question){ .rules = &trial->rules,
                                                  .now_ms = NOW_MS,
                                                  .space = trial->space,
                                                  .items = trial->items,
                                                  .count = trial->count },
                    trial->mem, trial->verdicts);
}

static int kept_count(const struct trial *trial)
{
    int kept = 0;

    for (size_t i = 0; i < trial->count; i++)
        kept += trial->verdicts[i].is_kept;
    return kept;
}

static bool has_reason(const struct retention_verdict *verdict, const char *start)
{
    for (size_t i = 0; i < verdict->reason_count; i++)
        if (strncmp(verdict->reasons[i], start, strlen(start)) == 0)
            return true;
    return false;
}

TEST(retention_parse_reads_all_that_can_be_said)
{
    cleanup_trial struct trial t = { 0 };

    set_rules(&t,
              "24h,7d,4w,12m,3y,last=5,within=3d,tag=keep,tag=a=b,min-age=2h,safety=7d,free=10%");
    CHECK_INT(t.rules.periods[PERIOD_HOUR], 24);
    CHECK_INT(t.rules.periods[PERIOD_DAY], 7);
    CHECK_INT(t.rules.periods[PERIOD_WEEK], 4);
    CHECK_INT(t.rules.periods[PERIOD_MONTH], 12);
    CHECK_INT(t.rules.periods[PERIOD_YEAR], 3);
    CHECK_INT(t.rules.last, 5);
    CHECK_INT(t.rules.within_ms, 3 * DAY_MS);
    CHECK_INT((int)t.rules.tag_count, 2);
    CHECK_STR(t.rules.tags[1].value, "b");
    CHECK_INT(t.rules.min_age_ms, 2 * HOUR_MS);
    CHECK_INT(t.rules.safety_ms, 7 * DAY_MS);
    CHECK_INT(t.rules.free_percent, 10);
    set_rules(&t, "last=1,free=20G");
    CHECK_INT(t.rules.free_bytes, INT64_C(20) << 30);
    CHECK_INT(t.rules.min_age_ms, HOUR_MS); /* its own, where space may take snapshots */
    set_rules(&t, "last=1");
    CHECK_INT(t.rules.min_age_ms, 0);
}

TEST(retention_parse_refuses_what_it_does_not_understand_or_what_keeps_nothing)
{
    static const char *const bad[] = {
        "",       "0h",       "24",       "h",        "24x",      "last=",         "last=x",
        "last=0", "within=3", "keep=1",   "24h,",     "free=10%", "24h,free=100%", "24h,free=x",
        "tag=",   "-1h",      "9999999d", "safety=1d"
    };
    cleanup_arena struct arena *mem = arena_new();
    struct retention rules;
    struct error err = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(retention_parse(bad[i], mem, &rules, &err) < 0 && err.code == ERR_INVALID,
                      "'%s' was taken", bad[i]);
}

TEST(retention_keeps_the_newest_of_each_hour_and_day)
{
    cleanup_trial struct trial t = { 0 };

    set_rules(&t, "3h,2d");
    for (int i = 0; i < 48; i++) /* each half hour of a day */
        add(&t, i * HOUR_MS / 2 + 60000);
    judge(&t);
    CHECK(has_reason(&t.verdicts[0], "hourly 1 of 3"));
    CHECK(has_reason(&t.verdicts[0], "daily 1 of 2"));
    CHECK(has_reason(&t.verdicts[0], "the newest"));
    CHECK(!t.verdicts[47].is_kept);
    CHECK(has_reason(&t.verdicts[47], "no rule keeps it"));
    CHECK_INT(kept_count(&t), 4); /* three hours, and the last of yesterday */
}

TEST(retention_keeps_what_is_held_tagged_based_on_or_young)
{
    cleanup_trial struct trial t = { 0 };
    const struct pairs labels = { 1, (struct pair[]){ { "release", "1.0" } } };

    set_rules(&t, "last=1,tag=release,min-age=2h");
    add(&t, 10 * DAY_MS);
    t.items[0].is_held = true;
    add(&t, 9 * DAY_MS);
    t.items[1].is_base = true;
    add(&t, 8 * DAY_MS);
    t.items[2].labels = &labels;
    add(&t, 7 * DAY_MS);
    add(&t, HOUR_MS);
    add(&t, HOUR_MS / 2);
    judge(&t);
    CHECK(has_reason(&t.verdicts[0], "held"));
    CHECK(has_reason(&t.verdicts[1], "a base of replication"));
    CHECK(has_reason(&t.verdicts[2], "tag release"));
    CHECK(!t.verdicts[3].is_kept);
    CHECK(has_reason(&t.verdicts[4], "younger than 2h"));
    CHECK(has_reason(&t.verdicts[5], "last 1 of 1"));
}

TEST(retention_never_lets_the_last_whole_one_go)
{
    cleanup_trial struct trial t = { 0 };

    set_rules(&t, "last=1");
    add(&t, 3 * DAY_MS);
    add(&t, 2 * DAY_MS);
    t.items[1].is_whole = false;
    add(&t, DAY_MS);
    t.items[2].is_whole = false;
    judge(&t);
    CHECK(has_reason(&t.verdicts[0], "the newest with a whole fence"));
    CHECK(!t.verdicts[1].is_kept);
    CHECK(t.verdicts[2].is_kept);
}

TEST(retention_has_a_rule_of_its_own_for_those_made_before_rollbacks)
{
    cleanup_trial struct trial t = { 0 };

    set_rules(&t, "last=9");
    add(&t, 10 * DAY_MS);
    t.items[0].is_safety = true;
    judge(&t);
    CHECK(t.verdicts[0].is_kept);
    set_rules(&t, "last=9,safety=7d");
    judge(&t);
    CHECK(!t.verdicts[0].is_kept);
    CHECK(has_reason(&t.verdicts[0], "made before a rollback, older than 1w"));
}

TEST(retention_gives_way_to_a_lack_of_space_one_by_one_from_the_oldest)
{
    cleanup_trial struct trial t = { 0 };

    set_rules(&t, "last=9,free=10%,min-age=1h");
    t.space = (struct retention_space){ .size_bytes = 1000, .free_bytes = 99 };
    add(&t, 4 * DAY_MS);
    t.items[0].is_held = true;
    add(&t, 3 * DAY_MS);
    add(&t, 2 * DAY_MS);
    add(&t, HOUR_MS / 2);
    judge(&t);
    CHECK_INT(kept_count(&t), 3);
    CHECK(!t.verdicts[1].is_kept && t.verdicts[1].is_for_space);
    t.space.free_bytes = 100;
    judge(&t);
    CHECK_INT(kept_count(&t), 4);
}

TEST(retention_takes_a_wrong_clock_for_what_it_is)
{
    cleanup_trial struct trial t = { 0 };

    set_rules(&t, "1h");
    add(&t, -100 * DAY_MS);
    add(&t, -50 * DAY_MS);
    add(&t, HOUR_MS);
    add(&t, 30 * HOUR_MS);
    judge(&t);
    CHECK(has_reason(&t.verdicts[1], "its time is in the future"));
    CHECK(has_reason(&t.verdicts[2], "hourly 1 of 1")); /* no place was taken from it */
    CHECK(!t.verdicts[3].is_kept);
}

/* --- whatever the rules and the snapshots --- */
static const char *random_rules(struct arena *mem)
{
    static const char *const parts[] = { "24h",       "7d",    "4w",        "2m",
                                         "1y",        "2h",    "within=2d", "min-age=1h",
                                         "safety=3d", "tag=t", "free=20%" };
    const char *text = arena_printf(mem, "last=%ld", random() % 4 + 1);

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (random() % 3 == 0)
            text = arena_printf(mem, "%s,%s", text, parts[i]);
    return text;
}

static void fill(struct trial *trial)
{
    static struct pair tag = { "t", "" };
    static const struct pairs labels = { 1, &tag };
    int64_t span_ms = (random() % 2 == 0 ? 3 : 500) * DAY_MS;

    trial->count = (size_t)(random() % (ITEMS + 1));
    trial->space = (struct retention_space){ 100, random() % 100 };
    for (size_t i = 0; i < trial->count; i++)
        trial->items[i] = (struct retention_item){
            .created_ms = NOW_MS - random() % span_ms + (random() % 40 == 0 ? 2 * span_ms : 0),
            .is_safety = random() % 8 == 0,
            .is_whole = random() % 4 != 0,
            .is_held = random() % 10 == 0,
            .is_base = random() % 20 == 0,
            .labels = random() % 6 == 0 ? &labels : NULL,
        };
}

static void check_never(const struct trial *trial)
{
    int64_t newest_ms = INT64_MIN;
    int64_t newest_whole_ms = INT64_MIN;

    for (size_t i = 0; i < trial->count; i++) {
        const struct retention_item *item = &trial->items[i];
        if (!item->is_safety && item->created_ms > newest_ms)
            newest_ms = item->created_ms;
        if (!item->is_safety && item->is_whole && item->created_ms > newest_whole_ms)
            newest_whole_ms = item->created_ms;
    }
    for (size_t i = 0; i < trial->count; i++) {
        const struct retention_item *item = &trial->items[i];
        CHECK(trial->verdicts[i].reason_count > 0);
        if (trial->verdicts[i].is_kept)
            continue;
        CHECK(!item->is_held && !item->is_base);
        CHECK(item->created_ms <= NOW_MS - trial->rules.min_age_ms);
        if (!item->is_safety)
            CHECK(item->created_ms != newest_ms && item->created_ms != newest_whole_ms);
        else
            CHECK(trial->rules.safety_ms > 0);
    }
}

static void check_counts(const struct trial *trial)
{
    static const char *const names[] = { "hourly ", "daily ", "weekly ", "monthly ", "yearly " };
    int ordinary = 0;

    for (size_t i = 0; i < trial->count; i++)
        ordinary += !trial->items[i].is_safety;
    for (int period = 0; period < PERIOD_COUNT; period++) {
        int seen = 0;
        for (size_t i = 0; i < trial->count; i++)
            seen += has_reason(&trial->verdicts[i], names[period]);
        CHECK(seen <= trial->rules.periods[period]);
    }
    int last = 0;
    for (size_t i = 0; i < trial->count; i++)
        last += has_reason(&trial->verdicts[i], "last ");
    int expected = ordinary < trial->rules.last ? ordinary : trial->rules.last;
    CHECK(last == expected || (last == expected - 1 && trial->space.free_bytes < 20));
}

/* The oldest goes for space, and only where nothing else goes. */
static void check_space(const struct trial *trial)
{
    int for_space = 0;
    int gone = 0;

    for (size_t i = 0; i < trial->count; i++) {
        for_space += trial->verdicts[i].is_for_space;
        gone += !trial->verdicts[i].is_kept;
    }
    CHECK(for_space <= 1);
    CHECK(for_space == 0 || gone == 1);
    CHECK(for_space == 0 || trial->rules.free_percent > 0);
}

/* What stays now would stay if one asked again. */
static __attribute__((noinline)) void check_settled(const struct trial *trial)
{
    struct trial again = *trial;
    again.count = 0;
    again.space = (struct retention_space){ 0 };
    for (size_t i = 0; i < trial->count; i++)
        if (trial->verdicts[i].is_kept)
            again.items[again.count++] = trial->items[i];
    judge(&again);
    CHECK_INT(kept_count(&again), (int)again.count);
}

/* One rule more never lets more go. */
static __attribute__((noinline)) void check_monotone(const struct trial *trial, const char *rules)
{
    struct trial more = *trial;
    bool was_kept[ITEMS] = { false };

    more.space = (struct retention_space){ 0 };
    judge(&more);
    for (size_t i = 0; i < trial->count; i++)
        was_kept[i] = more.verdicts[i].is_kept;
    set_rules(&more, arena_printf(more.mem, "%s,within=9d,30d", rules));
    judge(&more);
    for (size_t i = 0; i < trial->count; i++)
        CHECK(!was_kept[i] || more.verdicts[i].is_kept || strstr(rules, "within") != NULL);
}

/* The order of the list is no matter. */
static __attribute__((noinline)) void check_order(const struct trial *trial)
{
    struct trial turned = *trial;

    for (size_t i = 0; i < trial->count; i++)
        turned.items[i] = trial->items[trial->count - 1 - i];
    judge(&turned);
    for (size_t i = 0; i < trial->count; i++) {
        size_t twins = 0;
        for (size_t k = 0; k < trial->count; k++)
            twins += trial->items[k].created_ms == trial->items[i].created_ms;
        if (twins == 1)
            CHECK_INT(turned.verdicts[trial->count - 1 - i].is_kept, trial->verdicts[i].is_kept);
    }
}

TEST(retention_keeps_its_promises_for_any_rules_and_snapshots)
{
    srandom(20261124);
    for (int round = 0; round < ROUNDS; round++) {
        cleanup_trial struct trial t = { .mem = arena_new() };
        const char *rules = random_rules(t.mem);
        set_rules(&t, rules);
        fill(&t);
        judge(&t);
        check_never(&t);
        check_counts(&t);
        check_space(&t);
        check_settled(&t);
        check_monotone(&t, rules);
        check_order(&t);
    }
}
