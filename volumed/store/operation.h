/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of operations and of the intents that are their locks. */
#ifndef STORE_OPERATION_H
#define STORE_OPERATION_H

#include <stdbool.h>

#include "base/error.h"
#include "model/container.h"
#include "store/db.h"

/* A UNIQUE violation (EXISTS) can only be the idempotency key. */
int store_operation_insert(struct db *db, const struct operation *operation, struct error *err);

/* Ends a running operation: state, result and error; its intents go.  The key of a failed one is
 * free again. */
int store_operation_end(struct db *db, const struct operation *operation, struct error *err);
int store_operation_set_step(struct db *db, const char *id, int64_t step, const char *note,
                             struct error *err);

/* Returns how many rows were found (0 or 1). */
int store_operation_find(struct db *db, struct arena *mem, const char *id,
                         struct operation *operation, struct error *err);
int store_operation_find_key(struct db *db, struct arena *mem, const char *idempotency_key,
                             struct operation *operation, struct error *err);

/* Newest first; running ones oldest first when only_running.  Returns the count. */
int store_operation_list(struct db *db, struct arena *mem, bool only_running, int limit,
                         struct operation **list, struct error *err);

/* Takes an object for an operation; BUSY, naming the holder, when another has it. */
int store_intent_insert(struct db *db, const char *object, const char *operation_id,
                        struct error *err);

/* 1 when a running operation's note mentions this name, as those do that move data about. */
int store_operation_mentions(struct db *db, const char *name, struct error *err);

/* Forgets ended operations beyond the newest 'keep'. */
int store_operation_prune(struct db *db, int keep, struct error *err);

#endif
