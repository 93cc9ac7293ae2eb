/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at every container.  Its supervisor is asked first; where there is none, the box tells
 * the exit; where it does not, container and supervisor went with the host or were killed.
 */
#include "core/box/monitor_recover.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/box/box_control.h"
#include "core/box/health.h"
#include "core/box/monitor.h"
#include "core/box/restart.h"
#include "core/container/container.h"
#include "core/container/container_exit.h"
#include "core/service.h"
#include "runtime/supervisor.h"
#include "store/container.h"

static void recover_one(struct task *task, const struct container *container);
static void take_over(struct task *task, struct container *container, const char *status,
                      int box_fd);
static void record_end(struct task *task, const struct container *container);
static void restart_ended(struct task *task, const struct container *container);

int monitor_recover(struct task *task, struct error *err)
{
    struct container *list = NULL;
    int count = store_container_list(task->db, task->mem, false, &list, err);

    for (int i = 0; i < count; i++) {
        recover_one(task, &list[i]);
        container_done(&list[i]);
    }
    return count < 0 ? -1 : 0;
}

void monitor_read_end(struct task *task, const char *id, struct box_exit *end)
{
    struct error err;
    cleanup_fd int box_fd = box_open(task, id, &err);

    if (box_fd >= 0 && box_read_exit(task->mem, box_fd, end, &err) == 1)
        return;
    *end = (struct box_exit){ .code = MONITOR_CODE_UNKNOWN, .finished_ns = clock_now_ns() };
    box_end_remains(task, id);
}

static void recover_one(struct task *task, const struct container *container)
{
    cleanup_buf struct buf status = { 0 };
    struct container mine = *container; /* shares its JSON */
    struct error err;

    if (strcmp(container->state, "restarting") == 0) {
        monitor_restart_later(task->service->monitor, container->id, 0);
        return;
    }
    if (!container_is_live(container)) {
        restart_ended(task, container);
        return;
    }
    cleanup_fd int box_fd = box_open(task, container->id, &err);
    if (box_fd >= 0 && supervisor_ask(box_fd, "status", &status, &err) == 0 &&
        strncmp(status.data, "stopped", 7) != 0)
        take_over(task, &mine, status.data, box_fd);
    else
        record_end(task, container);
}

static void take_over(struct task *task, struct container *container, const char *status,
                      int box_fd)
{
    const char *state = strncmp(status, "paused", 6) == 0 ? "paused" : "running";
    struct error err;
    int watch_fd = supervisor_watch(box_fd, &err);

    if (watch_fd < 0) {
        record_end(task, container);
        return;
    }
    log_info("container taken over id=%s status=\"%s\"", container->id, status);
    if (strcmp(container->state, state) != 0) {
        container->state = state;
        if (store_container_update(task->db, container, &err) < 0)
            log_error("cannot record a state id=%s error=\"%s\"", container->id, err.message);
    }
    health_start(task, container);
    monitor_watch(task->service->monitor, container->id, watch_fd);
}

static void record_end(struct task *task, const struct container *container)
{
    struct exit_outcome outcome;
    struct box_exit end;
    struct error err;

    monitor_read_end(task, container->id, &end);
    log_info("container found ended id=%s code=%lld", container->id, (long long)end.code);
    if (container_record_exit(task, container->id, &end, 0, &outcome, &err) < 0) {
        log_error("cannot record an exit id=%s error=\"%s\"", container->id, err.message);
        return;
    }
    if (outcome.will_restart)
        monitor_restart_later(task->service->monitor, container->id, outcome.delay_ms);
}

/* What ended before: 'always' and 'unless-stopped' hold over a boot, if it ran at all. */
static void restart_ended(struct task *task, const struct container *container)
{
    struct restart_policy policy = restart_policy_of(container->host_config);
    struct container waiting = *container; /* shares its JSON */
    struct error err;

    if (container->is_retired || container->started_ns == 0 ||
        strcmp(container->state, "exited") != 0 ||
        !restart_is_due_at_boot(&policy, container->is_stop_wanted, false))
        return;
    waiting.state = "restarting";
    if (store_container_update(task->db, &waiting, &err) < 0) {
        log_error("cannot record a state id=%s error=\"%s\"", container->id, err.message);
        return;
    }
    monitor_restart_later(task->service->monitor, container->id, 0);
}
