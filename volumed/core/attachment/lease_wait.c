/* SPDX-License-Identifier: Apache-2.0 */
/* A list of who waits, and the event bell that wakes them. */
#include "core/attachment/lease_wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/thread.h"
#include "core/attachment/attachment.h"
#include "core/attachment/lease.h"
#include "core/operation/event.h"
#include "core/service.h"

#define WAITS_MAX 4 /* at least as many workers are left for others (service->waits_max) */
#define LOOK_MS   1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: waits */
static struct list waits = { &waits, &waits };

static int64_t longest_wait_ms(struct task *task, const char *container_id);
static bool enter(struct lease_wait *wait);

bool lease_wait_begin(struct task *task, const char *container_id, struct lease_wait *wait)
{
    int64_t wait_ms = longest_wait_ms(task, container_id);
    struct error err;

    if (wait_ms <= 0)
        return false;
    *wait = (struct lease_wait){
        .task = task,
        .container_id = container_id,
        .until_ms = clock_mono_ms() + wait_ms,
        .bell_fd = event_bell_join(task->service->bell, &err),
    };
    if (wait->bell_fd >= 0 && enter(wait))
        return true;
    if (wait->bell_fd >= 0)
        event_bell_leave(task->service->bell, wait->bell_fd);
    log_warn("too many starts wait for writers: one is not waited for container=%s", container_id);
    return false;
}

bool lease_wait_next(struct lease_wait *wait)
{
    int64_t left_ms = wait->until_ms - clock_mono_ms();
    struct pollfd pollfd = { .fd = wait->bell_fd, .events = POLLIN };
    uint64_t rings;

    if (left_ms <= 0 || wait->task->service->is_stopping)
        return false;
    if (poll(&pollfd, 1, (int)(left_ms < LOOK_MS ? left_ms : LOOK_MS)) > 0)
        (void)sys_read(wait->bell_fd, &rings, sizeof(rings)); /* only that it rang matters */
    return true;
}

void lease_wait_end(struct lease_wait *wait)
{
    (void)lock_take(&lock);
    list_remove(&wait->node);
    (void)pthread_mutex_unlock(&lock);
    event_bell_leave(wait->task->service->bell, wait->bell_fd);
    lease_succeed_after(wait->task, wait->container_id); /* those that it kept from writing */
}

bool lease_is_waited_for(struct task *task, const char *volume_id)
{
    LOCK_SCOPE(&lock);
    list_each(node, &waits) {
        const struct lease_wait *wait = container_of(node, struct lease_wait, node);
        struct attachment *list = NULL;
        size_t count = 0;
        struct error ignored; /* what cannot be read does not wait */
        if (attachment_list(task, wait->container_id, &list, &count, &ignored) < 0)
            continue;
        for (size_t i = 0; i < count; i++)
            if (list[i].wait_ms > 0 && strcmp(list[i].volume_id, volume_id) == 0)
                return true;
    }
    return false;
}

/* Of the attachments that a writer is in the way of; 0 when one of these does not wait. */
static int64_t longest_wait_ms(struct task *task, const char *container_id)
{
    struct attachment *list = NULL;
    size_t count = 0;
    int64_t longest_ms = 0;
    struct error ignored;

    if (attachment_list(task, container_id, &list, &count, &ignored) < 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (lease_test(task, &list[i], &ignored) == 0)
            continue;
        if (list[i].wait_ms <= 0)
            return 0;
        longest_ms = list[i].wait_ms > longest_ms ? list[i].wait_ms : longest_ms;
    }
    return longest_ms;
}

static bool enter(struct lease_wait *wait)
{
    int max = wait->task->service->waits_max > 0 ? wait->task->service->waits_max : WAITS_MAX;
    int count = 0;

    LOCK_SCOPE(&lock);
    list_each(node, &waits)
        count++;
    if (count >= max)
        return false;
    list_append(&waits, &wait->node);
    return true;
}
