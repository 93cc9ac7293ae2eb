/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a run.  State, events and (for a container that removes itself) the removal are one
 * transaction, so that `run --rm` costs one commit at its end.
 */
#include "core/container/container_exit.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/attachment/attachment.h"
#include "core/attachment/lease.h"
#include "core/box/health.h"
#include "core/box/monitor.h"
#include "core/box/restart.h"
#include "core/container/container_event.h"
#include "core/container/container_remove.h"
#include "core/container/wait.h"
#include "core/operation/event.h"
#include "core/service.h"
#include "store/container.h"

static int record(struct task *task, struct container *container, const struct box_exit *end,
                  struct exit_outcome *outcome, struct error *err);
static void decide(const struct container *container, const struct box_exit *end,
                   int64_t last_delay_ms, struct exit_outcome *outcome);
static int emit_die(struct task *task, const struct container *container,
                    const struct box_exit *end, struct error *err);

int container_record_exit(struct task *task, const char *id, const struct box_exit *end,
                          int64_t last_delay_ms, struct exit_outcome *outcome, struct error *err)
{
    cleanup_container struct container container = { 0 };
    struct attachment_garbage garbage = { 0 };
    cleanup_tx struct tx tx = { 0 };

    *outcome = (struct exit_outcome){ 0 };
    health_stop(id);
    if (tx_begin(&tx, task->db, err) < 0)
        return -1;
    int count = store_container_find(task->db, task->mem, id, &container, err);
    if (count <= 0)
        return count;
    if (!container_is_live(&container))
        return 0;
    decide(&container, end, last_delay_ms, outcome);
    if (record(task, &container, end, outcome, err) < 0)
        return -1;
    struct attachment *attached = NULL; /* before the row goes: whose turn it is then */
    size_t attached_count = 0;
    if (attachment_list(task, id, &attached, &attached_count, err) < 0)
        return -1;
    if (outcome->is_removed && container_forget(task, &container, true, &garbage, err) < 0)
        return -1;
    if (tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(task->service->bell);
    wait_wake_exit(id, end->code, outcome->will_restart);
    if (attachment_release(task, id, err) < 0) /* the next release, or reconcile, will */
        log_warn("cannot unmount what a container used id=%s error=\"%s\"", id, err->message);
    for (size_t i = 0; !outcome->will_restart && i < attached_count; i++)
        monitor_defer(task->service->monitor, lease_succeed, attached[i].volume_id);
    if (outcome->is_removed)
        container_clear_away(task, &container, &garbage);
    return 0;
}

int container_record_oom(struct task *task, const char *id, struct error *err)
{
    cleanup_container struct container container = { 0 };
    cleanup_tx struct tx tx = { 0 };

    if (tx_begin(&tx, task->db, err) < 0)
        return -1;
    int count = store_container_find(task->db, task->mem, id, &container, err);
    if (count <= 0)
        return count;
    container.is_oom_killed = true;
    if (store_container_update(task->db, &container, err) < 0 ||
        container_emit(task, &container, "oom", NULL, err) < 0 || tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(task->service->bell);
    return 0;
}

static void decide(const struct container *container, const struct box_exit *end,
                   int64_t last_delay_ms, struct exit_outcome *outcome)
{
    struct restart_policy policy = restart_policy_of(container->host_config);
    struct restart_facts facts = {
        .exit_code = end->code,
        .restart_count = container->restart_count,
        .ran_ns = end->finished_ns - container->started_ns,
        .last_delay_ms = last_delay_ms,
        .is_stop_wanted = container->is_stop_wanted,
    };

    outcome->is_removed = container->is_auto_remove;
    outcome->will_restart =
        !outcome->is_removed && restart_is_due(&policy, &facts, &outcome->delay_ms);
}

static int record(struct task *task, struct container *container, const struct box_exit *end,
                  struct exit_outcome *outcome, struct error *err)
{
    container->state = outcome->will_restart ? "restarting" : "exited";
    container->exit_code = (int)end->code;
    container->is_oom_killed = container->is_oom_killed || end->is_oom;
    container->pid = 0;
    container->finished_ns = end->finished_ns != 0 ? end->finished_ns : clock_now_ns();
    if (!outcome->is_removed && store_container_update(task->db, container, err) < 0)
        return -1;
    if (emit_die(task, container, end, err) < 0 ||
        (!outcome->will_restart && lease_end(task, container->id, err) < 0))
        return -1;
    return attachment_emit(task, container->id, "unmount", err);
}

static int emit_die(struct task *task, const struct container *container,
                    const struct box_exit *end, struct error *err)
{
    struct pairs extra = { 0 };
    int64_t ran_s = (container->finished_ns - container->started_ns) / 1000000000;

    pairs_set(&extra, task->mem, "exitCode", arena_printf(task->mem, "%" PRId64, end->code));
    pairs_set(&extra, task->mem, "execDuration",
              arena_printf(task->mem, "%" PRId64, ran_s > 0 ? ran_s : 0));
    return container_emit(task, container, "die", &extra, err);
}
