/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and times as text, with no locale and no time zone but UTC. */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL

static int64_t read_ns(clockid_t id);
static void format(time_t seconds, long fraction, int digits, char *text);
static const char *parse_fraction(const char *text, int64_t *fraction_ns);
static const char *parse_zone(const char *text, int64_t *offset_s);
static int parse_unix(const char *text, int64_t *time_ns);

int64_t clock_now_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

int64_t clock_now_ms(void)
{
    return read_ns(CLOCK_REALTIME) / NS_PER_MS;
}

int64_t clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return read_ns(CLOCK_MONOTONIC) / NS_PER_MS;
}

void clock_text_ms(int64_t time_ms, char text[CLOCK_TEXT_SIZE])
{
    format((time_t)(time_ms / 1000), (long)(time_ms % 1000), 3, text);
}

void clock_text_ns(int64_t time_ns, char text[CLOCK_TEXT_SIZE])
{
    format((time_t)(time_ns / NS_PER_S), (long)(time_ns % NS_PER_S), 9, text);
}

int clock_parse_ns(const char *text, int64_t *time_ns)
{
    struct tm tm = { 0 };
    int64_t fraction_ns = 0;
    int64_t offset_s = 0;
    const char *rest = strptime(text, "%Y-%m-%d", &tm);

    if (rest == NULL)
        return parse_unix(text, time_ns);
    if (*rest == 'T' || *rest == ' ') {
        const char *after = strptime(rest + 1, "%H:%M:%S", &tm);
        if (after == NULL)
            after = strptime(rest + 1, "%H:%M", &tm);
        if (after == NULL)
            return -EINVAL;
        rest = parse_fraction(after, &fraction_ns);
    }
    rest = parse_zone(rest, &offset_s);
    if (rest == NULL || *rest != '\0')
        return -EINVAL;
    *time_ns = ((int64_t)timegm(&tm) - offset_s) * NS_PER_S + fraction_ns;
    return 0;
}

static int64_t read_ns(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now); /* cannot fail for these clocks */
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void format(time_t seconds, long fraction, int digits, char *text)
{
    struct tm tm;

    (void)gmtime_r(&seconds, &tm);
    (void)snprintf(text, CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%0*ldZ",
                   (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                   tm.tm_sec, digits, fraction);
}

static const char *parse_fraction(const char *text, int64_t *fraction_ns)
{
    int64_t unit = NS_PER_S / 10;

    *fraction_ns = 0;
    if (*text != '.')
        return text;
    for (text++; isdigit((unsigned char)*text); text++, unit /= 10)
        *fraction_ns += (*text - '0') * unit;
    return text;
}

static const char *parse_zone(const char *text, int64_t *offset_s)
{
    int hours = 0;
    int minutes = 0;
    int used = 0;

    *offset_s = 0;
    if (*text == 'Z' || *text == 'z')
        return text + 1;
    if (*text != '+' && *text != '-')
        return text;
    /* NOLINTNEXTLINE(cert-err34-c): two digits always fit */
    if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2)
        return NULL;
    *offset_s = ((int64_t)hours * 60 + minutes) * 60 * (*text == '-' ? -1 : 1);
    return text + 1 + used;
}

static int parse_unix(const char *text, int64_t *time_ns)
{
    int64_t fraction_ns = 0;
    char *end = NULL;

    if (!isdigit((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1])))
        return -EINVAL;
    errno = 0;
    long long seconds = strtoll(text, &end, 10);
    const char *rest = parse_fraction(end, &fraction_ns);
    if (errno != 0 || *rest != '\0' || llabs(seconds) > INT64_MAX / NS_PER_S - 1)
        return -EINVAL;
    *time_ns = seconds * NS_PER_S + fraction_ns;
    return 0;
}
