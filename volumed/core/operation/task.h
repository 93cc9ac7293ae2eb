/* SPDX-License-Identifier: Apache-2.0 */
/* What every verb of core gets first: who asks, with which database connection, in which memory. */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

struct db;
struct service;

struct task {
    struct service *service; /* what the whole process shares (core/service.h) */
    struct db *db;           /* this thread's connection */
    struct arena *mem;       /* results live here until the request is over */
    const char *actor; /* "uid=1000 pid=312" of the peer, "volumed" for our own work; never NULL */
    const char *idempotency_key; /* NULL unless the client sent one */
};

#endif
