/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a container, an operation: 'starting' is in its row before anything runs, 'running'
 * after.  A crash in between finds the supervisor, which outlives us, and goes on with it; without
 * one the start is taken back, since nobody knows how far the program has come.
 */
#include "core/container/container_start.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/units.h"
#include "core/attachment/attachment.h"
#include "core/attachment/lease_wait.h"
#include "core/box/box.h"
#include "core/box/box_control.h"
#include "core/box/container_launch.h"
#include "core/box/health.h"
#include "core/box/monitor.h"
#include "core/container/attach.h"
#include "core/container/container.h"
#include "core/container/container_event.h"
#include "core/operation/container_kinds.h"
#include "core/operation/op.h"
#include "core/service.h"
#include "core/volume/lineage.h"
#include "runtime/supervisor.h"
#include "store/container.h"

#define REVERT_TIMEOUT_MS 5000
#define REVERT_STEP_MS    10

struct start {
    const char *id;
    const char *from; /* the state to go back to */
    bool is_restart;  /* by its policy: counted */
    bool was_running; /* there is nothing to do */
    int64_t begun_ns;
    struct container container;
    int watch_fd; /* -1: none */
    int64_t pid;
    int64_t exit_code;
    const char *error;
};

static int start_prepare(struct task *task, struct op *op, struct error *err);
static int start_apply(struct task *task, struct op *op, struct error *err);
static int start_finish(struct task *task, struct op *op, struct error *err);
static int start_revert(struct task *task, struct op *op, struct error *err);
static int start_abandon(struct task *task, struct op *op, struct error *err);
static int start_load(struct task *task, struct op *op, struct error *err);
static void start_after(struct task *task, struct op *op, bool is_done);
static int run(struct task *task, struct start *start, struct error *err);
static int run_after_writer(struct task *task, struct start *start, struct error *err);
static int check_state(struct start *start, struct error *err);
static int begin_program(struct task *task, struct start *start, struct error *err);
static int find_running(struct task *task, struct start *start, struct error *err);
static int find_ended(struct task *task, struct start *start, int box_fd, struct error *err);
static int note_failure(struct task *task, struct start *start, struct error *err);
static int load_row(struct task *task, struct start *start, struct error *err);

const struct op_kind container_start_kind = {
    .name = "container.start",
    .prepare = start_prepare,
    .apply = start_apply,
    .finish = start_finish,
    .revert = start_revert,
    .abandon = start_abandon,
    .load = start_load,
    .after = start_after,
};

int container_start(struct task *task, const char *ref, bool *changed, struct error *err)
{
    cleanup_container struct container container = { 0 };
    struct start start = { .watch_fd = -1 };
    static const struct container_remove_spec removal = { .force = true, .with_volumes = true };

    *changed = false;
    if (container_get(task, ref, &container, err) < 0)
        return -1;
    if (strcmp(container.state, "paused") == 0)
        return fail(err, ERR_CONFLICT, "cannot start a paused container, try unpause instead");
    if (container.is_retired)
        return fail(err, ERR_CONFLICT,
                    "container %s is a generation that was replaced; 'volctl container rollback'"
                    " puts it back",
                    container.name);
    if (container_is_live(&container))
        return 0;
    start.id = container.id;
    monitor_forget_restart(task->service->monitor, container.id);
    int rc = run(task, &start, err);
    if (rc < 0 && !start.was_running && err->code == ERR_CONFLICT)
        rc = run_after_writer(task, &start, err);
    if (start.was_running)
        return 0;
    if (rc < 0 && start.error != NULL && container.is_auto_remove) {
        struct error ignored; /* the start's error is what the client is told */
        (void)container_remove(task, container.id, &removal, &ignored);
    }
    *changed = rc == 0;
    return rc;
}

void container_start_again(struct task *task, const char *id)
{
    struct start start = { .id = id, .is_restart = true, .watch_fd = -1 };
    struct error err;

    if (run(task, &start, &err) == 0 || start.was_running)
        return;
    /* Someone stopped or removed it in the meantime: nothing is wrong. */
    bool is_expected = err.code == ERR_NOT_FOUND || err.code == ERR_CONFLICT;
    log_line(is_expected ? LOG_DEBUG : LOG_ERROR, "cannot restart a container id=%s error=\"%s\"",
             id, err.message);
    monitor_forget_restart(task->service->monitor, id);
}

