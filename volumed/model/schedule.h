/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When something is due: every so long ("15m", counted from 1970 in UTC, so that it needs no
 * memory), or by cron's five fields in local time ("30 2 * * mon-fri"), or by the words hourly,
 * daily, weekly, monthly and yearly, which stand for such fields.  Pure functions.
 *
 * Where clocks are changed, cron's rule of Debian holds.  A line with '*' in its minute or hour
 * goes by real time.  Any other is due once for each time that it names: what the clock skips is
 * due when it has skipped it, and of a time that comes twice the first counts.
 */
#ifndef MODEL_SCHEDULE_H
#define MODEL_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/calendar.h"

struct schedule {
    int64_t interval_ms; /* 0: by the sets below, a bit for each number */
    uint64_t minutes;
    uint32_t hours;
    uint32_t monthdays;
    uint32_t months;
    uint32_t weekdays;
    bool is_real_time;    /* '*' in minute or hour */
    bool is_any_monthday; /* '*': the weekday alone decides, and the other way round */
    bool is_any_weekday;
};

#define SCHEDULE_INTERVAL_MIN_MS 1000

/* INVALID, saying which field is wrong and how; also for dates that never come. */
int schedule_parse(const char *text, struct schedule *schedule, struct error *err);

/* The first moment after 'after_ms' at which it is due; -1 for never. */
int64_t schedule_next(const struct schedule *schedule, const struct zone *zone, int64_t after_ms);

#endif
