/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From model structs to the native API's JSON.  One shape a noun, wherever it appears.  Times are
 * told twice: RFC 3339 for people, _ms (or _ns) for programs.  All return new references.
 */
#ifndef API_NATIVE_ENCODE_H
#define API_NATIVE_ENCODE_H

#include "base/json.h"
#include "core/operation/task.h"
#include "core/reconcile/reconcile.h"
#include "core/volume/volume_measure.h"
#include "model/container.h"
#include "model/volume.h"

json_t *encode_volume(struct task *task, const struct volume *volume);

json_t *encode_limit(const struct volume *volume);
json_t *encode_measure(const struct measure *measure);

/* Without "cost", which only the answer to its making has. */
json_t *encode_snapshot(const struct snapshot *snapshot);

/* With "space", or "problem" when the pool cannot be asked. */
json_t *encode_pool(struct task *task, const struct pool *pool);
json_t *encode_attachment(const struct attachment *attachment);
json_t *encode_operation(const struct operation *operation);
json_t *encode_event(const struct event *event);
json_t *encode_findings(const struct findings *findings, bool is_repair);

/* Sets "created" and "created_ms", and so on for another name; 0 is null. */
void encode_time_ms(json_t *object, const char *name, int64_t time_ms);

/* {name: list}; takes over 'list'. */
json_t *encode_list(const char *name, json_t *list);

#endif
