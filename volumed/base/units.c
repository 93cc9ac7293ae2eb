/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers that consume the whole text or fail. */
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"

static const struct {
    const char *suffix;
    double ns;
} duration_units[] = {
    { "ns", 1 },   { "us", 1e3 },   { "ms", 1e6 },    { "s", 1e9 },
    { "m", 60e9 }, { "h", 3600e9 }, { "d", 86400e9 },
};

static const struct {
    int64_t below_s; /* the first row that the duration is below decides */
    int64_t unit_s;
    const char *text; /* after a number when unit_s is not 0 */
} ago_rows[] = {
    { 1, 0, "Less than a second" },
    { 2, 0, "1 second" },
    { 60, 1, "seconds" },
    { 120, 0, "About a minute" },
    { 46 * 60L, 60, "minutes" },
    { 90 * 60L, 0, "About an hour" },
    { 48 * 3600L, 3600, "hours" },
    { 14 * 86400L, 86400, "days" },
    { 60 * 86400L, 7 * 86400L, "weeks" },
    { 730 * 86400L, 30 * 86400L, "months" },
    { INT64_MAX, 365 * 86400L, "years" },
};

static double duration_unit(const char **text);
static int parse_number(const char **text, double *value);

int units_parse_size(const char *text, int64_t *size_bytes)
{
    static const char prefixes[] = "kmgtp";
    double value = 0;
    double factor = 1;

    if (parse_number(&text, &value) < 0)
        return -EINVAL;
    while (*text == ' ')
        text++;
    const char *prefix = *text != '\0' ? strchr(prefixes, tolower((unsigned char)*text)) : NULL;
    if (prefix != NULL) {
        factor = ldexp(1, 10 * (int)(prefix - prefixes + 1));
        text++;
        if (*text == 'i')
            text++;
    }
    if (*text == 'b' || *text == 'B')
        text++;
    if (*text != '\0' || value * factor >= (double)INT64_MAX)
        return -EINVAL;
    *size_bytes = (int64_t)(value * factor);
    return 0;
}

int units_parse_duration(const char *text, int64_t *duration_ns)
{
    double total = 0;
    double value = 0;

    if (*text == '\0')
        return -EINVAL;
    while (*text != '\0') {
        if (parse_number(&text, &value) < 0)
            return -EINVAL;
        double unit = *text == '\0' && total == 0 ? 1e9 : duration_unit(&text);
        if (unit == 0)
            return -EINVAL;
        total += value * unit;
    }
    if (total >= (double)INT64_MAX)
        return -EINVAL;
    *duration_ns = (int64_t)total;
    return 0;
}

void units_format_size(int64_t size_bytes, char text[UNITS_TEXT_SIZE])
{
    static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    double value = (double)size_bytes;
    size_t step = 0;

    for (; value >= 1024 && step + 1 < ARRAY_SIZE(names); step++)
        value /= 1024;
    (void)snprintf(text, UNITS_TEXT_SIZE, value < 10 && step > 0 ? "%.1f %s" : "%.0f %s", value,
                   names[step]);
}

void units_format_ago(int64_t duration_ms, char text[UNITS_TEXT_SIZE])
{
    int64_t seconds = duration_ms / 1000;
    size_t row = 0;

    while (seconds >= ago_rows[row].below_s)
        row++;
    if (ago_rows[row].unit_s == 0)
        (void)snprintf(text, UNITS_TEXT_SIZE, "%s", ago_rows[row].text);
    else
        (void)snprintf(text, UNITS_TEXT_SIZE, "%ld %s", (long)(seconds / ago_rows[row].unit_s),
                       ago_rows[row].text);
}

int units_parse_int(const char *text, int64_t *value)
{
    char *end = NULL;

    if (!isdigit((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1])))
        return -EINVAL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0)
        return -errno;
    if (*end != '\0')
        return -EINVAL;
    *value = number;
    return 0;
}

static int parse_number(const char **text, double *value)
{
    char *end = NULL;
    size_t digits = strspn(*text, "0123456789.");

    if (digits == 0 || digits > 20 || (*text)[0] == '.')
        return -EINVAL;
    char copy[24] = { 0 };
    memcpy(copy, *text, digits);
    *value = strtod(copy, &end);
    if (*end != '\0')
        return -EINVAL;
    *text += digits;
    return 0;
}

static double duration_unit(const char **text)
{
    size_t length = strcspn(*text, "0123456789.");

    for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
        if (strlen(duration_units[i].suffix) == length &&
            strncmp(*text, duration_units[i].suffix, length) == 0) {
            *text += length;
            return duration_units[i].ns;
        }
    }
    return 0;
}
