/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stop, kill, restart.  These hold no intent: a stop may take as long as its container wants, and a
 * kill must get through meanwhile.  That someone wants it down is in the row before the signal
 * goes out, so that no restart policy undoes it, whatever becomes of us.
 */
#include "core/container/container_stop.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "core/box/box_control.h"
#include "core/box/monitor.h"
#include "core/container/container.h"
#include "core/container/container_config.h"
#include "core/container/container_event.h"
#include "core/container/container_io.h"
#include "core/operation/event.h"
#include "core/service.h"
#include "store/container.h"

#define STOP_TIMEOUT_S   10
#define KILL_TIMEOUT_MS  10000
#define TIMEOUT_FOR_EVER (-2)

/* A signal on its way. */
struct hit {
    int signal;
    bool is_meant_to_end; /* then no restart policy applies */
};

static int bring_down(struct task *task, const struct container *container, const char *signal,
                      int64_t timeout_s, struct error *err);
static int send_signal(struct task *task, const struct container *container, struct hit hit,
                       struct error *err);
static int note_signal(struct task *task, const struct container *container, struct hit hit,
                       struct error *err);
static int give_up_restart(struct task *task, const char *id, struct error *err);
static int await_end(struct wait *wait, int64_t timeout_ms);
static int stop_signal(const struct container *container, const char *wanted, int *number,
                       struct error *err);
static int64_t stop_timeout_ms(const struct container *container, int64_t timeout_s);
static int emit_alone(struct task *task, const struct container *container, const char *action,
                      struct error *err);

int container_stop(struct task *task, const char *ref, const char *signal, int64_t timeout_s,
                   bool *changed, struct error *err)
{
    cleanup_container struct container container = { 0 };

    *changed = false;
    if (container_get(task, ref, &container, err) < 0)
        return -1;
    if (strcmp(container.state, "restarting") == 0) {
        *changed = true;
        return give_up_restart(task, container.id, err);
    }
    if (!container_is_live(&container))
        return 0;
    if (bring_down(task, &container, signal, timeout_s, err) < 0)
        return -1;
    *changed = true;
    return emit_alone(task, &container, "stop", err);
}

int container_restart(struct task *task, const char *ref, const char *signal, int64_t timeout_s,
                      struct error *err)
{
    cleanup_container struct container container = { 0 };
    bool changed;

    if (container_get(task, ref, &container, err) < 0 ||
        container_stop(task, container.id, signal, timeout_s, &changed, err) < 0 ||
        container_start(task, container.id, &changed, err) < 0)
        return -1;
    return emit_alone(task, &container, "restart", err);
}

int container_kill(struct task *task, const char *ref, const char *signal, struct error *err)
{
    cleanup_container struct container container = { 0 };
    struct hit hit = { .signal = SIGKILL };
    int end_signal = SIGTERM;

    if (signal != NULL && signal[0] != '\0' && signal_find(signal, &hit.signal, err) < 0)
        return -1;
    if (container_get(task, ref, &container, err) < 0)
        return -1;
    if (strcmp(container.state, "restarting") == 0)
        return give_up_restart(task, container.id, err);
    if (!container_is_live(&container))
        return fail(err, ERR_CONFLICT, "Cannot kill container: %s: Container %s is not running",
                    ref, container.id);
    if (stop_signal(&container, NULL, &end_signal, err) < 0)
        return -1;
    hit.is_meant_to_end = hit.signal == SIGKILL || hit.signal == end_signal;
    return send_signal(task, &container, hit, err);
}

int container_force_down(struct task *task, const struct container *container, int64_t timeout_ms,
                         struct error *err)
{
    struct hit hit = { .signal = SIGKILL, .is_meant_to_end = true };
    struct wait *wait;

