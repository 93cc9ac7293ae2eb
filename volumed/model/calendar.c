/* SPDX-License-Identifier: Apache-2.0 */
/* Days to dates, by counting from 1 March of year 0 in eras of 400 years. */
#include "model/calendar.h"

#include <stddef.h>

#define DAY_S          86400
#define EPOCH_DAYS     719468 /* from 0000-03-01 to 1970-01-01 */
#define ERA_DAYS       146097
#define THURSDAY       3 /* counted from Monday */
#define EPOCH_FROM_MON 3 /* 1970-01-01 was a Thursday */

static int64_t floor_div(int64_t a, int64_t b);
static void set_date(struct calendar *calendar);
static void set_week(struct calendar *calendar);
static int64_t year_start(int year);

int32_t zone_offset(const struct zone *zone, int64_t utc_s)
{
    return zone == NULL || zone->offset_s == NULL ? 0 : zone->offset_s(zone->context, utc_s);
}

struct calendar calendar_of(int64_t local_s)
{
    struct calendar calendar = { .day = floor_div(local_s, DAY_S) };
    int second = (int)(local_s - calendar.day * DAY_S);

    calendar.hour = second / 3600;
    calendar.minute = second / 60 % 60;
    set_date(&calendar);
    set_week(&calendar);
    return calendar;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static void set_date(struct calendar *calendar)
{
    int64_t days = calendar->day + EPOCH_DAYS;
    int64_t era = floor_div(days, ERA_DAYS);
    int64_t of_era = days - era * ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * of_year + 2) / 153;

    calendar->monthday = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    calendar->month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    calendar->year = (int)(year + era * 400 + (calendar->month <= 2));
}

/* A week belongs to the year that its Thursday is in. */
static void set_week(struct calendar *calendar)
{
    int64_t from_monday = calendar->day + EPOCH_FROM_MON;
    int monday_based = (int)(from_monday - floor_div(from_monday, 7) * 7);
    struct calendar thursday = { .day = calendar->day - monday_based + THURSDAY };

    set_date(&thursday);
    calendar->weekday = (monday_based + 1) % 7;
    calendar->iso_year = thursday.year;
    calendar->iso_week = (int)((thursday.day - year_start(thursday.year)) / 7) + 1;
}

static int64_t year_start(int year)
{
    int64_t before = (int64_t)year - 1;

    return before * 365 + floor_div(before, 4) - floor_div(before, 100) + floor_div(before, 400) -
           719162; /* days from 0001-01-01 to 1970-01-01 */
}
