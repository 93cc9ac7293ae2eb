/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the process, step by step, each when the one before is done:
 *
 *     ended ─> output drained ─> exit file durable ─┬─> all are told ─> connections closed ─> over
 *         └──> state and cgroups deleted ───────────┘
 *
 * Whoever is told may at once make a container of the same name in the same box: by then nothing of
 * this one is left but this process and what clients have not read yet.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "runner/supervise/supervise_state.h"

#define NS_PER_S            1000000000LL
#define DRAIN_MAX_NS        (2 * NS_PER_S) /* others may hold the pipes open for ever */
#define DELETE_MAX_NS       (15 * NS_PER_S)
#define EXIT_RETRY_NS       (NS_PER_S / 2)
#define EXIT_GIVE_UP_NS     (10 * NS_PER_S)
#define LINGER_NS           NS_PER_S        /* for those who only need to read the last line */
#define LINGER_STUCK_NS     (30 * NS_PER_S) /* for those who still take output */
#define CREATED_LOOK_NS     (2 * NS_PER_S)
#define EXIT_CODE_OF_SIGNAL 128

static void reaped(struct supervisor *supervisor, pid_t pid, int status);
static void process_ended(struct supervisor *supervisor, int status);
static bool drain(struct supervisor *supervisor, int64_t now_ns);
static bool record(struct supervisor *supervisor, int64_t now_ns);
static bool delete_container(struct supervisor *supervisor, int64_t now_ns);
static void tell_all(struct supervisor *supervisor, int64_t now_ns);
static bool is_lingering(struct supervisor *supervisor, int64_t now_ns);
static void leave_removed_box(struct supervisor *supervisor);
static int64_t oom_count(const struct supervisor *supervisor);

void end_reap(struct supervisor *supervisor)
{
    int status = 0;

    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        reaped(supervisor, pid, status);
}

void end_advance(struct supervisor *supervisor, int64_t now_ns)
{
    if (supervisor->phase == PHASE_CREATED && box_is_removed(&supervisor->box))
        leave_removed_box(supervisor);
    if (supervisor->phase == PHASE_ENDED && !supervisor->is_starting) {
        bool is_deleted = delete_container(supervisor, now_ns);
        if (drain(supervisor, now_ns) && record(supervisor, now_ns) && is_deleted)
            tell_all(supervisor, now_ns);
    }
    if (supervisor->phase == PHASE_TOLD && !is_lingering(supervisor, now_ns))
        supervisor->is_over = true;
}

int64_t end_due_ns(const struct supervisor *supervisor)
{
    const struct end *end = &supervisor->end;
    int64_t now_ns = clock_mono_ns();

    switch (supervisor->phase) {
    case PHASE_CREATED: return now_ns + CREATED_LOOK_NS;
    case PHASE_RUNNING: return INT64_MAX;
    case PHASE_ENDED: return now_ns + EXIT_RETRY_NS;
    case PHASE_TOLD:
        return end->told_ns + LINGER_NS > now_ns ? end->told_ns + LINGER_NS : now_ns + NS_PER_S;
    }
    return INT64_MAX;
}

void end_check_oom(struct supervisor *supervisor)
{
    uint64_t ignored = 0;

    if (supervisor->oom.fd >= 0)
        (void)sys_read(supervisor->oom.fd, &ignored, sizeof(ignored)); /* only to silence it */
    int64_t count = oom_count(supervisor);
    if (count <= supervisor->oom_count)
        return;
    supervisor->oom_count = count;
    supervisor->was_oom = true;
    connection_each(connection, supervisor)
        if (connection->is_watching)
            connection_tell(supervisor, connection, "oom\n");
}

void end_tell(struct supervisor *supervisor, struct connection *connection)
{
    char line[160];
    const struct end *end = &supervisor->end;

    (void)snprintf(line, sizeof(line), "exited %d %d %d %lld %lld\n", end->code, end->signal,
                   supervisor->was_oom, (long long)supervisor->started_ns,
                   (long long)end->finished_ns);
    connection_tell(supervisor, connection, line);
}

static void reaped(struct supervisor *supervisor, pid_t pid, int status)
{
    struct worker *start = &supervisor->lone_start;
    struct worker *deleter = &supervisor->end.worker;

    if (pid == supervisor->made.pid && supervisor->phase < PHASE_ENDED) {
        process_ended(supervisor, status);
        return;
    }
    if (start->kind != WORKER_NONE && start->pid == pid) {
        request_start_done(supervisor, start->answer_fd);
        sys_close_fd(&start->answer_fd);
        start->kind = WORKER_NONE;
        return;
    }
    if (deleter->kind != WORKER_NONE && deleter->pid == pid) {
        sys_close_fd(&deleter->answer_fd);
        deleter->kind = WORKER_NONE;
        supervisor->end.is_deleted = true; /* or not: then reconcile finds what is left */
        return;
    }
    connection_each(connection, supervisor)
        if (connection->worker.kind != WORKER_NONE && connection->worker.pid == pid)
            connection_worker_ended(supervisor, connection, status);
}

