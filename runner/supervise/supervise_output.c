/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output: from the process to the log and to every client that follows.  As long as the process
 * lives, a client that does not keep up stops the reading; afterwards what is in the pipes is taken
 * whatever the clients do.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "runner/supervise/supervise_state.h"

#define CHUNK_SIZE        32768
#define TERMINAL_RETRY_NS 100000000

static void distribute(struct supervisor *supervisor, int stream, const char *data, size_t size);
static bool clients_have_room(struct supervisor *supervisor);
static void close_input(struct supervisor *supervisor);

void output_pump(struct supervisor *supervisor, int stream)
{
    static char chunk[CHUNK_SIZE];
    ssize_t got = stdio_read(&supervisor->stdio, stream, chunk, sizeof(chunk));

    if (got == -EAGAIN)
        return;
    if (got > 0) {
        distribute(supervisor, stream, chunk, (size_t)got);
        return;
    }
    if (got == -EIO && supervisor->phase < PHASE_ENDED) {
        /* The terminal has no user now; there may be one again.  epoll would say so all the time.
         */
        source_forget(supervisor, &supervisor->output[stream]);
        supervisor->terminal_retry_ns = clock_mono_ns() + TERMINAL_RETRY_NS;
        return;
    }
    output_close(supervisor, stream);
}

void output_close(struct supervisor *supervisor, int stream)
{
    source_forget(supervisor, &supervisor->output[stream]);
    stdio_close_output(&supervisor->stdio, stream);
    supervisor->output[stream].fd = -1;
    supervisor->terminal_retry_ns = 0;
    log_file_end(&supervisor->log, stream == 0 ? LOG_FILE_STDOUT : LOG_FILE_STDERR, clock_now_ns());
}

bool output_is_over(const struct supervisor *supervisor)
{
    return supervisor->output[0].fd < 0 && supervisor->output[1].fd < 0;
}

void output_retry(struct supervisor *supervisor, int64_t now_ns)
{
    if (supervisor->terminal_retry_ns == 0)
        return;
    if (now_ns < supervisor->terminal_retry_ns && supervisor->phase < PHASE_ENDED)
        return;
    supervisor->terminal_retry_ns = 0;
    output_pump(supervisor, 0);
}

void output_watch(struct supervisor *supervisor)
{
    bool can_read = supervisor->phase >= PHASE_ENDED || clients_have_room(supervisor);

    for (int i = 0; i < 2; i++) {
        bool is_waiting = i == 0 && supervisor->terminal_retry_ns > 0;
        source_watch(supervisor, &supervisor->output[i], can_read && !is_waiting ? EPOLLIN : 0);
    }
    if (stdio_input_is_over(&supervisor->stdio))
        close_input(supervisor);
    bool has_held = !stdio_wants_input(&supervisor->stdio) && supervisor->terminal_retry_ns == 0;
    source_watch(supervisor, &supervisor->input, has_held ? EPOLLOUT : 0);
}

static void distribute(struct supervisor *supervisor, int stream, const char *data, size_t size)
{
    log_file_write(&supervisor->log, stream == 0 ? LOG_FILE_STDOUT : LOG_FILE_STDERR, data, size,
                   clock_now_ns());
    connection_each(connection, supervisor) {
        if (!attach_is_on(&connection->attach))
            continue;
        if (attach_put(&connection->attach, connection->source.fd, stream, data, size) < 0)
            connection_close(supervisor, connection);
    }
}

static bool clients_have_room(struct supervisor *supervisor)
{
    connection_each(connection, supervisor)
        if (attach_is_on(&connection->attach) && !attach_has_room(&connection->attach))
            return false;
    return true;
}

/* Out of the set first: a worker may still have the descriptor, and the set would keep it. */
static void close_input(struct supervisor *supervisor)
{
    source_forget(supervisor, &supervisor->input);
    stdio_close_input(&supervisor->stdio);
    supervisor->input.fd = -1;
}
