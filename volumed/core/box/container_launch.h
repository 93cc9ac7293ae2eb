/* SPDX-License-Identifier: Apache-2.0 */
/* From a container's row to a supervisor that holds it, blocked before its program. */
#ifndef CORE_CONTAINER_LAUNCH_H
#define CORE_CONTAINER_LAUNCH_H

#include "base/error.h"
#include "core/container/container_user.h"
#include "core/operation/task.h"
#include "model/container.h"

/* Exit codes of what never ran, where its message does not decide. */
#define LAUNCH_EXEC_FAILED  126
#define LAUNCH_START_FAILED 128

/*
 * Makes box, files, config.json and spawns the supervisor.  An earlier end's record is taken away.
 * On failure nothing runs.
 */
int container_launch(struct task *task, const struct container *container, struct error *err);

/* Who an exec is: its own User, else the container's; looked up in the running container. */
int launch_exec_user(struct task *task, const struct container *container, const json_t *exec,
                     struct user_ids *user, struct error *err);

/* 127 "not found", 126 "permission denied" and "is a directory", else 'otherwise': the rule by
 * which the CLI also goes. */
int64_t launch_exit_code(const char *message, int64_t otherwise);

/* hosts, hostname, resolv.conf in the box. */
int launch_files(struct task *task, const struct container *container, int box_fd,
                 struct error *err);

#endif
