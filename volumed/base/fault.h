/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault injection: makes the Nth system call that changes something fail, or the process die there.
 * Only builds with -DFAULT_INJECTION have it; elsewhere FAULT_POINT() is the constant 0.
 *
 *     fault_arm(nth, -EIO);   do something;   bool fired = fault_fired();
 *
 * Counters are of the process; a forked child that is to crash arms itself.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

#define FAULT_CRASH        1   /* as 'rc' of fault_arm: the process ends there */
#define FAULT_CRASH_STATUS 113 /* … with this exit status, without any cleanup */

#ifdef FAULT_INJECTION
/* From now on the 'nth' (from 1) fault point returns 'rc', once. */
void fault_arm(int nth, int rc);
void fault_disarm(void);
bool fault_fired(void);

/* Fault points passed since fault_arm or fault_disarm. */
int fault_count(void);
int fault_point(void);

/* A point where only a crash makes sense: just after something became durable. */
void fault_crash_point(void);
#define FAULT_POINT()       fault_point()
#define FAULT_CRASH_POINT() fault_crash_point()
#else
#define FAULT_POINT()       0
#define FAULT_CRASH_POINT() (void)0
#endif

#endif
