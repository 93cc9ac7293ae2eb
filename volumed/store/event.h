/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of events. */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include "base/error.h"
#include "model/container.h"
#include "store/db.h"

/* seq is given by the database. */
int store_event_insert(struct db *db, const struct event *event, struct error *err);

/* seq > after, oldest first.  Returns the count. */
int store_event_list(struct db *db, struct arena *mem, int64_t after, int limit,
                     struct event **list, struct error *err);
int store_event_last(struct db *db, int64_t *seq, struct error *err);

/* The highest seq of an event older than time_ns; 0 when there is none. */
int store_event_seq_before(struct db *db, int64_t time_ns, int64_t *seq, struct error *err);

/* Forgets all but the newest 'keep'. */
int store_event_prune(struct db *db, int keep, struct error *err);

#endif
