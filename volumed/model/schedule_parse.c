/* SPDX-License-Identifier: Apache-2.0 */
/* Reading schedules: words, intervals, and cron's fields with lists, ranges, steps and names. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "model/schedule.h"
#include "model/span.h"

#define FIELD_COUNT 5

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                           "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

struct field {
    const char *name;
    int min;
    int max;
    const char *const *names; /* of min, min + 1, …; NULL: numbers alone */
    int name_count;
};

static const struct field fields[FIELD_COUNT] = {
    { "minute", 0, 59, NULL, 0 },
    { "hour", 0, 23, NULL, 0 },
    { "day of the month", 1, 31, NULL, 0 },
    { "month", 1, 12, month_names, 12 },
    { "day of the week", 0, 7, day_names, 7 },
};

/* The part of the text that is being read. */
struct cursor {
    const char *at;
    const char *end;
};

static const char *find_word(const char *text);
static int parse_cron(const char *text, struct schedule *schedule, struct error *err);
static int parse_field(const struct field *field, struct cursor part, uint64_t *set,
                       struct error *err);
static int parse_item(const struct field *field, struct cursor item, uint64_t *set);
static int parse_range(const struct field *field, struct cursor *item, int *first, int *last);
static int parse_value(const struct field *field, struct cursor *item, int *value);
static int parse_number(struct cursor *item, int max, int *value);

int schedule_parse(const char *text, struct schedule *schedule, struct error *err)
{
    struct schedule made = { 0 };
    const char *word = find_word(text);

    if (word == NULL && strpbrk(text, " \t*") == NULL) {
        if (span_parse(text, strlen(text), &made.interval_ms) < 0)
            return fail(err, ERR_INVALID,
                        "schedule '%s' is neither an interval (15m, 6h, 1d), nor hourly, daily,"
                        " weekly, monthly or yearly, nor five fields of cron",
                        text);
        if (made.interval_ms < SCHEDULE_INTERVAL_MIN_MS)
            return fail(err, ERR_INVALID, "schedule '%s': an interval is at least 1s", text);
    } else if (parse_cron(word != NULL ? word : text, &made, err) < 0) {
        return error_prefix(err, "schedule '%s'", text);
    }
    if (schedule_next(&made, NULL, 0) < 0)
        return fail(err, ERR_INVALID, "schedule '%s': such a date never comes", text);
    *schedule = made;
    return 0;
}

static const char *find_word(const char *text)
{
    static const struct {
        const char *word;
        const char *fields;
    } words[] = {
        { "hourly", "0 * * * *" },  { "daily", "0 0 * * *" },  { "weekly", "0 0 * * mon" },
        { "monthly", "0 0 1 * *" }, { "yearly", "0 0 1 1 *" },
    };

    if (*text == '@')
        text++;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(text, words[i].word) == 0)
            return words[i].fields;
    return NULL;
}

static int parse_cron(const char *text, struct schedule *schedule, struct error *err)
{
    uint64_t sets[FIELD_COUNT] = { 0 };
    bool has_star[FIELD_COUNT] = { false };

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        text += strspn(text, " \t");
        struct cursor part = { text, text + strcspn(text, " \t") };
        if (part.at == part.end)
            return fail(err, ERR_INVALID, "the %s is missing; five fields are needed",
                        fields[i].name);
        has_star[i] = *part.at == '*';
        if (parse_field(&fields[i], part, &sets[i], err) < 0)
            return -1;
        text = part.end;
    }
    if (text[strspn(text, " \t")] != '\0')
        return fail(err, ERR_INVALID, "there are more than five fields");
    *schedule = (struct schedule){
        .minutes = sets[0],
        .hours = (uint32_t)sets[1],
        .monthdays = (uint32_t)sets[2],
        .months = (uint32_t)sets[3],
        .weekdays = (uint32_t)((sets[4] | sets[4] >> 7) & 0x7f), /* 7 is Sunday too */
        .is_real_time = has_star[0] || has_star[1],
        .is_any_monthday = has_star[2],
        .is_any_weekday = has_star[4],
    };
    return 0;
}

/* A list of items with commas between. */
static int parse_field(const struct field *field, struct cursor part, uint64_t *set,
                       struct error *err)
{
    while (part.at <= part.end) {
        const char *comma = memchr(part.at, ',', (size_t)(part.end - part.at));
        struct cursor item = { part.at, comma != NULL ? comma : part.end };
        if (parse_item(field, item, set) < 0)
            return fail(err, ERR_INVALID, "'%.*s' is no %s (%d to %d, as a, a-b, */n or a-b/n)",
                        (int)(item.end - item.at), item.at, field->name, field->min, field->max);
        part.at = item.end + 1;
    }
    return 0;
}

static int parse_item(const struct field *field, struct cursor item, uint64_t *set)
{
    int first = 0;
    int last = 0;
    int step = 1;

    if (parse_range(field, &item, &first, &last) < 0)
        return -1;
    if (item.at < item.end && *item.at == '/') {
        item.at++;
        if (first == last || parse_number(&item, field->max, &step) < 0 || step == 0)
            return -1;
    }
    if (item.at != item.end)
        return -1;
    for (int value = first; value <= last; value += step)
        *set |= UINT64_C(1) << value;
    return 0;
}

static int parse_range(const struct field *field, struct cursor *item, int *first, int *last)
{
    if (item->at < item->end && *item->at == '*') {
        item->at++;
        *first = field->min;
        *last = field->max;
        return 0;
    }
    if (parse_value(field, item, first) < 0)
        return -1;
    *last = *first;
    if (item->at == item->end || *item->at != '-')
        return 0;
    item->at++;
    return parse_value(field, item, last) < 0 || *last < *first ? -1 : 0;
}

static int parse_value(const struct field *field, struct cursor *item, int *value)
{
    size_t length = (size_t)(item->end - item->at);

    for (int i = 0; i < field->name_count; i++) {
        if (length >= 3 && strncasecmp(item->at, field->names[i], 3) == 0) {
            item->at += 3;
            *value = field->min + i;
            return 0;
        }
    }
    return parse_number(item, field->max, value) < 0 || *value < field->min ? -1 : 0;
}

static int parse_number(struct cursor *item, int max, int *value)
{
    const char *first = item->at;
    int number = 0;

    while (item->at < item->end && *item->at >= '0' && *item->at <= '9' && number <= max)
        number = number * 10 + (*item->at++ - '0');
    *value = number;
    return item->at == first || number > max ? -1 : 0;
}