    if (strcmp(container->state, "restarting") == 0)
        return give_up_restart(task, container->id, err);
    if (!container_is_live(container))
        return 0;
    if (container_wait(task, container->id, "not-running", &wait, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    int rc = send_signal(task, container, hit, err);
    if (rc < 0 && err->code == ERR_CONFLICT) /* it has ended; the monitor is writing it down */
        rc = 0;
    if (rc == 0 && await_end(wait, timeout_ms) == 0)
        rc = fail(err, ERR_TIMEOUT, "container %s did not end after SIGKILL", container->id);
    wait_free(wait);
    return rc;
}

static int bring_down(struct task *task, const struct container *container, const char *signal,
                      int64_t timeout_s, struct error *err)
{
    struct hit hit = { .is_meant_to_end = true };
    struct wait *wait;

    if (stop_signal(container, signal, &hit.signal, err) < 0 ||
        container_wait(task, container->id, "not-running", &wait, err) < 0)
        return -1;
    int rc = send_signal(task, container, hit, err);
    if (rc < 0 && err->code == ERR_CONFLICT)
        rc = 0; /* it has ended by itself */
    int has_ended = rc < 0 ? 0 : await_end(wait, stop_timeout_ms(container, timeout_s));
    wait_free(wait);
    if (rc < 0 || has_ended)
        return rc;
    return container_force_down(task, container, KILL_TIMEOUT_MS, err);
}

static int send_signal(struct task *task, const struct container *container, struct hit hit,
                       struct error *err)
{
    const char *request = arena_printf(task->mem, "kill %d", hit.signal);

    if (note_signal(task, container, hit, err) < 0 ||
        box_ask(task, container->id, request, NULL, err) < 0)
        return -1;
    /* A frozen process acts on no signal; for SIGKILL the supervisor wakes it by itself. */
    if (!hit.is_meant_to_end || hit.signal == SIGKILL || strcmp(container->state, "paused") != 0)
        return 0;
    return box_ask(task, container->id, "resume", NULL, err);
}

static int note_signal(struct task *task, const struct container *container, struct hit hit,
                       struct error *err)
{
    cleanup_container struct container now = { 0 };
    cleanup_tx struct tx tx = { 0 };

    if (tx_begin(&tx, task->db, err) < 0)
        return -1;
    int count = store_container_find(task->db, task->mem, container->id, &now, err);
    if (count < 0)
        return -1;
    if (count == 0 || !container_is_live(&now))
        return fail(err, ERR_CONFLICT, "Container %s is not running", container->id);
    now.is_stop_wanted = now.is_stop_wanted || hit.is_meant_to_end;
    if (strcmp(now.state, "paused") == 0 && hit.is_meant_to_end)
        now.state = "running"; /* it is woken to see its end */
    if (store_container_update(task->db, &now, err) < 0 ||
        container_emit_with(task, &now, "kill", "signal", arena_printf(task->mem, "%d", hit.signal),
                            err) < 0 ||
        tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(task->service->bell);
    return 0;
}

static int give_up_restart(struct task *task, const char *id, struct error *err)
{
    cleanup_container struct container now = { 0 };
    cleanup_tx struct tx tx = { 0 };

    monitor_forget_restart(task->service->monitor, id);
    if (tx_begin(&tx, task->db, err) < 0)
        return -1;
    int count = store_container_find(task->db, task->mem, id, &now, err);
    if (count <= 0)
        return count;
    if (strcmp(now.state, "restarting") == 0) {
        now.state = "exited";
        now.is_stop_wanted = true;
        if (store_container_update(task->db, &now, err) < 0)
            return -1;
    }
    return tx_commit(&tx, err);
}

/* 1 it has ended, 0 the time is up. */
static int await_end(struct wait *wait, int64_t timeout_ms)
{
    int64_t until_ms = timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
    struct pollfd pollfd = { .fd = wait_fd(wait), .events = POLLIN };
    const char *message;
    int64_t exit_code;

    while (!wait_is_over(wait, &exit_code, &message)) {
        int64_t left_ms = until_ms - clock_mono_ms();
        if (left_ms <= 0)
            return 0;
        (void)poll(&pollfd, 1, left_ms > 1000 ? 1000 : (int)left_ms); /* looked at again anyway */
    }
    return 1;
}

static int stop_signal(const struct container *container, const char *wanted, int *number,
                       struct error *err)
{
    const char *own = json_string_value(json_object_get(container->config, "StopSignal"));

    if (wanted != NULL && wanted[0] != '\0')
        return signal_find(wanted, number, err);
    if (own != NULL && own[0] != '\0')
        return signal_find(own, number, err);
    *number = SIGTERM;
    return 0;
}

static int64_t stop_timeout_ms(const struct container *container, int64_t timeout_s)
{
    const json_t *own = json_object_get(container->config, "StopTimeout");

    if (timeout_s == -1)
        timeout_s = json_is_integer(own) ? json_integer_value(own) : STOP_TIMEOUT_S;
    return timeout_s < 0 ? TIMEOUT_FOR_EVER : timeout_s * 1000;
}

static int emit_alone(struct task *task, const struct container *container, const char *action,
                      struct error *err)
{
    return container_emit(task, container, action, NULL, err);
}
