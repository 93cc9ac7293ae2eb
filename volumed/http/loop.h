/* SPDX-License-Identifier: Apache-2.0 */
/* epoll as the server wants it: every watch fires once and is armed again by who handled it. */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/error.h"

#define LOOP_BATCH 64

/* One descriptor.  The descriptor stays its owner's. */
struct watch {
    int fd;
    bool is_known; /* to the epoll set */
    void (*ready)(struct watch *watch, uint32_t events);
};

/* Of one thread. */
struct loop {
    int epoll_fd;
    int batch_next;
    int batch_count;
    struct epoll_event batch[LOOP_BATCH];
};

int loop_init(struct loop *loop, struct error *err);
void loop_done(struct loop *loop);

/*
 * Calls watch->ready once, when one of the events is there; EPOLLHUP and EPOLLERR are always waited
 * for, so 0 waits for them alone.  Returns -errno.
 */
int loop_arm(struct loop *loop, struct watch *watch, uint32_t events);

/* Forgets the watch, also what it has been ready for in this turn.  Before the descriptor is
 * closed. */
void loop_drop(struct loop *loop, struct watch *watch);

/* Waits (-1: without end) and calls what is ready. */
void loop_turn(struct loop *loop, int timeout_ms);

#endif
