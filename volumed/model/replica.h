/* SPDX-License-Identifier: Apache-2.0 */
/* Replicas: containers made after one, each on clones of a golden state; and what changes them. */
#ifndef MODEL_REPLICA_H
#define MODEL_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

struct replica_group {
    const char *name;        /* of the container that is the template */
    const char *source_id;   /* what new ones begin with: a set's id, or VOLUME-ID@SNAPSHOT-ID */
    const char *source_name; /* as it was called then */
    const char *size;        /* limit of each clone; "": the template's own */
    int64_t created_ms;
};

struct replica {
    const char *group_name;
    int64_t number;        /* 1 and up */
    const char *state;     /* making ready refreshing switched removing */
    const char *source_id; /* what it began with, or was refreshed from */
    const char *source_name;
    const char *scaling_id; /* that made or refreshed it last, or is at it */
    bool was_running;       /* before its refresh or removal */
    int64_t made_ms;
    int64_t refreshed_ms; /* 0: never */
};

struct scaling {
    const char *id;
    const char *group_name;
    const char *state;  /* running done failed */
    const char *plan;   /* JSON text: what was asked for (core/replica/scale_plan.h) */
    int64_t replica;    /* the one at work, or that failed; 0 */
    const char *reason; /* why it failed; "" */
    const char *report; /* JSON text */
    const char *actor;
    int64_t started_ms;
    int64_t finished_ms; /* 0: under way */
};

#endif
