/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of ctl.sock.  What is quick and must not fail for want of memory (kill, freeze,
 * thaw, resize, status) is done here and now; the rest is a worker's.
 *
 *     NAME [ARGUMENT…]  ->  ok[ …] | error CODE message
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/units.h"
#include "runner/supervise/supervise_state.h"

#define PAUSE_LIMIT_MS  10000
#define FREEZE_LIMIT_MS 600000

enum outcome {
    FAILED = -1,
    ANSWERED, /* "ok" and the answer's text are sent by the caller */
    LATER,    /* somebody else answers */
};

struct answer {
    char text[128];
};

struct request {
    const char *name;
    int min_words;
    int max_words;
    bool takes_rest;     /* the one argument is the rest of the line */
    bool is_of_exec_too; /* otherwise only of containers */
    enum outcome (*run)(struct supervisor *supervisor, struct connection *connection, char **words,
                        struct answer *answer, struct error *err);
};

static enum outcome request_start(struct supervisor *, struct connection *, char **,
                                  struct answer *, struct error *);
static enum outcome request_status(struct supervisor *, struct connection *, char **,
                                   struct answer *, struct error *);
static enum outcome request_kill(struct supervisor *, struct connection *, char **, struct answer *,
                                 struct error *);
static enum outcome request_pause(struct supervisor *, struct connection *, char **,
                                  struct answer *, struct error *);
static enum outcome request_resume(struct supervisor *, struct connection *, char **,
                                   struct answer *, struct error *);
static enum outcome request_freeze(struct supervisor *, struct connection *, char **,
                                   struct answer *, struct error *);
static enum outcome request_thaw(struct supervisor *, struct connection *, char **, struct answer *,
                                 struct error *);
static enum outcome request_resize(struct supervisor *, struct connection *, char **,
                                   struct answer *, struct error *);
static enum outcome request_update(struct supervisor *, struct connection *, char **,
                                   struct answer *, struct error *);
static enum outcome request_pids(struct supervisor *, struct connection *, char **, struct answer *,
                                 struct error *);
static enum outcome request_stats(struct supervisor *, struct connection *, char **,
                                  struct answer *, struct error *);
static enum outcome request_log(struct supervisor *, struct connection *, char **, struct answer *,
                                struct error *);
static enum outcome request_watch(struct supervisor *, struct connection *, char **,
                                  struct answer *, struct error *);
static enum outcome request_attach(struct supervisor *, struct connection *, char **,
                                   struct answer *, struct error *);

static const struct request requests[] = {
    { "start", 0, 0, false, true, request_start },
    { "status", 0, 0, false, true, request_status },
    { "kill", 1, 2, false, true, request_kill },
    { "pause", 0, 0, false, false, request_pause },
    { "resume", 0, 0, false, false, request_resume },
    { "freeze", 1, 1, false, false, request_freeze },
    { "thaw", 0, 0, false, false, request_thaw },
    { "resize", 2, 2, false, true, request_resize },
    { "update", 1, 1, true, false, request_update },
    { "pids", 0, 0, false, false, request_pids },
    { "stats", 0, 0, false, false, request_stats },
    { "log", 0, 0, false, true, request_log },
    { "watch", 0, 0, false, true, request_watch },
    { "attach", 1, 1, false, true, request_attach },
};

static const struct request *find(const struct supervisor *supervisor, char *line, char **words,
                                  struct error *err);
static int split(char *rest, char **words, const struct request *request);
static enum outcome begin_worker(struct supervisor *supervisor, struct connection *connection,
                                 enum worker_kind kind, const char *text, struct error *err);
static int check_alive(const struct supervisor *supervisor, struct error *err);
static int parse_number(const char *text, int64_t min, int64_t max, int64_t *value,
                        struct error *err);
static const char *status_name(const struct supervisor *supervisor);

