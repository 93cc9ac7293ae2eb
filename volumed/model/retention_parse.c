/* SPDX-License-Identifier: Apache-2.0 */
/* Reading retention rules: a list of parts, each a count of periods or NAME=VALUE. */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "model/retention.h"
#include "model/span.h"

#define COUNT_MAX        100000
#define SPACE_MIN_AGE_MS 3600000 /* where free= is given and min-age= is not */
#define PERCENT_MAX      99

/* One part, cut out of the list. */
struct part {
    const char *text; /* whole, for messages */
    const char *value;
    struct arena *mem;
};

typedef int (*part_fn)(const struct part *part, struct retention *rules, struct error *err);

static int parse_part(const struct part *part, struct retention *rules, struct error *err);
static int parse_periods(const struct part *part, struct retention *rules, struct error *err);
static int parse_count(const char *text, size_t length, int *count);
static int parse_last(const struct part *part, struct retention *rules, struct error *err);
static int parse_within(const struct part *part, struct retention *rules, struct error *err);
static int parse_min_age(const struct part *part, struct retention *rules, struct error *err);
static int parse_safety(const struct part *part, struct retention *rules, struct error *err);
static int parse_tag(const struct part *part, struct retention *rules, struct error *err);
static int parse_free(const struct part *part, struct retention *rules, struct error *err);
static int parse_time(const struct part *part, int64_t *span_ms, struct error *err);
static bool keeps_something(const struct retention *rules);

static const struct {
    const char *name;
    part_fn parse;
} named_parts[] = {
    { "last", parse_last },     { "within", parse_within }, { "min-age", parse_min_age },
    { "safety", parse_safety }, { "tag", parse_tag },       { "free", parse_free },
};

int retention_parse(const char *text, struct arena *mem, struct retention *rules, struct error *err)
{
    struct retention made = { .min_age_ms = -1 };
    char *rest = arena_strdup(mem, text);

    for (char *word = strsep(&rest, ","); word != NULL; word = strsep(&rest, ",")) {
        const char *equals = strchr(word, '=');
        struct part part = { word, equals != NULL ? equals + 1 : NULL, mem };
        if (parse_part(&part, &made, err) < 0)
            return -1;
    }
    if (!keeps_something(&made))
        return fail(err, ERR_INVALID,
                    "keep '%s' keeps nothing: give a count such as 24h, 7d or last=5", text);
    if (made.min_age_ms < 0)
        made.min_age_ms = made.free_percent > 0 || made.free_bytes > 0 ? SPACE_MIN_AGE_MS : 0;
    *rules = made;
    return 0;
}

static int parse_part(const struct part *part, struct retention *rules, struct error *err)
{
    size_t length = strcspn(part->text, "=");

    if (part->value == NULL)
        return parse_periods(part, rules, err);
    for (size_t i = 0; i < ARRAY_SIZE(named_parts); i++)
        if (strlen(named_parts[i].name) == length &&
            strncmp(named_parts[i].name, part->text, length) == 0)
            return named_parts[i].parse(part, rules, err);
    return fail(err, ERR_INVALID,
                "keep: '%s' is none of last=, within=, tag=, min-age=, safety=, free=", part->text);
}

static int parse_periods(const struct part *part, struct retention *rules, struct error *err)
{
    static const char letters[PERIOD_COUNT + 1] = "hdwmy";
    size_t length = strlen(part->text);
    const char *letter = length == 0 ? NULL : strchr(letters, part->text[length - 1]);
    int count = 0;

    if (letter == NULL || *letter == '\0' || parse_count(part->text, length - 1, &count) < 0)
        return fail(err, ERR_INVALID,
                    "keep: '%s' is no count of periods, such as 24h, 7d, 4w, 12m or 3y",
                    part->text);
    rules->periods[letter - letters] = count;
    return 0;
}

static int parse_count(const char *text, size_t length, int *count)
{
    int number = 0;

    if (length == 0)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || number > COUNT_MAX)
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    *count = number;
    return number > COUNT_MAX ? -1 : 0;
}

static int parse_last(const struct part *part, struct retention *rules, struct error *err)
{
    if (parse_count(part->value, strlen(part->value), &rules->last) < 0)
        return fail(err, ERR_INVALID, "keep: '%s' needs a number", part->text);
    return 0;
}

static int parse_within(const struct part *part, struct retention *rules, struct error *err)
{
    return parse_time(part, &rules->within_ms, err);
}

static int parse_min_age(const struct part *part, struct retention *rules, struct error *err)
{
    return parse_time(part, &rules->min_age_ms, err);
}

static int parse_safety(const struct part *part, struct retention *rules, struct error *err)
{
    return parse_time(part, &rules->safety_ms, err);
}

static int parse_tag(const struct part *part, struct retention *rules, struct error *err)
{
    size_t length = strcspn(part->value, "=");

    if (length == 0)
        return fail(err, ERR_INVALID, "keep: '%s' names no label", part->text);
    if (rules->tag_count == RETENTION_TAGS_MAX)
        return fail(err, ERR_INVALID, "keep: at most %d tags", RETENTION_TAGS_MAX);
    rules->tags[rules->tag_count++] = (struct pair){
        .key = arena_strndup(part->mem, part->value, length),
        .value = part->value[length] == '=' ? part->value + length + 1 : NULL,
    };
    return 0;
}

static int parse_free(const struct part *part, struct retention *rules, struct error *err)
{
    size_t length = strlen(part->value);

    if (length > 1 && part->value[length - 1] == '%') {
        if (parse_count(part->value, length - 1, &rules->free_percent) == 0 &&
            rules->free_percent <= PERCENT_MAX)
            return 0;
    } else if (units_parse_size(part->value, &rules->free_bytes) == 0) {
        return 0;
    }
    return fail(err, ERR_INVALID, "keep: '%s' needs a share like 10%% or a size like 20G",
                part->text);
}

static int parse_time(const struct part *part, int64_t *span_ms, struct error *err)
{
    if (span_parse(part->value, strlen(part->value), span_ms) < 0)
        return fail(err, ERR_INVALID, "keep: '%s' needs a time like 90s, 12h, 3d or 2w",
                    part->text);
    return 0;
}

static bool keeps_something(const struct retention *rules)
{
    bool keeps = rules->last > 0 || rules->within_ms > 0 || rules->tag_count > 0;

    for (int i = 0; i < PERIOD_COUNT; i++)
        keeps = keeps || rules->periods[i] > 0;
    return keeps;
}
