/* SPDX-License-Identifier: Apache-2.0 */
/* The decision alone; core/box/monitor.c acts on it. */
#include "core/box/restart.h"

#include <string.h>

#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS   60000
#define RUN_GOOD_NS    10000000000

static const char *const names[] = {
    [RESTART_NO] = "no",
    [RESTART_ALWAYS] = "always",
    [RESTART_UNLESS_STOPPED] = "unless-stopped",
    [RESTART_ON_FAILURE] = "on-failure",
};

static int kind_find(const char *name);

int restart_policy_check(const json_t *policy, struct error *err)
{
    const char *name = json_string_value(json_member(policy, "Name"));
    const json_t *retries = json_member(policy, "MaximumRetryCount");
    int kind = name == NULL || name[0] == '\0' ? RESTART_NO : kind_find(name);

    if (kind < 0)
        return fail(err, ERR_INVALID, "invalid restart policy '%s'", name);
    if (retries != NULL && !json_is_integer(retries))
        return fail(err, ERR_INVALID,
                    "invalid restart policy: maximum retry count is not a number");
    if (json_integer_value(retries) < 0)
        return fail(err, ERR_INVALID, "maximum retry count cannot be negative");
    if (json_integer_value(retries) != 0 && kind != RESTART_ON_FAILURE)
        return fail(err, ERR_INVALID, "maximum retry count cannot be used with restart policy '%s'",
                    names[kind]);
    return 0;
}

struct restart_policy restart_policy_of(const json_t *host_config)
{
    const json_t *policy = json_member(host_config, "RestartPolicy");
    const char *name = json_string_value(json_member(policy, "Name"));
    int kind = name == NULL ? -1 : kind_find(name);

    return (struct restart_policy){
        .kind = kind < 0 ? RESTART_NO : (enum restart_kind)kind,
        .max_retries = json_integer_value(json_member(policy, "MaximumRetryCount")),
    };
}

bool restart_is_due(const struct restart_policy *policy, const struct restart_facts *facts,
                    int64_t *delay_ms)
{
    if (policy->kind == RESTART_NO || facts->is_stop_wanted)
        return false;
    if (policy->kind == RESTART_ON_FAILURE &&
        (facts->exit_code == 0 ||
         (policy->max_retries > 0 && facts->restart_count >= policy->max_retries)))
        return false;
    if (facts->ran_ns >= RUN_GOOD_NS || facts->last_delay_ms == 0)
        *delay_ms = DELAY_FIRST_MS;
    else
        *delay_ms =
            facts->last_delay_ms * 2 < DELAY_MAX_MS ? facts->last_delay_ms * 2 : DELAY_MAX_MS;
    return true;
}

bool restart_is_due_at_boot(const struct restart_policy *policy, bool is_stop_wanted,
                            bool was_running)
{
    switch (policy->kind) {
    case RESTART_NO: return false;
    case RESTART_ALWAYS: return true;
    case RESTART_UNLESS_STOPPED: return !is_stop_wanted;
    case RESTART_ON_FAILURE: return was_running && !is_stop_wanted;
    }
    return false;
}

static int kind_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}
