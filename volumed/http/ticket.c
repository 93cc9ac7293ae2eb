/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hijack's two verbs, and the tickets of the second.  A ticket is made by the worker that
 * answers, gets its peer from any thread, and is used up by the loop; the server's lock guards it
 * all the while.
 */
#include "http/ticket.h"

#include <stdlib.h>

#include "base/sys.h"
#include "base/thread.h"
#include "http/pump.h"
#include "http/reply.h"

struct ticket {
    struct list link; /* in server->tickets */
    struct connection *connection;
    int64_t token;
    int peer_fd;
    bool is_connected; /* peer_fd is what the connection is to have */
    bool is_waiting;   /* the loop has the connection */
};

static void client_ready(struct watch *watch, uint32_t events);
static bool ticket_connect(struct http_server *server, int64_t token, int peer_fd);
static struct connection *connected_next(struct http_server *server);
static void ticket_use(struct connection *connection);

int http_hijack(struct http_call *call, const char *content_type, int peer_fd, struct error *err)
{
    if (reply_hijack(call, content_type, err) < 0) {
        sys_close_fd(&peer_fd);
        return -1;
    }
    call->peer_fd = peer_fd;
    call->sequel = SEQUEL_PUMP;
    return 0;
}

int64_t http_hijack_later(struct http_call *call, const char *content_type, struct error *err)
{
    struct http_server *server = call->connection->server;

    if (reply_hijack(call, content_type, err) < 0)
        return -1;
    struct ticket *ticket = mem_alloc(sizeof(*ticket));
    *ticket = (struct ticket){ .connection = call->connection, .peer_fd = -1 };
    call->connection->ticket = ticket;
    call->sequel = SEQUEL_WAIT;
    LOCK_SCOPE(&server->lock);
    ticket->token = ++server->last_token;
    list_append(&server->tickets, &ticket->link);
    return ticket->token;
}

void http_hijack_connect(struct http_server *server, int64_t token, int peer_fd)
{
    if (ticket_connect(server, token, peer_fd))
        server_wake(server);
    else
        sys_close_fd(&peer_fd);
}

void ticket_wait(struct connection *connection)
{
    struct ticket *ticket = connection->ticket;

    connection_enter(connection, CONNECTION_WAITING, client_ready);
    (void)pthread_mutex_lock(&connection->server->lock); /* fails only on misuse */
    ticket->is_waiting = true;
    bool is_connected = ticket->is_connected;
    (void)pthread_mutex_unlock(&connection->server->lock);
    if (is_connected)
        ticket_use(connection);
    else
        (void)connection_arm(connection, 0); /* or it is closed, which is as well */
}

void tickets_settle(struct http_server *server)
{
    for (struct connection *connection = connected_next(server); connection != NULL;
         connection = connected_next(server))
        ticket_use(connection);
}

void ticket_free(struct ticket *ticket)
{
    if (ticket == NULL)
        return;
    (void)pthread_mutex_lock(&ticket->connection->server->lock); /* fails only on misuse */
    list_remove(&ticket->link);
    (void)pthread_mutex_unlock(&ticket->connection->server->lock);
    sys_close_fd(&ticket->peer_fd);
    free(ticket);
}

/* What the client sends by now stays in the socket; only its loss is news. */
static void client_ready(struct watch *watch, uint32_t events)
{
    (void)events; /* nothing else was asked for */
    connection_close(container_of(watch, struct connection, watch));
}

/* False when nobody waits for it. */
static bool ticket_connect(struct http_server *server, int64_t token, int peer_fd)
{
    LOCK_SCOPE(&server->lock);
    list_each(node, &server->tickets) {
        struct ticket *ticket = container_of(node, struct ticket, link);
        if (ticket->token != token || ticket->is_connected)
            continue;
        ticket->is_connected = true;
        ticket->peer_fd = peer_fd;
        server->has_connects = true;
        return true;
    }
    return false;
}

static struct connection *connected_next(struct http_server *server)
{
    LOCK_SCOPE(&server->lock);
    if (!server->has_connects)
        return NULL;
    list_each(node, &server->tickets) {
        struct ticket *ticket = container_of(node, struct ticket, link);
        if (ticket->is_connected && ticket->is_waiting)
            return ticket->connection;
    }
    server->has_connects = false;
    return NULL;
}

static void ticket_use(struct connection *connection)
{
    struct ticket *ticket = connection->ticket;
    int peer_fd = move_fd(&ticket->peer_fd);

    connection->ticket = NULL;
    ticket_free(ticket);
    pump_begin(connection, peer_fd);
}
