/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches what runs.  One thread holds a connection to the supervisor of every running container
 * and exec, and a timer queue: it writes down exits, wakes those who wait, decides on restarts and
 * runs health checks; a second thread does its slow work (starting again, removing).  What it
 * holds in memory can all be found again from rows and supervisors, so a new volumed takes over.
 */
#ifndef CORE_MONITOR_H
#define CORE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/container/container_io.h"
#include "core/operation/task.h"

struct log_watch;
struct service;
struct monitor;

/* Ready for waiters and attaches; nothing is watched yet. */
struct monitor *monitor_new(struct service *service, struct error *err);

/*
 * Starts the threads, after operations were resumed: takes over containers that still run, writes
 * down the exit of those that ended while nobody watched, and starts those again whose restart
 * policy wants it.  'service->monitor' must be set.
 */
int monitor_start(struct monitor *monitor, struct task *task, struct error *err);

/* Ends the threads; containers keep running.  NULL-safe. */
void monitor_free(struct monitor *monitor);

/*
 * Watches a container that has started.  'fd' is a connection to its supervisor that has answered
 * "watch"; it is taken over.  From any thread.
 */
void monitor_watch(struct monitor *monitor, const char *id, int fd);

/* Likewise for an exec: its end is told to execs_ended(). */
void monitor_watch_exec(struct monitor *monitor, const char *exec_id, int fd);

/* A restart that was decided on is not to happen: someone stopped, started or removed it. */
void monitor_forget_restart(struct monitor *monitor, const char *id);

/* Starts it again after 'delay_ms', through its policy. */
void monitor_restart_later(struct monitor *monitor, const char *id, int64_t delay_ms);

/* Whether work for the container is deferred, or under way.  False without a monitor. */
bool monitor_has_deferred(const struct monitor *monitor, const char *id);

/* The followers of logs, which the monitor's thread wakes. */
struct log_watch *monitor_log_watch(const struct monitor *monitor);

/* Does 'work' for the container in the worker thread, in order. */
typedef void (*monitor_work_fn)(struct task *task, const char *id);
void monitor_defer(struct monitor *monitor, monitor_work_fn work, const char *id);

#endif
