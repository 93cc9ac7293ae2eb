/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules and retention rules, as anybody may send them. */
#include <stdlib.h>

#include "base/arena.h"
#include "fuzz/fuzz.h"
#include "model/retention.h"
#include "model/schedule.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *text = arena_strndup(mem, (const char *)data, size);
    struct schedule schedule;
    struct retention rules;
    struct error err = { 0 };

    if (schedule_parse(text, &schedule, &err) == 0 && schedule_next(&schedule, NULL, 0) <= 0)
        abort();
    (void)retention_parse(text, mem, &rules, &err);
    return 0;
}
