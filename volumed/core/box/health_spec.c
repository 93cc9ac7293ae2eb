/* SPDX-License-Identifier: Apache-2.0 */
/* What a health check is, and what its results mean; no threads here. */
#include <string.h>

#include "core/box/health.h"

#define INTERVAL_MS       30000
#define TIMEOUT_MS        30000
#define START_INTERVAL_MS 5000
#define RETRIES           3
#define NS_PER_MS         1000000

static int64_t milliseconds(const json_t *check, const char *name, int64_t otherwise_ms);
static const char *const *shell_command(struct arena *mem, const json_t *shell,
                                        const char *command);

int health_spec_parse(struct arena *mem, const json_t *healthcheck, const json_t *shell,
                      struct health_spec *spec, struct error *err)
{
    const char *const *test = NULL;
    int64_t retries = json_integer_value(json_member(healthcheck, "Retries"));

    *spec = (struct health_spec){
        .interval_ms = milliseconds(healthcheck, "Interval", INTERVAL_MS),
        .timeout_ms = milliseconds(healthcheck, "Timeout", TIMEOUT_MS),
        .start_period_ms = milliseconds(healthcheck, "StartPeriod", 0),
        .start_interval_ms = milliseconds(healthcheck, "StartInterval", START_INTERVAL_MS),
        .retries = retries > 0 ? retries : RETRIES,
    };
    if (json_get_list(healthcheck, "Test", mem, &test, err) < 0)
        return -1;
    if (test == NULL || test[0] == NULL || strcmp(test[0], "NONE") == 0)
        return 0;
    if (strcmp(test[0], "CMD-SHELL") == 0 && test[1] != NULL)
        spec->argv = shell_command(mem, shell, test[1]);
    else if (strcmp(test[0], "CMD") == 0 && test[1] != NULL)
        spec->argv = test + 1;
    else
        return fail(err, ERR_INVALID, "Unknown healthcheck type '%s'", test[0]);
    return 0;
}

const char *health_status_name(enum health_status status)
{
    static const char *const names[] = {
        [HEALTH_STARTING] = "starting",
        [HEALTHY] = "healthy",
        [UNHEALTHY] = "unhealthy",
    };

    return names[status];
}

/* Failures in the start period do not count; the first success ends it. */
bool health_state_apply(struct health_state *state, const struct health_spec *spec, int64_t age_ms,
                        bool is_success)
{
    enum health_status before = state->status;

    if (is_success) {
        state->failing_streak = 0;
        state->status = HEALTHY;
        return before != HEALTHY;
    }
    if (state->status == HEALTH_STARTING && age_ms < spec->start_period_ms)
        return false;
    state->failing_streak++;
    if (state->failing_streak >= spec->retries)
        state->status = UNHEALTHY;
    return before != state->status;
}

static int64_t milliseconds(const json_t *check, const char *name, int64_t otherwise_ms)
{
    int64_t value_ns = json_integer_value(json_member(check, name));

    return value_ns > 0 ? (value_ns + NS_PER_MS - 1) / NS_PER_MS : otherwise_ms;
}

static const char *const *shell_command(struct arena *mem, const json_t *shell, const char *command)
{
    static const char *const usual[] = { "/bin/sh", "-c" };
    size_t count = json_array_size(shell);
    size_t words = count > 0 ? count : ARRAY_SIZE(usual);
    const char **argv = arena_array(mem, words + 2, sizeof(*argv));

    for (size_t i = 0; i < words; i++)
        argv[i] =
            count > 0 ? arena_strdup(mem, json_string_value(json_array_get(shell, i))) : usual[i];
    argv[words] = command;
    return argv;
}
