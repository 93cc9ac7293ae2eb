/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health checks: one thread a running container that has one runs its command from time to time
 * and tells what it means.  The last five results live in memory; the row keeps the status, written
 * when it changes.
 */
#ifndef CORE_HEALTH_H
#define CORE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "model/container.h"

#define HEALTH_LOG_MAX 5

struct health_spec {
    const char *const *argv; /* NULL: there is no check */
    int64_t interval_ms;
    int64_t timeout_ms;
    int64_t start_period_ms;
    int64_t start_interval_ms;
    int64_t retries;
};

/* From Docker's Healthcheck (may be NULL); 'shell' is the image's or NULL.  Defaults filled in. */
int health_spec_parse(struct arena *mem, const json_t *healthcheck, const json_t *shell,
                      struct health_spec *spec, struct error *err);

enum health_status {
    HEALTH_STARTING,
    HEALTHY,
    UNHEALTHY
};

struct health_state {
    enum health_status status;
    int64_t failing_streak;
};

const char *health_status_name(enum health_status status);

/* What one result makes of the state; 'age_ms' since the container's start.  True when the status
 * has changed. */
bool health_state_apply(struct health_state *state, const struct health_spec *spec, int64_t age_ms,
                        bool is_success);

/* The Health object of a container that starts, as text; "" for one without a check. */
const char *health_initial(struct task *task, const struct container *container);

/* Begins to check a container that has started; does nothing for one without a check. */
void health_start(struct task *task, const struct container *container);

/* Ends it; returns at once, also while a check runs. */
void health_stop(const char *id);

/* Ends all and waits for them: before the service closes. */
void health_stop_all(void);

/* Docker's Health object as text, if the container is being checked; else *text is left alone. */
void health_read(struct task *task, const char *id, const char **text);

#endif
