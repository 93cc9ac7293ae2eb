/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who follows which log.  One inotify instance serves all followers, since a user has only 128 of
 * them; each follower has an eventfd, which is rung when something happens in the box it follows.
 */
#ifndef CORE_LOG_WATCH_H
#define CORE_LOG_WATCH_H

#include "base/error.h"

struct log_watch;

struct log_watch *log_watch_new(struct error *err);
void log_watch_free(struct log_watch *watch);

/* Readable when log_watch_dispatch() has something to do; the monitor's thread does it. */
int log_watch_fd(const struct log_watch *watch);
void log_watch_dispatch(struct log_watch *watch);

/* Returns an eventfd, which is closed by log_watch_leave().  From any thread. */
int log_watch_join(struct log_watch *watch, int box_fd, struct error *err);
void log_watch_leave(struct log_watch *watch, int fd);

#endif
