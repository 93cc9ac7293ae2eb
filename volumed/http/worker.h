/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed crew of threads that may block.  An errand goes out to one of them and comes back to
 * the loop; in between it belongs to its worker.  What it is about is the owners' affair.
 */
#ifndef HTTP_WORKER_H
#define HTTP_WORKER_H

#include <pthread.h>

#include "base/list.h"
#include "http/http.h"

#define WORKER_SCOPE_SIZE 40

struct worker {
    struct crew *crew;
    struct list link; /* in crew.idle while it waits */
    pthread_cond_t bell;
    pthread_t thread;
    void *own; /* what worker_ops.start made */
    struct arena *mem;
    char scope[WORKER_SCOPE_SIZE]; /* of the log */
};

struct errand {
    struct list link;
    void (*run)(struct errand *errand, struct worker *worker); /* on a worker */
    void (*back)(struct errand *errand);                       /* afterwards, on the loop */

    /* On the worker, between the two: an errand that it is to run at once instead of bringing this
     * one back, which is ended thereby.  NULL: there is none.  May be NULL. */
    struct errand *(*next)(struct errand *errand, struct worker *worker);
};

struct crew {
    const struct http_worker_ops *ops;
    void *context;
    void (*done)(struct crew *crew, struct errand *errand); /* on the worker, after run */
    pthread_mutex_t lock; /* guards: errands, idle, ready_count, stay_count, has_failed, is_closed,
                             is_hurried, err */
    pthread_cond_t bell;  /* of starting */
    struct list errands;
    struct list idle; /* the one that worked last is at the end */
    int ready_count;
    int stay_count;
    bool has_failed;
    bool is_closed;
    bool is_hurried;
    struct error err;
    int count;
    struct worker *workers;
};

/* Returns when every worker has started, or the first that failed has. */
int crew_start(struct crew *crew, const struct http_server_spec *spec,
               void (*done)(struct crew *crew, struct errand *errand), struct error *err);

/* Puts the errand last in the queue.  Any thread. */
void crew_send(struct crew *crew, struct errand *errand);

/*
 * True when a worker may wait a moment for what comes next: half of them at most do, and none while
 * an errand waits for a worker.  Ends with crew_leave.
 */
bool crew_stay(struct crew *crew);
void crew_leave(struct crew *crew);

/* From here on nobody stays.  Any thread. */
void crew_hurry(struct crew *crew);

/* Lets the queue run empty and joins the threads.  Nothing may be sent any more. */
void crew_stop(struct crew *crew);

#endif
