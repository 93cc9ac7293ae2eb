/* SPDX-License-Identifier: Apache-2.0 */
/* Calendars and schedules: against the C library's clock, and around changes of the clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/test.h"
#include "model/calendar.h"
#include "model/schedule.h"
#include "model/span.h"

#define MINUTE INT64_C(60)
#define HOUR   INT64_C(3600)
#define DAY    INT64_C(86400)

/* Seconds since 1970 of a moment in UTC. */
static int64_t utc(const char *text)
{
    struct tm tm = { 0 };

    CHECK(strptime(text, "%Y-%m-%d %H:%M", &tm) != NULL);
    return timegm(&tm);
}

/* Central European time in 2026: forward on 29 March, back on 25 October, both at 01:00 UTC. */
static int32_t berlin(void *context, int64_t utc_s)
{
    (void)context;
    bool is_summer = utc_s >= utc("2026-03-29 01:00") && utc_s < utc("2026-10-25 01:00");
    return is_summer ? 7200 : 3600;
}

static const struct zone berlin_zone = { berlin, NULL };

static struct schedule parse(const char *text)
{
    struct schedule schedule;
    struct error err = { 0 };

    CHECK_OK(schedule_parse(text, &schedule, &err), &err);
    return schedule;
}

/* Where there is no zone, UTC is meant. */
static void check_next(const char *text, const struct zone *zone, const char *after,
                       const char *expected)
{
    const struct schedule schedule = parse(text);
    int64_t next_ms = schedule_next(&schedule, zone, utc(after) * 1000);
    char got[32];
    time_t next_s = next_ms / 1000;
    struct tm tm;

    (void)gmtime_r(&next_s, &tm);
    (void)strftime(got, sizeof(got), "%Y-%m-%d %H:%M", &tm);
    ck_assert_msg(strcmp(got, expected) == 0, "'%s' after %s: %s, not %s", text, after, got,
                  expected);
}

TEST(calendar_agrees_with_the_c_library)
{
    for (int64_t at = -100 * 366 * DAY; at < 300 * 366 * DAY; at += 7 * DAY + 12345) {
        const struct calendar calendar = calendar_of(at);
        time_t seconds = at;
        char week[16];
        char expected[16];
        struct tm tm;
        (void)gmtime_r(&seconds, &tm);
        CHECK_INT(calendar.year, tm.tm_year + 1900);
        CHECK_INT(calendar.month, tm.tm_mon + 1);
        CHECK_INT(calendar.monthday, tm.tm_mday);
        CHECK_INT(calendar.weekday, tm.tm_wday);
        CHECK_INT(calendar.hour, tm.tm_hour);
        CHECK_INT(calendar.minute, tm.tm_min);
        (void)strftime(expected, sizeof(expected), "%G %V", &tm);
        (void)snprintf(week, sizeof(week), "%04d %02d", calendar.iso_year, calendar.iso_week);
        CHECK_STR(week, expected);
    }
}

TEST(span_reads_what_it_writes)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = { { "90s", 90000 },    { "15m", 900000 },    { "24h", 86400000 },
                 { "7d", 604800000 }, { "2w", 1209600000 }, { "1d12h", 129600000 } };

    static const char *const bad[] = {
        "", "5", "h", "0s", "-1h", "1h ", "1x", "1.5h", "99999999999999999999h", "h1"
    };
    char text[SPAN_TEXT_SIZE];
    int64_t ms = 0;

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        CHECK_INT(span_parse(good[i].text, strlen(good[i].text), &ms), 0);
        CHECK_INT(ms, good[i].ms);
        span_format(ms, text);
        CHECK_INT(span_parse(text, strlen(text), &ms), 0);
        CHECK_INT(ms, good[i].ms);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK(span_parse(bad[i], strlen(bad[i]), &ms) < 0);
}

TEST(schedule_words_and_fields_say_when)
{
    check_next("hourly", NULL, "2026-11-24 08:00", "2026-11-24 09:00");
    check_next("@daily", NULL, "2026-11-24 08:00", "2026-11-25 00:00");
    check_next("weekly", NULL, "2026-11-24 08:00", "2026-11-30 00:00");
    check_next("monthly", NULL, "2026-11-24 08:00", "2026-12-01 00:00");
    check_next("yearly", NULL, "2026-11-24 08:00", "2027-01-01 00:00");
    check_next("*/20 * * * *", NULL, "2026-11-24 08:20", "2026-11-24 08:40");
    check_next("30 2 * * *", NULL, "2026-11-24 02:30", "2026-11-25 02:30");
    check_next("0 22-23,4 * * mon-fri", NULL, "2026-11-27 23:00", "2026-11-30 04:00");
    check_next("0 0 29 feb *", NULL, "2026-11-24 08:00", "2028-02-29 00:00");
    check_next("0 0 29 2 *", NULL, "2096-02-29 00:00", "2104-02-29 00:00");
    check_next("0 12 * * 7", NULL, "2026-11-24 08:00", "2026-11-29 12:00");
    check_next("0 12 13 * fri", NULL, "2026-11-24 08:00", "2026-11-27 12:00"); /* either day */
    check_next("5-59/15 8 * * *", NULL, "2026-11-24 08:06", "2026-11-24 08:20");
}