void request_run(struct supervisor *supervisor, struct connection *connection, char *line)
{
    struct error err = { 0 };
    struct answer answer = { 0 };
    char ok[sizeof(answer.text) + 8];
    char *words[WORD_COUNT_MAX] = { NULL };
    enum outcome outcome = FAILED;

    const struct request *request = find(supervisor, line, words, &err);
    if (request != NULL)
        outcome = request->run(supervisor, connection, words, &answer, &err);
    if (outcome == FAILED)
        connection_tell_error(supervisor, connection, &err);
    if (outcome != ANSWERED)
        return;
    (void)snprintf(ok, sizeof(ok), "ok%s%s\n", answer.text[0] != '\0' ? " " : "", answer.text);
    connection_tell(supervisor, connection, ok);
}

void request_lease_poll(struct supervisor *supervisor, struct connection *connection,
                        int64_t now_ns)
{
    struct error err = { 0 };
    char text[64];
    struct lease *lease = &connection->lease;
    bool is_pause = lease->is_pause;

    int rc = lease_poll(lease, &supervisor->freezer, now_ns, &err);
    if (rc < 0)
        connection_tell_error(supervisor, connection, &err);
    if (rc <= 0)
        return;
    (void)snprintf(text, sizeof(text), "ok %lld\n",
                   (long long)(lease->frozen_ns - lease->begun_ns));
    connection_tell(supervisor, connection, is_pause ? "ok\n" : text);
}

void request_start_done(struct supervisor *supervisor, int answer_fd)
{
    struct end *end = &supervisor->end;
    char *text = end->start_error;
    ssize_t size = pread(answer_fd, text, sizeof(end->start_error) - 1, 0);

    supervisor->is_starting = false;
    text[size < 0 ? 0 : size] = '\0';
    if (strncmp(text, "ok", 2) == 0) {
        text[0] = '\0';
        return;
    }
    /* error CODE message: kept for the exit file, should the process have ended with it */
    const char *message = text;
    for (int word = 0; word < 2 && message != NULL; word++)
        message = strchr(message, ' ') == NULL ? NULL : strchr(message, ' ') + 1;
    memmove(text, message == NULL ? "" : message, message == NULL ? 1 : strlen(message) + 1);
    text[strcspn(text, "\n")] = '\0';
    supervisor->started_ns = 0;
    if (supervisor->phase == PHASE_RUNNING)
        supervisor->phase = PHASE_CREATED;
}

static const struct request *find(const struct supervisor *supervisor, char *line, char **words,
                                  struct error *err)
{
    char *rest = strchr(line, ' ');

    if (rest != NULL)
        *rest++ = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        const struct request *request = &requests[i];
        if (strcmp(request->name, line) != 0)
            continue;
        int count = split(rest, words, request);
        if (count < request->min_words || count > request->max_words)
            (void)fail(err, ERR_INVALID, "'%s' has %d arguments", request->name, count);
        else if (supervisor->options->is_exec && !request->is_of_exec_too)
            (void)fail(err, ERR_UNSUPPORTED, "'%s' is of containers only", request->name);
        else
            return request;
        return NULL;
    }
    (void)fail(err, ERR_INVALID, "unknown request '%.64s'", line);
    return NULL;
}

static int split(char *rest, char **words, const struct request *request)
{
    char *position = NULL;
    int count = 0;

    if (request->takes_rest) {
        words[0] = rest;
        return rest != NULL;
    }
    for (char *word = rest == NULL ? NULL : strtok_r(rest, " ", &position); word != NULL;
         word = strtok_r(NULL, " ", &position)) {
        if (count < WORD_COUNT_MAX)
            words[count] = word;
        count++;
    }
    return count;
}

static enum outcome request_start(struct supervisor *supervisor, struct connection *connection,
                                  char **words, struct answer *answer, struct error *err)
{
    (void)words;
    (void)answer;
    if (supervisor->phase != PHASE_CREATED || supervisor->is_starting)
        return fail(err, ERR_CONFLICT, "'%s' was started already", supervisor->options->id);
    enum outcome outcome = begin_worker(supervisor, connection, WORKER_START, NULL, err);
    if (outcome == LATER) {
        supervisor->is_starting = true;
        supervisor->phase = PHASE_RUNNING;
        supervisor->started_ns = clock_now_ns();
    }
    return outcome;
}

