/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of ctl.sock: lines in, answers out, and streams once they are attached.  A client costs
 * one page until it asks for more.  What a line means is the business of supervise_request.c.
 *
 * A request is read up to its newline and not further, so that what follows an `attach` is still in
 * the socket when it has become the process's input.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "runner/supervise/supervise_state.h"

#define DISCARD_SIZE 4096

static struct connection *find_free(struct supervisor *supervisor);
static bool read_requests(struct supervisor *supervisor, struct connection *connection);
static ssize_t read_line_part(struct connection *connection);
static bool read_input(struct supervisor *supervisor, struct connection *connection);
static bool input_is_wanted(const struct supervisor *supervisor,
                            const struct connection *connection);
static void send_held(struct supervisor *supervisor, struct connection *connection);
static bool send_answer(struct connection *connection);
static bool has_to_send(const struct connection *connection);
static bool is_pending(const struct connection *connection);

void connection_accept(struct supervisor *supervisor)
{
    cleanup_fd int fd = accept4(supervisor->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct connection *connection = find_free(supervisor);

    if (fd < 0 || connection == NULL)
        return; /* the client sees the end of the connection */
    void *line = mmap(NULL, CONNECTION_LINE_MAX, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (line == MAP_FAILED)
        return;
    *connection = (struct connection){
        .source = { .kind = SOURCE_CONNECTION,
                    .index = (int)(connection - supervisor->connections) },
        .line = line,
        .answer_fd = -1,
        .worker = { .answer_fd = -1 },
    };
    connection->source.fd = move_fd(&fd);
}

void connection_ready(struct supervisor *supervisor, struct connection *connection, uint32_t events)
{
    if ((events & (EPOLLHUP | EPOLLERR)) != 0)
        connection->is_hung_up = true;
    if ((events & EPOLLOUT) != 0)
        send_held(supervisor, connection);
    if (connection->source.fd < 0)
        return;
    bool has_more = attach_is_on(&connection->attach) ? read_input(supervisor, connection)
                                                      : read_requests(supervisor, connection);
    if (!has_more)
        connection->input_is_over = true;
    /* Of a client that is gone, only its input matters, as far as it has not been taken yet. */
    bool has_input = attach_is_on(&connection->attach) && !connection->input_is_over;
    if (connection->is_hung_up ? !has_input : connection->input_is_over && !is_pending(connection))
        connection_close(supervisor, connection);
}

void connection_watch(struct supervisor *supervisor, struct connection *connection)
{
    uint32_t events = has_to_send(connection) ? EPOLLOUT : 0;
    bool can_read = !connection->input_is_over && !connection_is_busy(connection);

    if (connection->is_finishing && !has_to_send(connection) && !connection_is_busy(connection)) {
        connection_close(supervisor, connection);
        return;
    }
    if (attach_is_on(&connection->attach))
        can_read = can_read && input_is_wanted(supervisor, connection);
    if (!connection->is_hung_up) {
        source_watch(supervisor, &connection->source, events | (can_read ? EPOLLIN : 0));
        return;
    }
    /* epoll would report the end all the time: the rest of the input is fetched from here. */
    source_forget(supervisor, &connection->source);
    if (can_read)
        connection_ready(supervisor, connection, EPOLLIN);
}

void connection_close(struct supervisor *supervisor, struct connection *connection)
{
    char discarded[DISCARD_SIZE];

    lease_drop(&connection->lease, &supervisor->freezer);
    if ((connection->attach.streams & ATTACH_STDIN) != 0 && supervisor->made.input_is_once)
        stdio_end_input(&supervisor->stdio);
    attach_end(&connection->attach);
    source_forget(supervisor, &connection->source);
    /* Input that was never read would turn the client's end of stream into a reset. */
    (void)shutdown(connection->source.fd, SHUT_WR); /* the client may be gone */
    for (int i = 0; i < CONNECTION_LINE_MAX / DISCARD_SIZE; i++)
        if (recv(connection->source.fd, discarded, sizeof(discarded), MSG_DONTWAIT) <= 0)
            break;
    sys_close_fd(&connection->source.fd);
    sys_close_fd(&connection->answer_fd);
    if (connection->worker.kind == WORKER_START) { /* what comes of it matters all the same */
        supervisor->lone_start = connection->worker;
        connection->worker.answer_fd = -1;
    }
    sys_close_fd(&connection->worker.answer_fd);
    connection->worker.kind = WORKER_NONE; /* one that is at work is reaped and forgotten */
    (void)munmap(connection->line, CONNECTION_LINE_MAX); /* ours, whole */
}

void connection_tell(struct supervisor *supervisor, struct connection *connection, const char *line)
{
    size_t size = strlen(line);

    if (send(connection->source.fd, line, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
        connection_close(supervisor, connection);
}

void connection_tell_error(struct supervisor *supervisor, struct connection *connection,
                           const struct error *err)
{
    char line[ERROR_MESSAGE_MAX + 64];

    int length =
        snprintf(line, sizeof(line), "error %s %s\n", error_code_name(err->code), err->message);
    for (int i = 0; i < length - 1; i++)
        if (line[i] == '\n')
            line[i] = ' ';
    connection_tell(supervisor, connection, line);
}

void connection_worker_ended(struct supervisor *supervisor, struct connection *connection,
                             int status)
{
    static const struct error lost = { ERR_SYSTEM, "the work on this request ended early" };
    struct worker *worker = &connection->worker;
    enum worker_kind kind = worker->kind;
    struct stat st;
    bool has_answer = fstat(worker->answer_fd, &st) == 0 && st.st_size > 0;

    if (kind == WORKER_START)
        request_start_done(supervisor, worker->answer_fd);
    worker->kind = WORKER_NONE;
    connection->attach.is_held_up = false;
    if (kind != WORKER_REPLAY && has_answer) {
        connection->answer_fd = move_fd(&worker->answer_fd);
        connection->answer_sent = 0;
        return;
    }
    sys_close_fd(&worker->answer_fd);
    if (kind != WORKER_REPLAY)
        connection_tell_error(supervisor, connection, &lost);
    else if (status != 0)
        connection_close(supervisor, connection); /* the client is gone, or saw half of it */
}

bool connection_is_busy(const struct connection *connection)
{
    return connection->worker.kind != WORKER_NONE || connection->answer_fd >= 0 ||
           connection->lease.state == LEASE_FREEZING;
}

static struct connection *find_free(struct supervisor *supervisor)
{
    for (int i = 0; i < CONNECTION_COUNT_MAX; i++) {
        if (i < supervisor->connection_end && supervisor->connections[i].source.fd >= 0)
            continue;
        if (i >= supervisor->connection_end)
            supervisor->connection_end = i + 1;
        supervisor->connections[i].source.fd = -1;
        return &supervisor->connections[i];
    }
    return NULL;
}

/* False when the client has ended its side. */
static bool read_requests(struct supervisor *supervisor, struct connection *connection)
{
    while (connection->source.fd >= 0 && !connection_is_busy(connection) &&
           !attach_is_on(&connection->attach)) {
        ssize_t got = read_line_part(connection);
        if (got == -EAGAIN)
            return true;
        if (got <= 0)
            return false;
        if (connection->line[connection->line_size - 1] == '\n') {
            connection->line[connection->line_size - 1] = '\0';
            connection->line_size = 0;
            request_run(supervisor, connection, connection->line);
        } else if (connection->line_size == CONNECTION_LINE_MAX) {
            return false; /* no request is that long */
        }
    }
    return true;
}

/* Takes bytes up to a newline, and leaves the others in the socket. */
static ssize_t read_line_part(struct connection *connection)
{
    char *end = connection->line + connection->line_size;
    size_t room = CONNECTION_LINE_MAX - connection->line_size;
    ssize_t seen = recv(connection->source.fd, end, room, MSG_DONTWAIT | MSG_PEEK);

    if (seen <= 0)
        return seen == 0 ? 0 : -errno;
    const char *newline = memchr(end, '\n', (size_t)seen);
    size_t wanted = newline != NULL ? (size_t)(newline - end) + 1 : (size_t)seen;
    ssize_t got = recv(connection->source.fd, end, wanted, MSG_DONTWAIT);
    if (got > 0)
        connection->line_size += (size_t)got;
    return got < 0 ? -errno : got;
}

/* False when the client's input has come to its end. */
static bool read_input(struct supervisor *supervisor, struct connection *connection)
{
    char discarded[DISCARD_SIZE];
    bool is_input = (connection->attach.streams & ATTACH_STDIN) != 0;
    ssize_t got = -EAGAIN;

    if (connection->input_is_over)
        return false;
    if (!is_input) {
        got = recv(connection->source.fd, discarded, sizeof(discarded), MSG_DONTWAIT);
        return got > 0 || (got < 0 && errno == EAGAIN);
    }
    while (stdio_wants_input(&supervisor->stdio)) {
        got = stdio_receive(&supervisor->stdio, connection->source.fd);
        if (got <= 0)
            break;
    }
    if (got > 0 || got == -EAGAIN)
        return true;
    if (supervisor->made.input_is_once)
        stdio_end_input(&supervisor->stdio);
    return false;
}

static bool input_is_wanted(const struct supervisor *supervisor,
                            const struct connection *connection)
{
    return (connection->attach.streams & ATTACH_STDIN) == 0 ||
           stdio_wants_input(&supervisor->stdio);
}

static void send_held(struct supervisor *supervisor, struct connection *connection)
{
    if (connection->answer_fd >= 0 && !send_answer(connection)) {
        connection_close(supervisor, connection);
        return;
    }
    if (!attach_has_held(&connection->attach))
        return;
    int sent = attach_flush(&connection->attach, connection->source.fd);
    if (sent < 0)
        connection_close(supervisor, connection);
    else if (sent > 0)
        connection->progress_ns = clock_mono_ns();
}

static bool send_answer(struct connection *connection)
{
    ssize_t sent = sendfile(connection->source.fd, connection->answer_fd, &connection->answer_sent,
                            CONNECTION_LINE_MAX);

    if (sent == 0) /* the whole of it */
        sys_close_fd(&connection->answer_fd);
    return sent >= 0 || errno == EAGAIN;
}

static bool has_to_send(const struct connection *connection)
{
    return connection->answer_fd >= 0 || attach_has_held(&connection->attach);
}

/* True when something is still to come for a client that asks for nothing more. */
static bool is_pending(const struct connection *connection)
{
    return connection_is_busy(connection) || connection->is_watching ||
           attach_is_on(&connection->attach);
}
