/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The next moment is found by walking minutes, in leaps of an hour or a day where these do not
 * match and the clock is not changed within.  Reading the text is schedule_parse.c's.
 */
#include "model/schedule.h"

#define MINUTE_S    INT64_C(60)
#define HOUR_S      INT64_C(3600)
#define DAY_S       INT64_C(86400)
#define LOOK_BACK_S (3 * HOUR_S)            /* no clock is set back by more */
#define HORIZON_S   (INT64_C(3000) * DAY_S) /* 29 February comes within eight years */

static int64_t next_by_clock(const struct schedule *schedule, const struct zone *zone,
                             int64_t after_s);
static bool is_due(const struct schedule *schedule, const struct zone *zone, int64_t utc_s);
static int64_t leap(const struct schedule *schedule, const struct zone *zone, int64_t utc_s);
static bool has_skipped(const struct schedule *schedule, const struct zone *zone, int64_t utc_s);
static bool is_second_time(const struct zone *zone, int64_t utc_s);
static bool names_day(const struct schedule *schedule, const struct calendar *at);
static bool names_minute(const struct schedule *schedule, int64_t local_s);

int64_t schedule_next(const struct schedule *schedule, const struct zone *zone, int64_t after_ms)
{
    if (schedule->interval_ms > 0)
        return (after_ms / schedule->interval_ms + 1) * schedule->interval_ms;
    int64_t next_s = next_by_clock(schedule, zone, after_ms / 1000);
    return next_s < 0 ? -1 : next_s * 1000;
}

static int64_t next_by_clock(const struct schedule *schedule, const struct zone *zone,
                             int64_t after_s)
{
    int64_t at_s = (after_s / MINUTE_S + 1) * MINUTE_S;
    int64_t end_s = at_s + HORIZON_S;

    while (at_s < end_s) {
        if (is_due(schedule, zone, at_s))
            return at_s;
        at_s += leap(schedule, zone, at_s);
    }
    return -1;
}

static bool is_due(const struct schedule *schedule, const struct zone *zone, int64_t utc_s)
{
    if (!schedule->is_real_time && has_skipped(schedule, zone, utc_s))
        return true;
    if (!names_minute(schedule, utc_s + zone_offset(zone, utc_s)))
        return false;
    return schedule->is_real_time || !is_second_time(zone, utc_s);
}

/* How far to go on from a moment that is not due. */
static int64_t leap(const struct schedule *schedule, const struct zone *zone, int64_t utc_s)
{
    int32_t offset = zone_offset(zone, utc_s);
    int64_t local_s = utc_s + offset;
    struct calendar at = calendar_of(local_s);
    int64_t second = local_s - at.day * DAY_S;
    int64_t step = MINUTE_S;

    if (!names_day(schedule, &at))
        step = DAY_S - second;
    else if ((schedule->hours >> at.hour & 1) == 0)
        step = HOUR_S - second % HOUR_S;
    return zone_offset(zone, utc_s + step) == offset ? step : MINUTE_S;
}

/* True at the first minute after the clock was set forward over one that is named. */
static bool has_skipped(const struct schedule *schedule, const struct zone *zone, int64_t utc_s)
{
    int32_t before = zone_offset(zone, utc_s - MINUTE_S);
    int32_t offset = zone_offset(zone, utc_s);

    for (int64_t local_s = utc_s + before; local_s < utc_s + offset; local_s += MINUTE_S)
        if (names_minute(schedule, local_s))
            return true;
    return false;
}

/* True when the clock was set back and has shown this minute before. */
static bool is_second_time(const struct zone *zone, int64_t utc_s)
{
    int32_t before = zone_offset(zone, utc_s - LOOK_BACK_S);
    int32_t offset = zone_offset(zone, utc_s);

    return before > offset && zone_offset(zone, utc_s - (before - offset)) == before;
}

/* Cron's oddity: of two restricted days either will do. */
static bool names_day(const struct schedule *schedule, const struct calendar *at)
{
    bool is_monthday = schedule->monthdays >> at->monthday & 1;
    bool is_weekday = schedule->weekdays >> at->weekday & 1;

    if ((schedule->months >> at->month & 1) == 0)
        return false;
    if (schedule->is_any_monthday || schedule->is_any_weekday)
        return is_monthday && is_weekday;
    return is_monthday || is_weekday;
}

static bool names_minute(const struct schedule *schedule, int64_t local_s)
{
    struct calendar at = calendar_of(local_s);

    return names_day(schedule, &at) && (schedule->hours >> at.hour & 1) != 0 &&
           (schedule->minutes >> at.minute & 1) != 0;
}