static enum outcome request_status(struct supervisor *supervisor, struct connection *connection,
                                   char **words, struct answer *answer, struct error *err)
{
    (void)connection;
    (void)words;
    (void)err;
    (void)snprintf(answer->text, sizeof(answer->text), "%s %d %lld", status_name(supervisor),
                   supervisor->phase < PHASE_ENDED ? (int)supervisor->made.pid : 0,
                   (long long)supervisor->started_ns);
    return ANSWERED;
}

static enum outcome request_kill(struct supervisor *supervisor, struct connection *connection,
                                 char **words, struct answer *answer, struct error *err)
{
    int64_t number = 0;

    (void)answer;
    if (parse_number(words[0], 0, SIGRTMAX, &number, err) < 0 || check_alive(supervisor, err) < 0)
        return FAILED;
    if (words[1] != NULL && strcmp(words[1], "all") != 0)
        return fail(err, ERR_INVALID, "'kill' does not know '%.64s'", words[1]);
    if (words[1] != NULL && !supervisor->options->is_exec)
        return begin_worker(supervisor, connection, WORKER_KILL_ALL, words[0], err);
    int rc = sys_pidfd_send_signal(supervisor->pidfd, (int)number);
    if (rc < 0)
        return fail_sys(err, rc, "cannot signal '%s'", supervisor->options->id);
    if (number == SIGKILL) /* a frozen process would not die of it */
        freezer_resume(&supervisor->freezer);
    return ANSWERED;
}

static enum outcome request_pause(struct supervisor *supervisor, struct connection *connection,
                                  char **words, struct answer *answer, struct error *err)
{
    (void)words;
    (void)answer;
    if (check_alive(supervisor, err) < 0)
        return FAILED;
    if (supervisor->freezer.is_paused)
        return fail(err, ERR_CONFLICT, "'%s' is already paused", supervisor->options->id);
    if (lease_begin(&connection->lease, &supervisor->freezer, PAUSE_LIMIT_MS, true, err) < 0)
        return FAILED;
    return LATER;
}

static enum outcome request_resume(struct supervisor *supervisor, struct connection *connection,
                                   char **words, struct answer *answer, struct error *err)
{
    (void)connection;
    (void)words;
    (void)answer;
    if (strcmp(status_name(supervisor), "paused") != 0 && !supervisor->freezer.is_paused)
        return fail(err, ERR_CONFLICT, "'%s' is not paused", supervisor->options->id);
    freezer_resume(&supervisor->freezer);
    return ANSWERED;
}

static enum outcome request_freeze(struct supervisor *supervisor, struct connection *connection,
                                   char **words, struct answer *answer, struct error *err)
{
    int64_t limit_ms = 0;

    (void)answer;
    if (parse_number(words[0], 1, FREEZE_LIMIT_MS, &limit_ms, err) < 0 ||
        check_alive(supervisor, err) < 0 ||
        lease_begin(&connection->lease, &supervisor->freezer, limit_ms, false, err) < 0)
        return FAILED;
    return LATER;
}

static enum outcome request_thaw(struct supervisor *supervisor, struct connection *connection,
                                 char **words, struct answer *answer, struct error *err)
{
    int64_t held_ns = 0;

    (void)words;
    if (lease_end(&connection->lease, &supervisor->freezer, &held_ns, err) < 0)
        return FAILED;
    (void)snprintf(answer->text, sizeof(answer->text), "%lld", (long long)held_ns);
    return ANSWERED;
}

static enum outcome request_resize(struct supervisor *supervisor, struct connection *connection,
                                   char **words, struct answer *answer, struct error *err)
{
    int64_t rows = 0;
    int64_t columns = 0;

    (void)connection;
    (void)answer;
    if (parse_number(words[0], 0, USHRT_MAX, &rows, err) < 0 ||
        parse_number(words[1], 0, USHRT_MAX, &columns, err) < 0 ||
        stdio_resize(&supervisor->stdio, (int)rows, (int)columns, err) < 0)
        return FAILED;
    return ANSWERED;
}

