/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One queue, first come first served: short requests wait at most for as many turns as stand
 * before them, and a stream's turn is short.  Idle workers stand in a stack, so that what a few
 * can do is done by the same few: their connections' page caches are warm, and the others' stay
 * small.
 */
#include "http/worker.h"

#include <assert.h>
#include <stdlib.h>

#include "base/thread.h"

#define IN_A_ROW_MAX 64 /* errands, before others have their turn */

static void *worker_body(void *argument);
static struct errand *work_off(struct worker *worker, struct errand *errand);
static struct errand *errand_next(struct errand *errand, struct worker *worker);
static bool worker_begin(struct worker *worker);
static struct errand *errand_wait(struct crew *crew, struct worker *worker);
static void worker_wait(struct worker *worker);

int crew_start(struct crew *crew, const struct http_server_spec *spec,
               void (*done)(struct crew *crew, struct errand *errand), struct error *err)
{
    assert(spec->worker_count > 0);
    *crew = (struct crew){ .ops = spec->worker_ops, .context = spec->worker_context, .done = done };
    (void)pthread_mutex_init(&crew->lock, NULL); /* cannot fail for a plain one */
    (void)pthread_cond_init(&crew->bell, NULL);
    list_init(&crew->errands);
    list_init(&crew->idle);
    crew->workers = mem_alloc((size_t)spec->worker_count * sizeof(*crew->workers));
    int rc = 0;
    for (int i = 0; rc == 0 && i < spec->worker_count; i++) {
        struct worker *worker = &crew->workers[i];
        worker->crew = crew;
        list_init(&worker->link);
        (void)pthread_cond_init(&worker->bell, NULL);
        rc = thread_start(&worker->thread, "http-worker", worker_body, worker, err);
        crew->count += rc == 0 ? 1 : 0;
    }
    LOCK_SCOPE(&crew->lock);
    while (rc == 0 && crew->ready_count < crew->count && !crew->has_failed)
        (void)pthread_cond_wait(&crew->bell, &crew->lock); /* fails only on misuse */
    if (rc == 0 && crew->has_failed) {
        *err = crew->err;
        rc = -1;
    }
    return rc;
}

void crew_send(struct crew *crew, struct errand *errand)
{
    struct worker *worker = NULL;

    (void)pthread_mutex_lock(&crew->lock); /* fails only on misuse */
    list_append(&crew->errands, &errand->link);
    if (!list_is_empty(&crew->idle)) {
        worker = container_of(crew->idle.prev, struct worker, link);
        list_remove(&worker->link); /* the next errand is another's */
    }
    (void)pthread_mutex_unlock(&crew->lock);
    if (worker != NULL) /* without the lock, which it takes first */
        (void)pthread_cond_signal(&worker->bell);
}

bool crew_stay(struct crew *crew)
{
    LOCK_SCOPE(&crew->lock);
    bool may_stay =
        !crew->is_hurried && list_is_empty(&crew->errands) && crew->stay_count < crew->count / 2;

    crew->stay_count += may_stay ? 1 : 0;
    return may_stay;
}

void crew_leave(struct crew *crew)
{
    LOCK_SCOPE(&crew->lock);
    crew->stay_count--;
}

void crew_hurry(struct crew *crew)
{
    LOCK_SCOPE(&crew->lock);
    crew->is_hurried = true;
}

void crew_stop(struct crew *crew)
{
    (void)pthread_mutex_lock(&crew->lock); /* fails only on misuse */
    crew->is_closed = true;
    for (int i = 0; i < crew->count; i++)
        (void)pthread_cond_signal(&crew->workers[i].bell);
    (void)pthread_mutex_unlock(&crew->lock);
    for (int i = 0; i < crew->count; i++) {
        (void)pthread_join(crew->workers[i].thread, NULL); /* they are ours and joinable */
        (void)pthread_cond_destroy(&crew->workers[i].bell);
    }
    (void)pthread_cond_destroy(&crew->bell);
    (void)pthread_mutex_destroy(&crew->lock);
    free(crew->workers);
}

static void *worker_body(void *argument)
{
    struct worker *worker = argument;
    struct crew *crew = worker->crew;

    if (!worker_begin(worker))
        return NULL;
    worker->mem = arena_new();
    for (struct errand *errand; (errand = errand_wait(crew, worker)) != NULL;) {
        crew->done(crew, work_off(worker, errand)); /* from here on it is not ours */
        arena_reset(worker->mem);
        if (crew->ops != NULL && crew->ops->rest != NULL)
            crew->ops->rest(worker->own);
    }
    arena_free(worker->mem);
    if (crew->ops != NULL && crew->ops->stop != NULL)
        crew->ops->stop(worker->own);
    return NULL;
}

/* Runs the errand and those that follow it at once; returns the last. */
static struct errand *work_off(struct worker *worker, struct errand *errand)
{
    for (int i = 1;; i++) {
        errand->run(errand, worker);
        struct errand *next = i < IN_A_ROW_MAX ? errand_next(errand, worker) : NULL;
        if (next == NULL)
            return errand;
        arena_reset(worker->mem);
        errand = next;
    }
}

static struct errand *errand_next(struct errand *errand, struct worker *worker)
{
    const struct http_worker_ops *ops = worker->crew->ops;
    bool must_rest = ops != NULL && ops->must_rest != NULL && ops->must_rest(worker->own);

    return errand->next == NULL || must_rest ? NULL : errand->next(errand, worker);
}

static bool worker_begin(struct worker *worker)
{
    struct crew *crew = worker->crew;
    struct error err = { 0 };
    bool has_own = crew->ops != NULL && crew->ops->start != NULL;

    if (has_own)
        worker->own = crew->ops->start(crew->context, &err);
    LOCK_SCOPE(&crew->lock);
    bool has_failed = has_own && worker->own == NULL;
    if (has_failed && !crew->has_failed)
        crew->err = err;
    crew->has_failed = crew->has_failed || has_failed;
    crew->ready_count++;
    (void)pthread_cond_broadcast(&crew->bell); /* fails only on misuse */
    return !has_failed;
}

/* NULL when the crew is closed and nothing is left to do. */
static struct errand *errand_wait(struct crew *crew, struct worker *worker)
{
    LOCK_SCOPE(&crew->lock);
    while (list_is_empty(&crew->errands) && !crew->is_closed)
        worker_wait(worker);
    if (list_is_empty(&crew->errands))
        return NULL;
    struct errand *errand = container_of(crew->errands.next, struct errand, link);
    list_remove(&errand->link);
    return errand;
}

/* With the crew's lock held.  A worker that was called may find that a busy one was faster. */
static void worker_wait(struct worker *worker)
{
    list_append(&worker->crew->idle, &worker->link);
    (void)pthread_cond_wait(&worker->bell, &worker->crew->lock); /* fails only on misuse */
    list_remove(&worker->link);
}
