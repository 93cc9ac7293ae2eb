/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: facts that have happened, numbered in one table, and a doorbell for those who wait.  A
 * subscriber keeps a sequence number, so nothing is lost and reconnects resume.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/container.h"

struct event_bell;

struct event_bell *event_bell_new(struct error *err);
void event_bell_free(struct event_bell *bell);

/* An eventfd that is rung after every commit with events; the subscriber reads it, and closes it by
 * _leave. */
int event_bell_join(struct event_bell *bell, struct error *err);
void event_bell_leave(struct event_bell *bell, int fd);
void event_bell_ring(struct event_bell *bell);

/*
 * Writes an event in the caller's transaction (op's prepare and finish), or in one of its own.  The
 * bell is rung by op_run after the commit, or at once where there is no transaction.
 */
int event_emit(struct task *task, const char *type, const char *action, const char *object_id,
               const struct pairs *attributes, struct error *err);

/* Events with seq > after, oldest first, at most 'limit'. */
int event_list(struct task *task, int64_t after, int limit, struct event **list, struct error *err);

/* The newest sequence number; and the last one before a time. */
int event_last(struct task *task, int64_t *seq, struct error *err);
int event_seq_before(struct task *task, int64_t time_ns, int64_t *seq, struct error *err);

#endif