static void process_ended(struct supervisor *supervisor, int status)
{
    struct end *end = &supervisor->end;

    end_check_oom(supervisor); /* now, as long as the cgroup is there */
    supervisor->phase = PHASE_ENDED;
    end->finished_ns = clock_now_ns();
    end->ended_ns = clock_mono_ns();
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end->code = end->signal != 0 ? EXIT_CODE_OF_SIGNAL + end->signal : WEXITSTATUS(status);
    end->is_deleted = supervisor->options->is_exec;
}

/* True when nothing more will come. */
static bool drain(struct supervisor *supervisor, int64_t now_ns)
{
    /* Its cgroup is empty when it has been deleted: what is readable then is all there is. */
    for (int i = 0; i < 2; i++)
        if (supervisor->output[i].fd >= 0 && now_ns > supervisor->end.ended_ns + DRAIN_MAX_NS)
            output_close(supervisor, i);
    return output_is_over(supervisor);
}

/* True when the exit file is durable, or hopeless. */
static bool record(struct supervisor *supervisor, int64_t now_ns)
{
    char text[1536];
    struct error err = { 0 };
    struct end *end = &supervisor->end;

    if (end->is_recorded)
        return true;
    if (now_ns < end->exit_retry_ns)
        return false;
    bool is_unstarted = supervisor->started_ns == 0 && end->start_error[0] != '\0';
    (void)snprintf(text, sizeof(text), "%d %d %d %lld %lld\n%s%s", end->code, end->signal,
                   supervisor->was_oom, (long long)supervisor->started_ns,
                   (long long)end->finished_ns, is_unstarted ? end->start_error : "",
                   is_unstarted ? "\n" : "");
    log_file_close(&supervisor->log);
    end->is_recorded = box_write_exit(&supervisor->box, text, &err) == 0 ||
                       box_is_removed(&supervisor->box) || now_ns > end->ended_ns + EXIT_GIVE_UP_NS;
    end->exit_retry_ns = now_ns + EXIT_RETRY_NS;
    return end->is_recorded;
}

static bool delete_container(struct supervisor *supervisor, int64_t now_ns)
{
    struct end *end = &supervisor->end;
    struct error err = { 0 };

    if (end->is_deleted || now_ns > end->ended_ns + DELETE_MAX_NS)
        return true;
    if (end->worker.kind == WORKER_NONE)
        (void)worker_begin(supervisor, WORKER_DELETE, NULL, NULL, &err); /* no memory: next turn */
    return false;
}

static void tell_all(struct supervisor *supervisor, int64_t now_ns)
{
    source_forget(supervisor, &supervisor->listener);
    sys_close_fd(&supervisor->listener.fd);
    source_forget(supervisor, &supervisor->oom);
    supervisor->oom.fd = -1;
    box_leave(&supervisor->box);
    supervisor->phase = PHASE_TOLD;
    supervisor->end.told_ns = now_ns;
    connection_each(connection, supervisor) {
        connection->progress_ns = now_ns;
        connection->is_finishing = attach_is_on(&connection->attach);
        if (connection->is_watching)
            end_tell(supervisor, connection);
    }
}

static bool is_lingering(struct supervisor *supervisor, int64_t now_ns)
{
    bool is_recent = now_ns < supervisor->end.told_ns + LINGER_NS;

    connection_each(connection, supervisor) {
        if (is_recent)
            return true;
        if ((attach_is_on(&connection->attach) || connection_is_busy(connection)) &&
            now_ns < connection->progress_ns + LINGER_STUCK_NS)
            return true;
    }
    return false;
}

/* Nobody can ask for anything any more, and nobody did ask for the start. */
static void leave_removed_box(struct supervisor *supervisor)
{
    freezer_resume(&supervisor->freezer);
    (void)sys_pidfd_send_signal(supervisor->pidfd, SIGKILL); /* dead already: its end is coming */
}

static int64_t oom_count(const struct supervisor *supervisor)
{
    char text[1024];
    int fd = supervisor->made.fds[MADE_OOM_COUNT];
    ssize_t size = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

    text[size < 0 ? 0 : size] = '\0';
    const char *word = strstr(text, "oom_kill ");
    return word == NULL ? 0 : strtoll(word + strlen("oom_kill "), NULL, 10);
}
