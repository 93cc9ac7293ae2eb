/* SPDX-License-Identifier: Apache-2.0 */
/* The loop's thread: what it hears from others, its deadlines, its beginning and its end. */
#include "http/server.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/thread.h"
#include "http/connection.h"
#include "http/listener.h"
#include "http/ticket.h"

#define SWEEP_NEVER   INT64_MAX
#define SWEEP_STEP_MS 10 /* at least that long from one sweep to the next */

static const struct http_limits default_limits = {
    .connections = 4096,
    .head_ms = (int64_t)30 * 1000,
    .idle_ms = (int64_t)5 * 60 * 1000,
    .stall_ms = (int64_t)5 * 60 * 1000,
    .linger_ms = (int64_t)5 * 1000,
};

static struct http_limits limits_complete(const struct http_limits *given);
static int server_begin(struct http_server *server, const struct http_server_spec *spec,
                        struct error *err);
static void *server_body(void *argument);
static bool server_is_over(const struct http_server *server);
static int server_timeout_ms(const struct http_server *server);
static void server_sweep(struct http_server *server);
static void cut_off(struct http_server *server);
static void wake_ready(struct watch *watch, uint32_t events);
static void take_arriving(struct http_server *server);
static void take_returned(struct http_server *server);
static void take_stop(struct http_server *server);
static struct list *list_pop(struct http_server *server, struct list *list);
static void errand_done(struct crew *crew, struct errand *errand);
static void listeners_free(struct list *list);

struct http_server *http_server_new(const struct http_server_spec *spec, struct error *err)
{
    struct http_server *server = mem_alloc(sizeof(*server));

    server->name = spec->server_name != NULL ? mem_strdup(spec->server_name) : NULL;
    server->limits = limits_complete(&spec->limits);
    server->next_sweep_ms = SWEEP_NEVER;
    server->loop.epoll_fd = -1;
    server->wake = (struct watch){ .fd = -1, .ready = wake_ready };
    server->scratch = mem_alloc(SERVER_SCRATCH_SIZE);
    (void)pthread_mutex_init(&server->lock, NULL); /* cannot fail for a plain one */
    list_init(&server->listeners);
    list_init(&server->connections);
    list_init(&server->arriving);
    list_init(&server->returned);
    list_init(&server->tickets);
    if (server_begin(server, spec, err) < 0) {
        http_server_free(server);
        return NULL;
    }
    return server;
}

void http_server_stop(struct http_server *server, int64_t grace_ms)
{
    if (!server->is_running)
        return;
    (void)pthread_mutex_lock(&server->lock); /* fails only on misuse */
    server->must_stop = true;
    server->grace_ms = grace_ms;
    (void)pthread_mutex_unlock(&server->lock);
    server_wake(server);
    (void)pthread_join(server->thread, NULL); /* it is ours and joinable */
    server->is_running = false;
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    http_server_stop(server, 0);
    if (server->crew.workers != NULL)
        crew_stop(&server->crew);
    listeners_free(&server->arriving);
    listeners_free(&server->listeners);
    sys_close_fd(&server->wake.fd);
    loop_done(&server->loop);
    (void)pthread_mutex_destroy(&server->lock);
    free(server->scratch);
    free(server->name);
    free(server);
}

void server_wake(struct http_server *server)
{
    uint64_t one = 1;

    (void)sys_write(server->wake.fd, &one, sizeof(one)); /* full: it is awake anyway */
}

void server_sweep_by(struct http_server *server, int64_t time_ms)
{
    if (time_ms < server->next_sweep_ms)
        server->next_sweep_ms = time_ms;
}

void server_send(struct http_server *server, struct errand *errand)
{
    server->errand_count++;
    crew_send(&server->crew, errand);
}

static struct http_limits limits_complete(const struct http_limits *given)
{
    struct http_limits limits = *given;

    if (limits.connections == 0)
        limits.connections = default_limits.connections;
    if (limits.head_ms == 0)
        limits.head_ms = default_limits.head_ms;
    if (limits.idle_ms == 0)
        limits.idle_ms = default_limits.idle_ms;
    if (limits.stall_ms == 0)
        limits.stall_ms = default_limits.stall_ms;
    if (limits.linger_ms == 0)
        limits.linger_ms = default_limits.linger_ms;
    return limits;
}

static int server_begin(struct http_server *server, const struct http_server_spec *spec,
                        struct error *err)
{
    if (loop_init(&server->loop, err) < 0)
        return -1;
    server->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = server->wake.fd < 0 ? -1 : loop_arm(&server->loop, &server->wake, EPOLLIN);
    if (rc < 0)
        return fail(err, ERR_SYSTEM, "cannot make the server's wake-up");
    if (crew_start(&server->crew, spec, errand_done, err) < 0)
        return -1;
    if (thread_start(&server->thread, "http-loop", server_body, server, err) < 0)
        return -1;
    server->is_running = true;
    return 0;
}

