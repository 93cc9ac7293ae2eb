/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exponentially weighted mean of the rate between samples.  A sample weighs by the time it
 * stands for, so that it does not matter how often somebody looks.
 */
#include "core/pool/growth.h"

#include <math.h>

#include "store/volume_usage.h"

#define MS_PER_DAY ((double)24 * 3600 * 1000)
#define SMOOTH_MS  MS_PER_DAY
#define KNOWN_MS   (3600 * (int64_t)1000) /* what is watched for less promises nothing */
#define GAP_MS     ((int64_t)1000)        /* samples closer than this say nothing about rates */

int growth_sample(struct task *task, const char *object, int64_t used_bytes, int64_t now_ms,
                  struct error *err)
{
    struct growth_row row = { .used_bytes = used_bytes, .since_ms = now_ms, .sampled_ms = now_ms };
    int found = store_growth_find(task->db, object, &row, err);
    int64_t passed_ms = now_ms - row.sampled_ms;

    if (found < 0)
        return -1;
    if (found > 0 && passed_ms < GAP_MS) /* also when the clock was set back */
        return 0;
    if (found > 0) {
        double rate = (double)(used_bytes - row.used_bytes) * MS_PER_DAY / (double)passed_ms;
        double weight = 1 - exp(-(double)passed_ms / SMOOTH_MS);
        /* Until a day was seen, all of it weighs alike. */
        double seen = (double)passed_ms / (double)(now_ms - row.since_ms);
        weight = weight > seen ? weight : seen;
        row.bytes_per_day += (int64_t)(weight * (rate - (double)row.bytes_per_day));
    }
    row.used_bytes = used_bytes;
    row.sampled_ms = now_ms;
    return store_growth_put(task->db, object, &row, err);
}

int growth_get(struct task *task, const char *object, int64_t room_bytes, struct growth *growth,
               struct error *err)
{
    struct growth_row row = { 0 };

    *growth = (struct growth){ .full_in_days = GROWTH_DAYS_UNKNOWN };
    if (store_growth_find(task->db, object, &row, err) < 0)
        return -1;
    growth->bytes_per_day = row.bytes_per_day;
    if (room_bytes >= 0 && row.bytes_per_day > 0 && row.sampled_ms - row.since_ms >= KNOWN_MS)
        growth->full_in_days = room_bytes / row.bytes_per_day;
    return 0;
}
