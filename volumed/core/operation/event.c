/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading events, and the doorbell: one eventfd a subscriber. */
#include "core/operation/event.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/sys.h"
#include "base/thread.h"
#include "core/service.h"
#include "store/event.h"

struct subscriber {
    struct list node;
    int fd;
};

struct event_bell {
    pthread_mutex_t lock; /* guards: subscribers */
    struct list subscribers;
};

struct event_bell *event_bell_new(struct error *err)
{
    struct event_bell *bell = mem_alloc(sizeof(*bell));

    (void)err;
    (void)pthread_mutex_init(&bell->lock, NULL); /* never fails with default attributes */
    list_init(&bell->subscribers);
    return bell;
}

void event_bell_free(struct event_bell *bell)
{
    if (bell == NULL)
        return;
    (void)pthread_mutex_destroy(&bell->lock); /* nobody is left to hold it */
    free(bell);
}

int event_bell_join(struct event_bell *bell, struct error *err)
{
    struct subscriber *subscriber = mem_alloc(sizeof(*subscriber));

    subscriber->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (subscriber->fd < 0) {
        free(subscriber);
        return fail_sys(err, -errno, "cannot subscribe to events");
    }
    LOCK_SCOPE(&bell->lock);
    list_append(&bell->subscribers, &subscriber->node);
    return subscriber->fd;
}

void event_bell_leave(struct event_bell *bell, int fd)
{
    LOCK_SCOPE(&bell->lock);
    list_each(node, &bell->subscribers) {
        struct subscriber *subscriber = container_of(node, struct subscriber, node);
        if (subscriber->fd != fd)
            continue;
        list_remove(node);
        (void)close(fd);
        free(subscriber);
        return;
    }
}

void event_bell_ring(struct event_bell *bell)
{
    LOCK_SCOPE(&bell->lock);
    list_each(node, &bell->subscribers) {
        struct subscriber *subscriber = container_of(node, struct subscriber, node);
        (void)eventfd_write(subscriber->fd, 1); /* EAGAIN: it is ringing already */
    }
}

int event_emit(struct task *task, const char *type, const char *action, const char *object_id,
               const struct pairs *attributes, struct error *err)
{
    struct event event = {
        .time_ns = clock_now_ns(),
        .type = type,
        .action = action,
        .object_id = object_id,
        .actor = task->actor,
    };

    if (attributes != NULL)
        event.attributes = *attributes;
    if (store_event_insert(task->db, &event, err) < 0)
        return -1;
    if (!db_is_in_tx(task->db))
        event_bell_ring(task->service->bell);
    return 0;
}

int event_list(struct task *task, int64_t after, int limit, struct event **list, struct error *err)
{
    return store_event_list(task->db, task->mem, after, limit, list, err);
}

int event_last(struct task *task, int64_t *seq, struct error *err)
{
    return store_event_last(task->db, seq, err);
}

int event_seq_before(struct task *task, int64_t time_ns, int64_t *seq, struct error *err)
{
    return store_event_seq_before(task->db, time_ns, seq, err);
}