static void *server_body(void *argument)
{
    struct http_server *server = argument;

    while (!server_is_over(server)) {
        loop_turn(&server->loop, server_timeout_ms(server));
        if (clock_mono_ms() >= server->next_sweep_ms)
            server_sweep(server);
    }
    return NULL;
}

static bool server_is_over(const struct http_server *server)
{
    return server->is_stopping && server->connection_count == 0 && server->errand_count == 0;
}

static int server_timeout_ms(const struct http_server *server)
{
    if (server->next_sweep_ms == SWEEP_NEVER)
        return -1;
    int64_t left_ms = server->next_sweep_ms - clock_mono_ms();
    if (left_ms < SWEEP_STEP_MS)
        return SWEEP_STEP_MS;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* Looks at every deadline, and finds the next. */
static void server_sweep(struct http_server *server)
{
    int64_t now_ms = clock_mono_ms();

    server->next_sweep_ms = SWEEP_NEVER;
    if (server->is_stopping && now_ms >= server->cut_off_ms)
        cut_off(server);
    list_each(node, &server->connections) {
        struct connection *connection = container_of(node, struct connection, link);
        if (connection->deadline_ms == 0)
            continue;
        if (connection->deadline_ms <= now_ms)
            connection_expire(connection);
        else
            server_sweep_by(server, connection->deadline_ms);
    }
    list_each(node, &server->listeners) {
        struct listener *listener = container_of(node, struct listener, link);
        if (listener->is_paused)
            listener_resume(listener);
    }
    if (server->is_stopping && now_ms < server->cut_off_ms)
        server_sweep_by(server, server->cut_off_ms);
}

/* The grace is over: whoever waits for a client is told that there is none. */
static void cut_off(struct http_server *server)
{
    list_each(node, &server->connections) {
        struct connection *connection = container_of(node, struct connection, link);
        if (connection->state == CONNECTION_WORKING)
            (void)shutdown(connection->watch.fd, SHUT_RDWR); /* may be broken already */
        else
            connection_close(connection);
    }
}

static void wake_ready(struct watch *watch, uint32_t events)
{
    struct http_server *server = container_of(watch, struct http_server, wake);
    uint64_t count;

    (void)events;                                     /* only one is waited for */
    (void)sys_read(watch->fd, &count, sizeof(count)); /* how often does not matter */
    (void)loop_arm(&server->loop, watch, EPOLLIN);    /* it is in the set */
    take_arriving(server);
    take_returned(server);
    tickets_settle(server);
    take_stop(server);
}

static void take_arriving(struct http_server *server)
{
    for (struct list *node = list_pop(server, &server->arriving); node != NULL;
         node = list_pop(server, &server->arriving)) {
        list_append(&server->listeners, node);
        listener_resume(container_of(node, struct listener, link));
    }
}

static void take_returned(struct http_server *server)
{
    for (struct list *node = list_pop(server, &server->returned); node != NULL;
         node = list_pop(server, &server->returned)) {
        struct errand *errand = container_of(node, struct errand, link);
        server->errand_count--;
        errand->back(errand);
    }
}

static void take_stop(struct http_server *server)
{
    (void)pthread_mutex_lock(&server->lock); /* fails only on misuse */
    bool begins = server->must_stop && !server->is_stopping;
    int64_t grace_ms = server->grace_ms;
    (void)pthread_mutex_unlock(&server->lock);
    if (!begins)
        return;
    server->is_stopping = true;
    crew_hurry(&server->crew);
    server->cut_off_ms = clock_mono_ms() + grace_ms;
    server_sweep_by(server, server->cut_off_ms);
    list_each(node, &server->listeners)
        listener_close(container_of(node, struct listener, link));
    list_each(node, &server->connections) {
        struct connection *connection = container_of(node, struct connection, link);
        bool is_answered =
            connection->state == CONNECTION_WORKING || connection->state == CONNECTION_FLUSHING;
        if (!is_answered)
            connection_close(connection);
    }
}

static struct list *list_pop(struct http_server *server, struct list *list)
{
    LOCK_SCOPE(&server->lock);
    struct list *first = list->next;

    if (list_is_empty(list))
        return NULL;
    list_remove(first);
    return first;
}

/* On the worker: the errand is the loop's from here on. */
static void errand_done(struct crew *crew, struct errand *errand)
{
    struct http_server *server = container_of(crew, struct http_server, crew);

    (void)pthread_mutex_lock(&server->lock); /* fails only on misuse */
    bool is_first = list_is_empty(&server->returned);
    list_append(&server->returned, &errand->link);
    (void)pthread_mutex_unlock(&server->lock);
    if (is_first)
        server_wake(server);
}

static void listeners_free(struct list *list)
{
    list_each(node, list)
        listener_free(container_of(node, struct listener, link));
}
