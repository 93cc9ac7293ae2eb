/* SPDX-License-Identifier: Apache-2.0 */
/* The one inotify instance and the list of its followers. */
#include "core/container/log_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/sys.h"
#include "base/thread.h"

#define EVENTS_SIZE 8192
#define PATH_SIZE   32

struct follower {
    struct list node;
    int place; /* inotify's watch descriptor: the same for all who follow one box */
    int fd;
};

struct log_watch {
    int inotify_fd;
    pthread_mutex_t lock; /* guards: followers */
    struct list followers;
};

static void ring(struct log_watch *watch, int place);
static bool is_followed(const struct log_watch *watch, int place);

struct log_watch *log_watch_new(struct error *err)
{
    struct log_watch *watch = mem_alloc(sizeof(*watch));

    list_init(&watch->followers);
    (void)pthread_mutex_init(&watch->lock, NULL); /* never fails with default attributes */
    watch->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->inotify_fd < 0) {
        (void)fail_sys(err, -errno, "cannot watch logs");
        log_watch_free(watch);
        return NULL;
    }
    return watch;
}

void log_watch_free(struct log_watch *watch)
{
    if (watch == NULL)
        return;
    sys_close_fd(&watch->inotify_fd);
    (void)pthread_mutex_destroy(&watch->lock); /* nobody is left to hold it */
    free(watch);
}

int log_watch_fd(const struct log_watch *watch)
{
    return watch->inotify_fd;
}

void log_watch_dispatch(struct log_watch *watch)
{
    _Alignas(struct inotify_event) char events[EVENTS_SIZE];
    ssize_t size;

    while ((size = sys_read(watch->inotify_fd, events, sizeof(events))) > 0)
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)(events + at);
            ring(watch, (event->mask & IN_Q_OVERFLOW) != 0 ? -1 : event->wd);
            at += (ssize_t)sizeof(*event) + event->len;
        }
}

int log_watch_join(struct log_watch *watch, int box_fd, struct error *err)
{
    char path[PATH_SIZE];
    cleanup_fd int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return fail_sys(err, -errno, "cannot follow a log");
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", box_fd); /* it fits */
    LOCK_SCOPE(&watch->lock);
    int place = inotify_add_watch(watch->inotify_fd, path,
                                  IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
    if (place < 0)
        return fail_sys(err, -errno, "cannot follow a log");
    struct follower *follower = mem_alloc(sizeof(*follower));
    follower->place = place;
    follower->fd = move_fd(&fd);
    list_append(&watch->followers, &follower->node);
    return follower->fd;
}

void log_watch_leave(struct log_watch *watch, int fd)
{
    LOCK_SCOPE(&watch->lock);
    list_each(node, &watch->followers) {
        struct follower *follower = container_of(node, struct follower, node);
        if (follower->fd != fd)
            continue;
        list_remove(node);
        if (!is_followed(watch, follower->place))
            (void)inotify_rm_watch(watch->inotify_fd, follower->place); /* gone with its box */
        sys_close_fd(&follower->fd);
        free(follower);
        return;
    }
}

/* 'place' -1: everybody, since something was lost. */
static void ring(struct log_watch *watch, int place)
{
    LOCK_SCOPE(&watch->lock);
    list_each(node, &watch->followers) {
        const struct follower *follower = container_of(node, struct follower, node);
        if (place < 0 || follower->place == place)
            (void)eventfd_write(follower->fd, 1); /* EAGAIN: it is ringing already */
    }
}

/* With the lock held. */
static bool is_followed(const struct log_watch *watch, int place)
{
    list_each(node, &watch->followers)
        if (container_of(node, struct follower, node)->place == place)
            return true;
    return false;
}
