/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units from weeks to seconds. */
#include "model/span.h"

#include <errno.h>
#include <stdio.h>

#include "base/base.h"

#define SPAN_MAX_MS (INT64_C(1000) * 366 * 86400 * 1000)

struct unit {
    char letter;
    int64_t ms;
};

static const struct unit units[] = {
    { 'w', INT64_C(604800000) }, { 'd', 86400000 }, { 'h', 3600000 }, { 'm', 60000 }, { 's', 1000 },
};

static const struct unit *unit_find(char letter);

int span_parse(const char *text, size_t length, int64_t *span_ms)
{
    int64_t total = 0;
    size_t i = 0;

    if (length == 0)
        return -EINVAL;
    while (i < length) {
        int64_t number = 0;
        size_t first = i;
        while (i < length && text[i] >= '0' && text[i] <= '9' && number < SPAN_MAX_MS)
            number = number * 10 + (text[i++] - '0');
        const struct unit *unit = i < length && i > first ? unit_find(text[i++]) : NULL;
        if (unit == NULL || number > SPAN_MAX_MS / unit->ms)
            return -EINVAL;
        total += number * unit->ms;
        if (total > SPAN_MAX_MS)
            return -EINVAL;
    }
    if (total == 0)
        return -EINVAL;
    *span_ms = total;
    return 0;
}

void span_format(int64_t span_ms, char text[SPAN_TEXT_SIZE])
{
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(units) && (span_ms < units[i].ms || span_ms % units[i].ms != 0))
        i++;
    (void)snprintf(text, SPAN_TEXT_SIZE, "%lld%c", (long long)(span_ms / units[i].ms),
                   units[i].letter); /* it fits */
}

static const struct unit *unit_find(char letter)
{
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (units[i].letter == letter)
            return &units[i];
    return NULL;
}
