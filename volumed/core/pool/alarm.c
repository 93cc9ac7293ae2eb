/* SPDX-License-Identifier: Apache-2.0 */
/* A condition with a count, so that a ring is kept for whoever has not seen it. */
#include "core/pool/alarm.h"

#include <time.h>

#include "base/clock.h"
#include "base/thread.h"

#define MS_PER_S  1000
#define NS_PER_MS 1000000L

void alarm_init(struct alarm *alarm)
{
    pthread_condattr_t attributes;

    *alarm = (struct alarm){ 0 };
    (void)pthread_mutex_init(&alarm->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&alarm->bell, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void alarm_done(struct alarm *alarm)
{
    (void)pthread_cond_destroy(&alarm->bell);
    (void)pthread_mutex_destroy(&alarm->lock);
}

void alarm_ring(struct alarm *alarm)
{
    LOCK_SCOPE(&alarm->lock);
    alarm->rings++;
    (void)pthread_cond_broadcast(&alarm->bell);
}

void alarm_stop(struct alarm *alarm)
{
    LOCK_SCOPE(&alarm->lock);
    alarm->is_stopped = true;
    (void)pthread_cond_broadcast(&alarm->bell);
}

bool alarm_wait(struct alarm *alarm, uint64_t *seen, int64_t until_ms)
{
    const struct timespec until = { .tv_sec = until_ms / MS_PER_S,
                                    .tv_nsec = until_ms % MS_PER_S * NS_PER_MS };
    LOCK_SCOPE(&alarm->lock);

    while (!alarm->is_stopped && alarm->rings == *seen && clock_mono_ms() < until_ms)
        (void)pthread_cond_timedwait(&alarm->bell, &alarm->lock, &until); /* looped */
    *seen = alarm->rings;
    return !alarm->is_stopped;
}
