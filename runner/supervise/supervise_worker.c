/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers: children that live for one task.  What they allocate, parse, or break goes with them, so
 * the supervisor stays small and alive.  A worker's answer is a line in a memfd, which the
 * supervisor sends on when the worker has ended: it may be of any size and never blocks a worker.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/units.h"
#include "runner/supervise/supervise_state.h"

struct task {
    struct supervisor *supervisor;
    struct arena *mem;
    struct container *container; /* NULL: of an exec, or there is none any more */
    struct connection *client;   /* or NULL */
    const char *text;
    struct buf answer;
};

static void worker_main(struct supervisor *supervisor, enum worker_kind kind, const char *text,
                        struct connection *client, int answer_fd) __attribute__((noreturn));
static int task_run(struct task *task, enum worker_kind kind, struct error *err);
static int task_start(struct task *task, struct error *err);
static int task_kill_all(struct task *task, struct error *err);
static int task_update(struct task *task, struct error *err);
static int task_pids(struct task *task, struct error *err);
static int task_stats(struct task *task, struct error *err);
static int task_replay(struct task *task, struct error *err);
static int task_delete(struct task *task, struct error *err);

int worker_begin(struct supervisor *supervisor, enum worker_kind kind, const char *text,
                 struct connection *client, struct error *err)
{
    struct worker *worker = client != NULL ? &client->worker : &supervisor->end.worker;
    cleanup_fd int answer_fd = memfd_create("answer", MFD_CLOEXEC);

    if (answer_fd < 0)
        return fail_sys(err, -errno, "cannot begin the work");
    pid_t pid = fork();
    if (pid < 0)
        return fail_sys(err, -errno, "cannot begin the work");
    if (pid == 0)
        worker_main(supervisor, kind, text, client, answer_fd);
    *worker = (struct worker){ .kind = kind, .pid = pid, .answer_fd = move_fd(&answer_fd) };
    return 0;
}

static void worker_main(struct supervisor *supervisor, enum worker_kind kind, const char *text,
                        struct connection *client, int answer_fd)
{
    struct error err = { 0 };
    struct task task = { .supervisor = supervisor, .client = client, .text = text };
    sigset_t none;

    (void)sigemptyset(&none);                        /* as below, cannot fail */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);     /* hooks would inherit the supervisor's */
    (void)prctl(PR_SET_NAME, "worker", 0, 0, 0);     /* for whoever looks at ps */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* without a supervisor it has no purpose */
    task.mem = arena_new();
    int rc = task_run(&task, kind, &err);
    if (rc < 0) {
        buf_clear(&task.answer);
        buf_printf(&task.answer, "error %s %s", error_code_name(err.code), err.message);
        for (size_t i = 0; i < task.answer.size; i++)
            if (task.answer.data[i] == '\n')
                task.answer.data[i] = ' ';
    }
    buf_append(&task.answer, "\n", 1);
    if (sys_write_all(answer_fd, task.answer.data, task.answer.size) < 0)
        rc = -1;
    _exit(rc < 0);
}

static int task_run(struct task *task, enum worker_kind kind, struct error *err)
{
    static int (*const tasks[])(struct task *, struct error *) = {
        [WORKER_START] = task_start,   [WORKER_KILL_ALL] = task_kill_all,
        [WORKER_UPDATE] = task_update, [WORKER_PIDS] = task_pids,
        [WORKER_STATS] = task_stats,   [WORKER_REPLAY] = task_replay,
        [WORKER_DELETE] = task_delete,
    };
    const struct supervise_options *options = task->supervisor->options;
    bool is_of_container = !options->is_exec && kind != WORKER_REPLAY;

    if (is_of_container &&
        container_open(task->mem, options->root, options->id, &task->container, err) < 0) {
        if (kind != WORKER_DELETE || err->code != ERR_NOT_FOUND)
            return -1;
        task->container = NULL;
    }
    buf_text(&task->answer, "ok");
    return tasks[kind](task, err);
}

static int task_start(struct task *task, struct error *err)
{
    const struct made *made = &task->supervisor->made;
    struct exec exec = {
        .pid = made->pid,
        .pidfd = task->supervisor->pidfd,
        .console_fd = -1,
        .hold_fd = made->fds[MADE_HOLD],
    };
    int rc = task->container != NULL ? container_start(task->container, err)
                                     : container_exec_start(&exec, err);

    buf_printf(&task->answer, " %d", (int)made->pid);
    return rc;
}

static int task_kill_all(struct task *task, struct error *err)
{
    int64_t number = 0;

    if (units_parse_int(task->text, &number) < 0)
        return fail(err, ERR_INVALID, "'%s' is not a signal", task->text);
    return container_kill_all(task->container, (int)number, err);
}

static int task_update(struct task *task, struct error *err)
{
    cleanup_json json_t *resources = json_read(task->text, strlen(task->text), err);

    return resources == NULL ? -1 : container_update(task->container, resources, err);
}

static int task_pids(struct task *task, struct error *err)
{
    pid_t *pids = NULL;
    size_t count = 0;

    if (container_pids(task->mem, task->container, &pids, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        buf_printf(&task->answer, " %d", (int)pids[i]);
    return 0;
}

static int task_stats(struct task *task, struct error *err)
{
    cleanup_json json_t *stats = container_stats(task->container, err);

    if (stats == NULL)
        return -1;
    buf_text(&task->answer, " ");
    json_append(&task->answer, stats);
    return 0;
}

static int task_replay(struct task *task, struct error *err)
{
    return replay_send(task->supervisor, &task->client->attach, task->client->source.fd, err);
}

static int task_delete(struct task *task, struct error *err)
{
    return task->container == NULL ? 0 : container_delete(task->container, true, err);
}
