/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server over Unix (and, for tests, TCP) stream sockets: requests to workers, replies
 * whole or in pieces, streams that hold no worker, and both of Docker's hijack forms.  It has never
 * heard of volumes.
 *
 * One epoll thread owns every connection that is idle, half-read, streaming or hijacked.  A
 * complete head (and a body up to HTTP_BODY_INLINE_MAX) is handed to one of a fixed number of
 * workers, which runs the listener's handler; until the handler returns, the connection is the
 * worker's.  Handlers may block.  After its answer the worker waits a moment for the client's next
 * request, which saves waking two threads for it.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

struct http_server;
struct http_call; /* one request, from its head to the handler's return */

/* What each worker thread owns (a database connection, an arena): made and ended on its own thread.
 */
struct http_worker_ops {
    void *(*start)(void *context, struct error *err); /* NULL: the server does not start */
    void (*stop)(void *worker);

    /* What can wait until the client has its answer: between two requests.  May be NULL. */
    void (*rest)(void *worker);

    /* True when it should come to rest soon, though more requests follow.  May be NULL. */
    bool (*must_rest)(void *worker);
};

/* Runs one request.  Must reply, stream or hijack exactly once; if it does none, 500 is sent. */
typedef void (*http_handler_fn)(struct http_call *call, void *worker, void *context);

/* Bounds on what clients can hold.  A zero member stands for its default. */
struct http_limits {
    int connections;   /* 4096; further ones wait in the listening socket's queue */
    int64_t head_ms;   /* 30 s from the first byte of a request to the end of its head */
    int64_t idle_ms;   /* 5 min from one request to the next */
    int64_t stall_ms;  /* 5 min without a byte of a body, or without room for one of a reply */
    int64_t linger_ms; /* 5 s for the client to read the end of a reply and close */
};

struct http_server_spec {
    int worker_count;
    const struct http_worker_ops *worker_ops;
    void *worker_context;
    const char *server_name; /* the Server header; NULL for none */
    struct http_limits limits;
};

struct http_server *http_server_new(const struct http_server_spec *spec, struct error *err);

/* Takes over the listening socket.  May be called while the server runs. */
int http_server_listen(struct http_server *server, int listen_fd, http_handler_fn handler,
                       void *context, struct error *err);

/*
 * Stops accepting, closes all that is idle or streaming, lets running handlers end, joins threads.
 * After grace_ms the remaining clients are cut off, so that handlers that wait for them fail.
 */
void http_server_stop(struct http_server *server, int64_t grace_ms);
void http_server_free(struct http_server *server);

/* A listening Unix socket at an absolute path, replacing a stale one (BUSY when somebody answers
 * there).  mode and gid ((gid_t)-1: the process's) are set before listen. */
int http_listen_unix(const char *path, mode_t mode, gid_t gid, struct error *err);

/* --- the request; all text lives as long as the call --- */
const char *http_method(const struct http_call *call);
const char *http_path(const struct http_call *call); /* percent-decoded, without the query */
const char *http_query(const struct http_call *call,
                       const char *name); /* decoded; NULL if absent */
/* The index-th value of a repeated query key ("names"), NULL past the last. */
const char *http_query_nth(const struct http_call *call, const char *name, int index);
const char *http_header(const struct http_call *call, const char *name);
uid_t http_peer_uid(const struct http_call *call); /* SO_PEERCRED; (uid_t)-1 where there is none */
pid_t http_peer_pid(const struct http_call *call);
struct arena *http_mem(struct http_call *call); /* freed when the handler has returned */

/* The whole body, at most 'max' bytes (INVALID when larger).  *data is NUL-terminated.  Once. */
int http_body(struct http_call *call, size_t max, char **data, size_t *size, struct error *err);

/* Reads the next bytes of the body, blocking; 0 at its end.  For uploads of any size. */
ssize_t http_body_read(struct http_call *call, void *data, size_t size, struct error *err);

/* --- the reply --- */
/* Adds a header to the reply; before the reply begins. */
void http_reply_header(struct http_call *call, const char *name, const char *value);

/* A whole reply.  HEAD requests get the headers only.  content_type may be NULL with size 0. */
int http_reply(struct http_call *call, int status, const char *content_type, const void *data,
               size_t size, struct error *err);

/* A reply in pieces, written by the worker, blocking: begin (chunked), write…, end. */
int http_reply_begin(struct http_call *call, int status, const char *content_type,
                     struct error *err);
int http_reply_write(struct http_call *call, const void *data, size_t size, struct error *err);
int http_reply_end(struct http_call *call, struct error *err);
bool http_reply_has_begun(const struct http_call *call);

/* True once the client has closed its connection (for long work between writes). */
bool http_client_is_gone(struct http_call *call);

/*
 * A long reply that holds no worker.  The status line and headers leave at once.  produce() runs on
 * some worker, never twice at the same time, when wait_fd is readable and the client can take more;
 * it appends to 'out' and returns 1 (call again at once), 0 (wait for wait_fd) or -1 (end of the
 * reply). It is called once at the beginning without waiting.  Reading what made wait_fd readable
 * is produce's work. release() is called exactly once, from any thread, also when the client is
 * lost.  A client that has only closed its sending side is not lost (on Unix sockets).
 */
struct http_stream {
    int wait_fd; /* stays the stream's own: release closes it; must suit epoll (to wait for
                    several things or for a time, make it an epoll set).  -1: produce never
                    returns 0 */
    int (*produce)(struct http_stream *stream, void *worker, struct buf *out);
    void (*release)(struct http_stream *stream);
};

/* Takes the stream over, also when it fails. */
int http_reply_stream(struct http_call *call, int status, const char *content_type,
                      struct http_stream *stream, struct error *err);

/*
 * Turns the connection into a pipe to peer_fd (taken over): 101 UPGRADED when the request asked for
 * an upgrade, else 200 with bytes until close.  Bytes that the client sent already are handed on; a
 * half-close in either direction is passed on; the end of peer_fd's output closes the connection.
 */
int http_hijack(struct http_call *call, const char *content_type, int peer_fd, struct error *err);

/*
 * As above, for a peer that comes later: answers the client now and returns a token (> 0) to
 * connect with.  http_hijack_connect takes peer_fd over and may be called from any thread; peer_fd
 * -1 ends the connection.  A token whose client is gone only closes peer_fd; each token is used up
 * by one connect.
 */
int64_t http_hijack_later(struct http_call *call, const char *content_type, struct error *err);
void http_hijack_connect(struct http_server *server, int64_t token, int peer_fd);
struct http_server *http_server_of(const struct http_call *call);

#define HTTP_HEAD_MAX        ((size_t)64 << 10)
#define HTTP_BODY_INLINE_MAX ((size_t)64 << 10)

#endif