static enum outcome request_update(struct supervisor *supervisor, struct connection *connection,
                                   char **words, struct answer *answer, struct error *err)
{
    (void)answer;
    return check_alive(supervisor, err) < 0
               ? FAILED
               : begin_worker(supervisor, connection, WORKER_UPDATE, words[0], err);
}

static enum outcome request_pids(struct supervisor *supervisor, struct connection *connection,
                                 char **words, struct answer *answer, struct error *err)
{
    (void)words;
    (void)answer;
    return check_alive(supervisor, err) < 0
               ? FAILED
               : begin_worker(supervisor, connection, WORKER_PIDS, NULL, err);
}

static enum outcome request_stats(struct supervisor *supervisor, struct connection *connection,
                                  char **words, struct answer *answer, struct error *err)
{
    (void)words;
    (void)answer;
    return check_alive(supervisor, err) < 0
               ? FAILED
               : begin_worker(supervisor, connection, WORKER_STATS, NULL, err);
}

static enum outcome request_log(struct supervisor *supervisor, struct connection *connection,
                                char **words, struct answer *answer, struct error *err)
{
    (void)connection;
    (void)words;
    (void)err;
    (void)snprintf(answer->text, sizeof(answer->text), "%llu",
                   (unsigned long long)supervisor->log.lost_count);
    return ANSWERED;
}

static enum outcome request_watch(struct supervisor *supervisor, struct connection *connection,
                                  char **words, struct answer *answer, struct error *err)
{
    (void)words;
    (void)answer;
    (void)err;
    connection_tell(supervisor, connection, "ok\n");
    if (connection->source.fd < 0)
        return LATER;
    connection->is_watching = true;
    if (supervisor->was_oom)
        connection_tell(supervisor, connection, "oom\n");
    if (supervisor->phase == PHASE_TOLD)
        end_tell(supervisor, connection);
    return LATER;
}

static enum outcome request_attach(struct supervisor *supervisor, struct connection *connection,
                                   char **words, struct answer *answer, struct error *err)
{
    unsigned int streams = 0;
    bool is_framed = !supervisor->stdio.is_terminal;

    (void)answer;
    if (attach_parse(words[0], &streams, err) < 0 ||
        attach_begin(&connection->attach, streams, is_framed, err) < 0)
        return FAILED;
    connection_tell(supervisor, connection, is_framed ? "ok framed\n" : "ok raw\n");
    connection->progress_ns = clock_mono_ns();
    connection->is_finishing = supervisor->phase == PHASE_TOLD;
    if (connection->source.fd < 0 || (streams & ATTACH_LOGS) == 0)
        return LATER;
    connection->attach.is_held_up = true;
    if (begin_worker(supervisor, connection, WORKER_REPLAY, NULL, err) == FAILED)
        connection_close(supervisor, connection); /* it was told ok; it cannot be told otherwise */
    return LATER;
}

static enum outcome begin_worker(struct supervisor *supervisor, struct connection *connection,
                                 enum worker_kind kind, const char *text, struct error *err)
{
    return worker_begin(supervisor, kind, text, connection, err) < 0 ? FAILED : LATER;
}

static int check_alive(const struct supervisor *supervisor, struct error *err)
{
    if (supervisor->phase < PHASE_ENDED)
        return 0;
    return fail(err, ERR_CONFLICT, "container not running");
}

static int parse_number(const char *text, int64_t min, int64_t max, int64_t *value,
                        struct error *err)
{
    if (units_parse_int(text, value) < 0 || *value < min || *value > max)
        return fail(err, ERR_INVALID, "'%.64s' is not a number from %lld to %lld", text,
                    (long long)min, (long long)max);
    return 0;
}

/* Frozen by nobody's lease is paused, be it by us or by `runner pause`. */
static const char *status_name(const struct supervisor *supervisor)
{
    const struct freezer *freezer = &supervisor->freezer;

    if (supervisor->phase >= PHASE_ENDED)
        return "stopped";
    if (supervisor->phase == PHASE_CREATED || supervisor->is_starting)
        return "created";
    if (freezer->is_paused || (freezer->holder_count == 0 && freezer_is_frozen(freezer)))
        return "paused";
    return "running";
}
