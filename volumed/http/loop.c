/* SPDX-License-Identifier: Apache-2.0 */
/* The epoll set and the batch of events under way.  Who is watched for what is the owners'. */
#include "http/loop.h"

#include <errno.h>
#include <unistd.h>

#include "base/sys.h"

int loop_init(struct loop *loop, struct error *err)
{
    *loop = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
    if (loop->epoll_fd < 0)
        return fail_sys(err, -errno, "cannot make an epoll set");
    return 0;
}

void loop_done(struct loop *loop)
{
    sys_close_fd(&loop->epoll_fd);
}

int loop_arm(struct loop *loop, struct watch *watch, uint32_t events)
{
    struct epoll_event event = { .events = events | EPOLLONESHOT, .data.ptr = watch };
    int operation = watch->is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) < 0)
        return -errno;
    watch->is_known = true;
    return 0;
}

void loop_drop(struct loop *loop, struct watch *watch)
{
    if (!watch->is_known)
        return;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL); /* it is in the set */
    watch->is_known = false;
    for (int i = loop->batch_next; i < loop->batch_count; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
}

void loop_turn(struct loop *loop, int timeout_ms)
{
    int count = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH, timeout_ms);

    loop->batch_count = count > 0 ? count : 0; /* EINTR: the next turn waits again */
    loop->batch_next = 0;
    while (loop->batch_next < loop->batch_count) {
        struct epoll_event *event = &loop->batch[loop->batch_next++];
        struct watch *watch = event->data.ptr;
        if (watch != NULL)
            watch->ready(watch, event->events);
    }
    loop->batch_count = 0;
}
