/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which snapshots stay, which go, and why.  A pure function of the rules, the time and the
 * snapshots of one volume: `policy plan` and the policy itself ask the same.
 *
 * Rules only keep; what no rule keeps goes.  Whatever the rules say, these stay: the newest
 * snapshot, the newest whose fence was whole, held ones, attached ones, bases of replication, those
 * younger than the minimum age, and those from the future (a clock that was wrong must not empty
 * the past).
 */
#ifndef MODEL_RETENTION_H
#define MODEL_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/calendar.h"
#include "model/pairs.h"

enum period {
    PERIOD_HOUR,
    PERIOD_DAY,
    PERIOD_WEEK, /* ISO 8601 */
    PERIOD_MONTH,
    PERIOD_YEAR,
    PERIOD_COUNT
};

#define RETENTION_TAGS_MAX 8

struct retention {
    int last;                             /* the newest so many */
    int periods[PERIOD_COUNT];            /* the newest of each of the last so many that have any */
    int64_t within_ms;                    /* all that are younger */
    struct pair tags[RETENTION_TAGS_MAX]; /* all with such a label; value NULL: any */
    size_t tag_count;
    int64_t min_age_ms;
    int64_t safety_ms;  /* how long those made before rollbacks stay; 0: no rule, they stay */
    int free_percent;   /* while less of the pool is free the oldest goes all the same */
    int64_t free_bytes; /* the same, in bytes */
};

/*
 * "24h,7d,4w,12m,3y,last=5,within=3d,tag=KEY[=VALUE],min-age=1h,safety=7d,free=10%" (or free=20G).
 * INVALID, naming the part; also when it would keep nothing.  Texts are copied into 'mem'.
 */
int retention_parse(const char *text, struct arena *mem, struct retention *rules,
                    struct error *err);

struct retention_item {
    int64_t created_ms;
    bool is_safety; /* made before a rollback */
    bool is_whole;  /* all writers stood still, or there were none */
    bool is_held;
    bool is_base;     /* replication needs it */
    bool is_attached; /* to a container */
    const struct pairs *labels;
};

struct retention_space {
    int64_t size_bytes; /* 0: not known, and no rule about space holds */
    int64_t free_bytes;
};

#define RETENTION_REASONS_MAX 24

struct retention_verdict {
    bool is_kept;
    bool is_for_space; /* goes because space is short, though a rule keeps it */
    size_t reason_count;
    const char *reasons[RETENTION_REASONS_MAX]; /* why it stays, or why it goes; at least one */
};

struct retention_question {
    const struct retention *rules;
    const struct zone *zone;
    int64_t now_ms;
    struct retention_space space;
    const struct retention_item *items; /* in any order */
    size_t count;
};

/*
 * Fills a verdict for each item.  When space is short at most one goes for it: the space must be
 * looked at again after each.
 */
void retention_judge(const struct retention_question *question, struct arena *mem,
                     struct retention_verdict *verdicts);

#endif