/* Where a writer is in the way, and the attachments allow to wait for its end. */
static int run_after_writer(struct task *task, struct start *start, struct error *err)
{
    struct lease_wait wait;
    int rc = -1;

    if (!lease_wait_begin(task, start->id, &wait))
        return -1;
    while (rc < 0 && !start->was_running && err->code == ERR_CONFLICT && lease_wait_next(&wait))
        rc = run(task, start, err);
    lease_wait_end(&wait);
    return rc;
}

static int run(struct task *task, struct start *start, struct error *err)
{
    cleanup_op struct op op = { .kind = &container_start_kind, .data = start };

    op.subject = arena_printf(task->mem, "container '%.12s'", start->id);
    int rc = op_run(task, &op, err);
    sys_close_fd(&start->watch_fd);
    container_done(&start->container);
    return rc;
}

static int start_prepare(struct task *task, struct op *op, struct error *err)
{
    struct start *start = op->data;

    if (load_row(task, start, err) < 0 || check_state(start, err) < 0 ||
        attachment_check_start(task, start->id, err) < 0)
        return -1;
    start->from = start->container.state;
    start->begun_ns = clock_now_ns();
    start->container.state = "starting";
    op->objects[0] = arena_printf(task->mem, "container:%s", start->id);
    op->note = json_pack("{ss ss sb sI}", "id", start->id, "from", start->from, "is_restart",
                         start->is_restart, "begun_ns", (json_int_t)start->begun_ns);
    return store_container_update(task->db, &start->container, err) < 0 ? -1 : 0;
}

static int check_state(struct start *start, struct error *err)
{
    const char *state = start->container.state;

    start->was_running = container_is_live(&start->container);
    if (start->was_running)
        return fail(err, ERR_CONFLICT, "container %s is running already", start->id);
    if (strcmp(state, "removing") == 0 || strcmp(state, "dead") == 0)
        return fail(err, ERR_CONFLICT, "container is marked for removal and cannot be started");
    if (start->is_restart && strcmp(state, "restarting") != 0)
        return fail(err, ERR_CONFLICT, "container %s waits for no restart", start->id);
    return 0;
}

static int start_apply(struct task *task, struct op *op, struct error *err)
{
    struct start *start = op->data;

    if (op->is_resumed)
        return find_running(task, start, err);
    if (container_launch(task, &start->container, err) < 0 || begin_program(task, start, err) < 0)
        return note_failure(task, start, err);
    return 0;
}

/* Watched and attached to before the program begins, so that nothing is missed. */
static int begin_program(struct task *task, struct start *start, struct error *err)
{
    cleanup_fd int box_fd = box_open(task, start->id, err);
    cleanup_buf struct buf answer = { 0 };

    if (box_fd < 0)
        return -1;
    start->watch_fd = supervisor_watch(box_fd, err);
    if (start->watch_fd < 0)
        return -1;
    attach_connect(box_fd, start->id);
    if (supervisor_ask(box_fd, "start", &answer, err) < 0)
        return -1;
    if (units_parse_int(answer.data, &start->pid) < 0)
        return fail(err, ERR_SYSTEM, "the supervisor said '%s' to start", answer.data);
    return 0;
}

/* After a crash: what the supervisor says, or what it left. */
static int find_running(struct task *task, struct start *start, struct error *err)
{
    cleanup_fd int box_fd = box_open(task, start->id, err);
    cleanup_buf struct buf answer = { 0 };
    struct error none;

    if (box_fd < 0)
        return note_failure(task, start, err);
    if (supervisor_ask(box_fd, "status", &answer, &none) < 0)
        return find_ended(task, start, box_fd, err);
    if (strncmp(answer.data, "created ", 8) == 0)
        return begin_program(task, start, err) < 0 ? note_failure(task, start, err) : 0;
    start->pid = box_status_pid(answer.data);
    start->watch_fd = supervisor_watch(box_fd, err);
    return start->watch_fd < 0 ? note_failure(task, start, err) : 0;
}

/* It has run and ended while nobody looked: it did start, and the monitor finds the end. */
static int find_ended(struct task *task, struct start *start, int box_fd, struct error *err)
{
    struct box_exit end;

    if (box_read_exit(task->mem, box_fd, &end, err) == 1 && end.started_ns >= start->begun_ns)
        return 0;
    (void)fail(err, ERR_SYSTEM, "the start was interrupted");
    return note_failure(task, start, err);
}

