/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's connection.  The loop owns it, but while it is WORKING: then it is the worker's that
 * runs the call.
 *
 *    IDLE ── HEAD ── BODY ── WORKING ──┬── FLUSHING ──┬── IDLE
 *                                      ├── STREAMING ─┤
 *                                      ├── WAITING ── PUMPING ── LINGERING ── closed
 *                                      └───────────────────────────┘
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "base/buf.h"
#include "http/listener.h"
#include "http/socket.h"

enum connection_state {
    CONNECTION_IDLE,      /* between requests */
    CONNECTION_HEAD,      /* half a head has come */
    CONNECTION_BODY,      /* a small body is being collected */
    CONNECTION_WORKING,   /* a worker's */
    CONNECTION_FLUSHING,  /* the end of a reply waits for room */
    CONNECTION_STREAMING, /* stream.h */
    CONNECTION_WAITING,   /* for its peer, ticket.h */
    CONNECTION_PUMPING,   /* pump.h */
    CONNECTION_LINGERING  /* all is said; the client has not closed yet */
};

struct connection {
    struct list link; /* in server->connections */
    struct http_server *server;
    const struct listener *listener;
    struct watch watch;
    enum connection_state state;
    bool is_unix;
    bool is_broken;   /* nothing reaches the client any more */
    bool keeps_alive; /* after what is being flushed */
    struct peer peer;
    int64_t deadline_ms; /* 0: none */
    struct buf in;       /* received, not taken yet */
    size_t scanned;      /* of 'in', for the end of a head */
    struct buf out;      /* to be sent */
    struct http_call *call;
    struct stream *stream;
    struct pump *pump;
    struct ticket *ticket;
};

void connection_open(struct listener *listener, int fd);

/* Not while a worker has it.  Frees it with all that hangs on it. */
void connection_close(struct connection *connection);

/* Its deadline has passed.  May close it, as all below. */
void connection_expire(struct connection *connection);

/* The reply is whole in 'out': sends the rest, then waits for the next request or for the end. */
void connection_finish(struct connection *connection, bool keeps_alive);

/* Waits for events.  Closes the connection when that is not possible and returns -1. */
int connection_arm(struct connection *connection, uint32_t events);

/*
 * What to wait for to learn that nobody is left to read a reply, and whether it has come.  A Unix
 * socket tells a close (EPOLLHUP) from a half-close, so that one may close its sending side and
 * still read; elsewhere the two look the same until one writes.
 */
uint32_t connection_loss_events(const struct connection *connection);
bool connection_is_lost(const struct connection *connection, uint32_t events);

/* Sets a time limit from now; 0: none. */
void connection_limit(struct connection *connection, int64_t limit_ms);

/* Moves on to a state and to who handles its events; ends the time limit of the one before. */
void connection_enter(struct connection *connection, enum connection_state state,
                      void (*ready)(struct watch *watch, uint32_t events));

#endif
