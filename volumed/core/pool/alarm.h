/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How verbs tell the clock's threads that something may be due earlier than it thinks: a volume
 * went to an empty trash, a policy was made.  One for the process, in the service.
 */
#ifndef CORE_ALARM_H
#define CORE_ALARM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct alarm {
    pthread_mutex_t lock; /* guards: rings, is_stopped */
    pthread_cond_t bell;
    uint64_t rings;
    bool is_stopped;
};

void alarm_init(struct alarm *alarm);
void alarm_done(struct alarm *alarm);

/* Lets alarm_wait return. */
void alarm_ring(struct alarm *alarm);

/* As above, and for good. */
void alarm_stop(struct alarm *alarm);

/*
 * Waits until then (monotonic), or for a ring since the last wait with the same *seen (0 at first).
 * False when the waiter is to end.
 */
bool alarm_wait(struct alarm *alarm, uint64_t *seen, int64_t until_ms);

#endif