/* dockerd's words around the runner's; 126 and 127 are the client's fault. */
static int note_failure(struct task *task, struct start *start, struct error *err)
{
    start->exit_code = launch_exit_code(err->message, LAUNCH_START_FAILED);
    if (start->exit_code != LAUNCH_START_FAILED)
        err->code = ERR_INVALID;
    (void)error_prefix(err, "failed to create task for container");
    start->error = arena_strdup(task->mem, err->message);
    return -1;
}

static int start_finish(struct task *task, struct op *op, struct error *err)
{
    struct start *start = op->data;
    struct container *container = &start->container;

    container->state = "running";
    container->pid = start->pid;
    container->exit_code = 0;
    container->error = "";
    container->is_oom_killed = false;
    container->is_stop_wanted = false;
    container->restart_count = start->is_restart ? container->restart_count + 1 : 0;
    container->started_ns = clock_now_ns();
    container->health = health_initial(task, container);
    if (store_container_update(task->db, container, err) < 0 ||
        lineage_note_started(task, start->id, err) < 0 ||
        attachment_emit(task, start->id, "mount", err) < 0)
        return -1;
    return container_emit(task, container, "start", NULL, err);
}

/* Whatever runs is killed, and its supervisor cleans up behind it; or we do, where that died too.
 */
static int start_revert(struct task *task, struct op *op, struct error *err)
{
    struct start *start = op->data;
    cleanup_fd int box_fd = box_open(task, start->id, err);

    sys_close_fd(&start->watch_fd);
    if (box_fd < 0)
        return 0;
    for (int64_t waited_ms = 0; waited_ms < REVERT_TIMEOUT_MS; waited_ms += REVERT_STEP_MS) {
        cleanup_buf struct buf status = { 0 };
        struct error answer;
        (void)supervisor_ask(box_fd, "kill 9 all", NULL, &answer); /* the status tells */
        if (supervisor_ask(box_fd, "status", &status, &answer) < 0) {
            box_end_remains(task, start->id);
            return 0;
        }
        if (strncmp(status.data, "stopped", 7) == 0)
            return 0;
        (void)poll(NULL, 0, REVERT_STEP_MS); /* sleeps */
    }
    return fail(err, ERR_TIMEOUT, "container %s does not end", start->id);
}

static int start_abandon(struct task *task, struct op *op, struct error *err)
{
    struct start *start = op->data;
    struct container *container = &start->container;

    container->state = strcmp(start->from, "restarting") == 0 ? "exited" : start->from;
    container->exit_code = (int)start->exit_code;
    container->error = start->error != NULL ? start->error : "the start was interrupted";
    return store_container_update(task->db, container, err) < 0 ? -1 : 0;
}

static int start_load(struct task *task, struct op *op, struct error *err)
{
    struct start *start = arena_alloc(task->mem, sizeof(*start));

    *start = (struct start){ .watch_fd = -1, .from = "exited" };
    op->data = start;
    if (json_get_text(op->note, "id", task->mem, &start->id, err) < 0 ||
        json_get_text(op->note, "from", task->mem, &start->from, err) < 0 ||
        json_get_bool(op->note, "is_restart", &start->is_restart, err) < 0 ||
        json_get_int(op->note, "begun_ns", &start->begun_ns, err) < 0)
        return -1;
    op->objects[0] = arena_printf(task->mem, "container:%s", start->id);
    return load_row(task, start, err);
}

static void start_after(struct task *task, struct op *op, bool is_done)
{
    struct start *start = op->data;
    struct error ignored; /* without a box there is nobody to connect to */

    if (!is_done) {
        attach_drop(start->id);
        return;
    }
    cleanup_fd int box_fd = box_open(task, start->id, &ignored);
    if (box_fd >= 0)
        attach_connect(box_fd, start->id); /* who came while it started */
    health_start(task, &start->container);
    if (start->watch_fd >= 0)
        monitor_watch(task->service->monitor, start->id, move_fd(&start->watch_fd));
    if (op->is_resumed)
        container_done(&start->container);
}

static int load_row(struct task *task, struct start *start, struct error *err)
{
    int count = store_container_find(task->db, task->mem, start->id, &start->container, err);

    if (count < 0)
        return -1;
    return count > 0 ? 0 : fail(err, ERR_NOT_FOUND, "No such container: %s", start->id);
}
