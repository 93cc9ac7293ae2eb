/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket and whom its requests are for.  Lives as long as the server. */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include "http/server.h"

struct listener {
    struct list link;
    struct watch watch;
    struct http_server *server;
    http_handler_fn handler;
    void *context;
    bool is_paused;  /* no descriptor or no place for a connection is left */
    bool is_starved; /* the last accept failed: said once in the log */
};

/* Begins (or goes on) to accept.  The loop's, as all here. */
void listener_resume(struct listener *listener);
void listener_close(struct listener *listener);

/* Not before the last connection is gone: they know it. */
void listener_free(struct listener *listener);

#endif
