/* SPDX-License-Identifier: Apache-2.0 */
/* The execs that this process knows, and what becomes of them. */
#ifndef CORE_EXEC_TABLE_H
#define CORE_EXEC_TABLE_H

#include "core/box/box.h"
#include "core/container/exec.h"

/* Adds one; *id is its new id, in the task's arena. */
void execs_add(struct task *task, const char *container_id, const json_t *config, const char **id);

/* NOT_FOUND: "No such exec instance: x".  To be ended by exec_done(). */
int execs_get(struct task *task, const char *id, struct exec *exec, struct error *err);

/* From "created" to "running"; CONFLICT when it was started before. */
int execs_begin(struct task *task, const char *id, struct error *err);
void execs_set_pid(struct task *task, const char *id, int64_t pid);
void execs_set_exit(struct task *task, const char *id, int64_t exit_code);

/* Its supervisor says that it has ended: event, and its directory goes. */
void execs_ended(struct task *task, const char *id, const struct box_exit *end);

/* Ids of a container's execs, NULL-terminated. */
const char *const *execs_of(struct task *task, const char *container_id);

#endif
