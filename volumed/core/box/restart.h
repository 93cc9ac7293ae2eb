/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies: whether, and after how long, a container that ended is started again. */
#ifndef CORE_RESTART_H
#define CORE_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

enum restart_kind {
    RESTART_NO,
    RESTART_ALWAYS,
    RESTART_UNLESS_STOPPED,
    RESTART_ON_FAILURE
};

struct restart_policy {
    enum restart_kind kind;
    int64_t max_retries; /* of on-failure; 0: no limit */
};

/* Docker's RestartPolicy object; INVALID with dockerd's texts. */
int restart_policy_check(const json_t *policy, struct error *err);

/* Of a checked HostConfig. */
struct restart_policy restart_policy_of(const json_t *host_config);

struct restart_facts {
    int64_t exit_code;
    int64_t restart_count; /* how often it was started again so far */
    int64_t ran_ns;        /* how long the last run took */
    int64_t last_delay_ms; /* 0: none yet */
    bool is_stop_wanted;
};

/* True when it is to be started again, after *delay_ms: 100 ms, doubling to a minute, from the
 * beginning after a run of 10 s. */
bool restart_is_due(const struct restart_policy *policy, const struct restart_facts *facts,
                    int64_t *delay_ms);

/* True when a container that was running at the last boot (or is_stop_wanted) is to be started. */
bool restart_is_due_at_boot(const struct restart_policy *policy, bool is_stop_wanted,
                            bool was_running);

#endif