TEST(schedule_intervals_need_no_memory)
{
    const struct schedule schedule = parse("15m");

    CHECK_INT(schedule_next(&schedule, NULL, 0), 900000);
    CHECK_INT(schedule_next(&schedule, NULL, 899999), 900000);
    CHECK_INT(schedule_next(&schedule, NULL, 900000), 1800000);
    CHECK_INT(schedule_next(&schedule, &berlin_zone, 900000), 1800000);
}

TEST(schedule_is_in_local_time)
{
    check_next("30 2 * * *", &berlin_zone, "2026-01-10 12:00", "2026-01-11 01:30");
    check_next("30 2 * * *", &berlin_zone, "2026-07-10 12:00", "2026-07-11 00:30");
    check_next("daily", &berlin_zone, "2026-07-10 12:00", "2026-07-10 22:00");
}

TEST(schedule_runs_what_the_clock_skips_as_soon_as_it_has)
{
    /* 02:30 does not exist on 29 March: the clock goes from 02:00 to 03:00, at 01:00 UTC. */
    check_next("30 2 * * *", &berlin_zone, "2026-03-28 12:00", "2026-03-29 01:00");
    check_next("30 2 * * *", &berlin_zone, "2026-03-29 01:00", "2026-03-30 00:30");
    check_next("*/30 * * * *", &berlin_zone, "2026-03-29 00:30", "2026-03-29 01:00");
    check_next("*/30 * * * *", &berlin_zone, "2026-03-29 01:00", "2026-03-29 01:30");
}

TEST(schedule_runs_once_what_the_clock_shows_twice)
{
    /* 02:30 comes at 00:30 and at 01:30 UTC. */
    check_next("30 2 * * *", &berlin_zone, "2026-10-24 12:00", "2026-10-25 00:30");
    check_next("30 2 * * *", &berlin_zone, "2026-10-25 00:30", "2026-10-26 01:30");
    check_next("0,30 * * * *", &berlin_zone, "2026-10-25 00:30", "2026-10-25 01:00");
    check_next("0,30 * * * *", &berlin_zone, "2026-10-25 01:00", "2026-10-25 01:30");
}

TEST(schedule_leaps_over_nothing_that_a_walk_by_minutes_finds)
{
    static const char *const texts[] = { "17 * * * *",    "*/7 3 * * *", "0 0 1 * *",
                                         "59 23 * * sun", "30 2 * * *",  "0 3,15 1-7 * mon" };

    srandom(7);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const struct schedule schedule = parse(texts[i]);
        for (int n = 0; n < 40; n++) {
            int64_t from_s = utc("2026-03-20 00:00") + random() % (220 * DAY);
            int64_t next_s = schedule_next(&schedule, &berlin_zone, from_s * 1000) / 1000;
            CHECK(next_s > from_s);
            CHECK_INT(next_s % MINUTE, 0);
            /* Asking again from anywhere between gives the same. */
            for (int k = 0; k < 20; k++) {
                int64_t between_s = from_s + random() % (next_s - from_s);
                CHECK_INT(schedule_next(&schedule, &berlin_zone, between_s * 1000) / 1000, next_s);
            }
        }
    }
}

TEST(schedule_refuses_what_makes_no_sense_and_says_where)
{
    static const char *const bad[] = { "",
                                       "sometimes",
                                       "* * * *",
                                       "* * * * * *",
                                       "60 * * * *",
                                       "* 24 * * *",
                                       "* * 0 * *",
                                       "* * 32 * *",
                                       "* * * 13 *",
                                       "* * * * 8",
                                       "*/0 * * * *",
                                       "5-3 * * * *",
                                       "1,,2 * * * *",
                                       "a * * * *",
                                       "* * * foo *",
                                       "0 0 30 feb *",
                                       "0 0 31 4,6 *",
                                       "-5m",
                                       "0s",
                                       "1ms" };
    struct schedule schedule;
    struct error err = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(schedule_parse(bad[i], &schedule, &err) < 0 && err.code == ERR_INVALID,
                      "'%s' was taken", bad[i]);
    CHECK(schedule_parse("* 24 * * *", &schedule, &err) < 0);
    CHECK(strstr(err.message, "hour") != NULL);
}
