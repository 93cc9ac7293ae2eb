/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calendar arithmetic without the C library's clock: what a moment is called where somebody lives.
 * Where that is comes from the caller, as the offset from UTC at each moment, so that everything
 * here is a pure function, and zones can be made up in tests.
 */
#ifndef MODEL_CALENDAR_H
#define MODEL_CALENDAR_H

#include <stdint.h>

struct zone {
    int32_t (*offset_s)(void *context, int64_t utc_s); /* seconds east of UTC; NULL: UTC itself */
    void *context;
};

int32_t zone_offset(const struct zone *zone, int64_t utc_s);

struct calendar {
    int64_t day; /* since 1970-01-01, of local time */
    int year;
    int month;    /* 1 … 12 */
    int monthday; /* 1 … 31 */
    int weekday;  /* 0 is Sunday */
    int hour;
    int minute;
    int iso_year; /* of the ISO 8601 week: weeks begin on Monday, the first has the year's first
                     Thursday */
    int iso_week;
};

/* 'local_s' is UTC plus the zone's offset. */
struct calendar calendar_of(int64_t local_s);

#endif
