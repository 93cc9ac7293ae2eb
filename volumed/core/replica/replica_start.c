/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a replica and waiting for it, so that one is well before the next is touched. */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "core/container/container.h"
#include "core/operation/op.h"
#include "core/replica/replica.h"

#define LOOK_MS    100
#define HEALTHY_MS 120000 /* for one replica to become healthy */

static int look(struct task *task, const char *name, bool *is_well, struct error *err);

/* One that has started and could not be noted is noted now: nobody else does for half a minute. */
int replica_start(struct task *task, const char *name, struct error *err)
{
    struct error pending;
    bool changed;

    if (container_start(task, name, &changed, err) == 0)
        return 0;
    if (err->code != ERR_PENDING || op_resume_all(task, &pending) < 0)
        return error_prefix(err, "cannot start it");
    return container_start(task, name, &changed, err) < 0 ? error_prefix(err, "cannot start it")
                                                          : 0;
}

int replica_await(struct scale_run *run, const char *name, struct error *err)
{
    int64_t until_ms = clock_mono_ms() + HEALTHY_MS;
    bool is_well = false;

    for (;;) {
        struct pollfd pollfd = { .fd = run->stop_fd, .events = POLLIN };
        if (look(run->task, name, &is_well, err) < 0)
            return -1;
        if (is_well)
            return 0;
        if (clock_mono_ms() > until_ms)
            return fail(err, ERR_TIMEOUT, "it was not healthy within %d s", HEALTHY_MS / 1000);
        if (poll(&pollfd, 1, LOOK_MS) > 0)
            return 1;
    }
}

static int look(struct task *task, const char *name, bool *is_well, struct error *err)
{
    cleanup_container struct container container = { 0 };
    struct error ignored;
    const char *status = "none";

    if (container_get(task, name, &container, err) < 0)
        return -1;
    if (!container_is_live(&container) && strcmp(container.state, "starting") != 0)
        return fail(err, ERR_CONFLICT, "it exited with status %d", container.exit_code);
    if (container.health[0] != '\0') {
        cleanup_json json_t *health =
            json_read(container.health, strlen(container.health), &ignored);
        (void)json_get_text(health, "Status", task->mem, &status, &ignored); /* then none */
    }
    if (strcmp(status, "unhealthy") == 0)
        return fail(err, ERR_CONFLICT, "it is unhealthy");
    *is_well = strcmp(status, "starting") != 0 && container_is_live(&container);
    return 0;
}
