/* SPDX-License-Identifier: Apache-2.0 */
/* The replacement of containers by others, its members, and the generations that it leaves. */
#ifndef MODEL_RECREATION_H
#define MODEL_RECREATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One container that is replaced. */
struct recreation_member {
    const char *name;
    const char *old_id;
    const char *new_id; /* "" until it is made */
    bool was_running;
};

struct recreation {
    const char *id;
    const char *state;      /* preparing stopping cutting switching starting probation undoing
                               committed rolled_back */
    const char *plan;       /* JSON text: what was asked for (core/recreate/recreate_plan.h) */
    const char *set_name;   /* what the volumes held in between; "": they were not cut */
    const char *failed_set; /* what they held when it was undone; "" */
    const char *reason;     /* why it is undone; "" */
    const char *report;     /* JSON text: times and figures, as far as they are known */
    const char *decision;   /* of a person, for a probation without end: "", "commit", "undo" */
    const char *actor;
    int64_t deadline_ms; /* of the probation */
    int64_t started_ms;
    int64_t finished_ms; /* 0: under way */
    struct recreation_member *members;
    size_t count;
};

/* A container that was replaced and is kept. */
struct generation {
    const char *container_id;
    const char *name; /* whose generation it is */
    int64_t number;
    const char *outcome;  /* "replaced", "failed" */
    const char *set_name; /* what its volumes held at its end; "" */
    const char *recreation_id;
    int64_t retired_ms;
};

#endif
