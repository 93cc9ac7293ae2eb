/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a server: what its loop owns, and the little that other threads may touch. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <pthread.h>

#include "base/list.h"
#include "http/http.h"
#include "http/loop.h"
#include "http/worker.h"

#define SERVER_SCRATCH_SIZE ((size_t)64 << 10)

struct http_server {
    char *name;
    struct http_limits limits;
    struct crew crew;
    pthread_t thread;
    bool is_running;

    /* The loop's own. */
    struct loop loop;
    struct watch wake; /* an eventfd */
    struct list listeners;
    struct list connections;
    int connection_count;
    int errand_count; /* those that are out */
    int64_t next_sweep_ms;
    bool is_stopping;
    int64_t cut_off_ms; /* when stopping */
    char *scratch;      /* SERVER_SCRATCH_SIZE bytes, for one read */

    pthread_mutex_t lock; /* guards: what follows */
    struct list arriving; /* listeners */
    struct list returned; /* errands */
    struct list tickets;
    int64_t last_token;
    bool has_connects; /* some ticket has got its peer */
    bool must_stop;
    int64_t grace_ms;
};

/* Makes the loop look at what the lock guards.  Any thread. */
void server_wake(struct http_server *server);

/* Sees to it that deadlines are looked at by then.  The loop's. */
void server_sweep_by(struct http_server *server, int64_t time_ms);

/* Gives an errand to the workers.  The loop's. */
void server_send(struct http_server *server, struct errand *errand);

#endif
