/* SPDX-License-Identifier: Apache-2.0 */
/* Threads with small stacks, and locks that scopes release. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#include "base/error.h"

/* Starts a joinable thread with a 512 KiB stack and all signals blocked. */
int thread_start(pthread_t *thread, const char *name, void *(*body)(void *), void *argument,
                 struct error *err);

static inline pthread_mutex_t *lock_take(pthread_mutex_t *mutex)
{
    (void)pthread_mutex_lock(mutex); /* fails only on misuse */
    return mutex;
}

static inline void lock_release(pthread_mutex_t **mutex)
{
    (void)pthread_mutex_unlock(*mutex); /* fails only on misuse */
}

/* LOCK_SCOPE(&mutex); holds it until the end of the block. */
#define LOCK_JOIN2(a, b) a##b
#define LOCK_JOIN(a, b)  LOCK_JOIN2(a, b)
#define LOCK_SCOPE(mutex)                                                                       \
    pthread_mutex_t *LOCK_JOIN(lock_, __LINE__) CLEANUP(lock_release) __attribute__((unused)) = \
        lock_take(mutex)

#endif
