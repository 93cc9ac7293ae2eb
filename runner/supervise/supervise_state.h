/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's state, shared by supervise_*.c and by nobody else.  One instance, static, whose
 * pages are touched as they are needed; nothing in it is allocated.
 *
 *   loop        waits, and calls the others          connection  one client of ctl.sock
 *   output      the process's output to all          request     what a line asks for
 *   worker      children that do what takes memory   end         how it ends
 */
#ifndef RUNNER_SUPERVISE_STATE_H
#define RUNNER_SUPERVISE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "runner/supervise/attach.h"
#include "runner/supervise/freeze.h"
#include "runner/supervise/log_file.h"
#include "runner/supervise/stdio_ends.h"
#include "runner/supervise/supervise.h"
#include "runner/supervise/supervise_box.h"
#include "runner/supervise/supervise_maker.h"

#define CONNECTION_COUNT_MAX 1024
#define CONNECTION_LINE_MAX  65536
#define WORD_COUNT_MAX       3

enum source_kind {
    SOURCE_CHILD, /* signalfd */
    SOURCE_LISTENER,
    SOURCE_OUTPUT,
    SOURCE_INPUT,
    SOURCE_OOM,
    SOURCE_FREEZER,
    SOURCE_CONNECTION,
};

/* A descriptor in the epoll set. */
struct source {
    enum source_kind kind;
    int fd;
    int index; /* which stream or connection */
    uint32_t events;
    bool is_watched;
};

enum worker_kind {
    WORKER_NONE,
    WORKER_START,
    WORKER_KILL_ALL,
    WORKER_UPDATE,
    WORKER_PIDS,
    WORKER_STATS,
    WORKER_REPLAY, /* the log, to a client that attaches */
    WORKER_DELETE,
};

struct worker {
    enum worker_kind kind;
    pid_t pid;
    int answer_fd; /* what it says; a memfd */
};

struct connection {
    struct source source; /* fd -1: free */
    char *line;           /* mapped; what has come of a request */
    size_t line_size;
    struct worker worker; /* does the present request; kind WORKER_NONE: none */
    int answer_fd;        /* a worker's answer on its way out, or -1 */
    off_t answer_sent;
    bool is_watching;
    bool input_is_over; /* the client has shut down its side */
    bool is_hung_up;    /* … or is gone, and only its input is left */
    bool is_finishing;  /* closed when all that is held has been sent */
    int64_t progress_ns;
    struct lease lease;
    struct attach attach;
};

enum phase {
    PHASE_CREATED,
    PHASE_RUNNING,
    PHASE_ENDED, /* the process has ended; its output is drained, its end recorded */
    PHASE_TOLD,  /* everybody knows; lingering */
};

struct end {
    int code; /* as shells see it */
    int signal;
    bool was_oom;
    int64_t finished_ns;
    int64_t ended_ns;       /* monotonic */
    int64_t exit_retry_ns;  /* monotonic: when to try the exit file again */
    int64_t told_ns;        /* monotonic */
    bool is_recorded;       /* the exit file is durable, or given up */
    bool is_deleted;        /* likewise the container's state and cgroups */
    struct worker worker;   /* deletes them */
    char start_error[1024]; /* why the program could not be executed, or "" */
};

struct supervisor {
    const struct supervise_options *options;
    struct box box;
    struct made made;
    int pidfd;
    enum phase phase;
    bool is_starting;         /* a worker is at it */
    struct worker lone_start; /* … whose client is gone */
    int64_t started_ns;
    int64_t oom_count; /* as last seen */
    bool was_oom;
    struct end end;
    bool is_over;

    int epoll_fd;
    struct source child;
    struct source listener;
    struct source output[2];
    struct source input;
    struct source oom;
    struct source freezing;
    int64_t terminal_retry_ns; /* monotonic: the terminal had no user; look again then.  0: no */

    struct stdio stdio;
    struct freezer freezer;
    struct log_file log;
    int connection_end; /* index after the last that was ever used */
    struct connection connections[CONNECTION_COUNT_MAX];
};

/* Iterates over the connections that are open. */
#define connection_each(connection, supervisor)                                               \
    for (struct connection *connection = (supervisor)->connections;                           \
         connection < (supervisor)->connections + (supervisor)->connection_end; connection++) \
        if (connection->source.fd >= 0)

/* supervise_loop.c: serves until everything is over. */
int loop_run(struct supervisor *supervisor, int listen_fd, struct error *err);

/* Sets what epoll reports of a source; 0 takes it out, but of a connection, whose end still is. */
void source_watch(const struct supervisor *supervisor, struct source *source, uint32_t events);
void source_forget(const struct supervisor *supervisor, struct source *source);

/* supervise_output.c: reads one stream once and gives what came to log and clients. */
void output_pump(struct supervisor *supervisor, int stream);
void output_close(struct supervisor *supervisor, int stream);
bool output_is_over(const struct supervisor *supervisor);

/* Looks again at a terminal that nobody had open. */
void output_retry(struct supervisor *supervisor, int64_t now_ns);

/* What epoll is to report of the process's streams now. */
void output_watch(struct supervisor *supervisor);

/* supervise_connection.c */
void connection_accept(struct supervisor *supervisor);
void connection_ready(struct supervisor *supervisor, struct connection *connection,
                      uint32_t events);
void connection_watch(struct supervisor *supervisor, struct connection *connection);
void connection_close(struct supervisor *supervisor, struct connection *connection);

/* Sends one line; a client that does not even take that is dropped. */
void connection_tell(struct supervisor *supervisor, struct connection *connection,
                     const char *line);
void connection_tell_error(struct supervisor *supervisor, struct connection *connection,
                           const struct error *err);

/* The connection's worker has ended. */
void connection_worker_ended(struct supervisor *supervisor, struct connection *connection,
                             int status);

/* True when the client waits for an answer, and its next request with it. */
bool connection_is_busy(const struct connection *connection);

/* supervise_request.c: does what 'line' asks for and answers, now or later. */
void request_run(struct supervisor *supervisor, struct connection *connection, char *line);

/* Looks after the connection's lease. */
void request_lease_poll(struct supervisor *supervisor, struct connection *connection,
                        int64_t now_ns);

/* The start worker has ended; its answer is in 'answer_fd'. */
void request_start_done(struct supervisor *supervisor, int answer_fd);

/*
 * supervise_worker.c: forks a child for one task of a client, or (NULL) of the end.  'text' is the
 * request's argument, or NULL.
 */
int worker_begin(struct supervisor *supervisor, enum worker_kind kind, const char *text,
                 struct connection *client, struct error *err);

/* supervise_replay.c: in a worker: sends a client what was logged before. */
int replay_send(const struct supervisor *supervisor, const struct attach *attach, int fd,
                struct error *err);

/* supervise_end.c: reaps children; the process is one of them. */
void end_reap(struct supervisor *supervisor);

/* Takes the next steps towards the end that are possible now. */
void end_advance(struct supervisor *supervisor, int64_t now_ns);
int64_t end_due_ns(const struct supervisor *supervisor);

/* Tells one watcher how it ended. */
void end_tell(struct supervisor *supervisor, struct connection *connection);

/* Notices the OOM killer's work and tells the watchers. */
void end_check_oom(struct supervisor *supervisor);

#endif
