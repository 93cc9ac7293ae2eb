/* SPDX-License-Identifier: Apache-2.0 */
/* An exec's directory STATE/containers/<id>/exec/<id>/, and its supervisor. */
#ifndef CORE_EXEC_BOX_H
#define CORE_EXEC_BOX_H

#include "core/box/box.h"
#include "model/container.h"

/* Makes the directory with process.json and spawns the supervisor; the process waits for "start".
 * Returns the directory. */
int exec_box_make(struct task *task, const struct exec *exec, const struct container *container,
                  struct error *err);
int exec_box_open(struct task *task, const struct exec *exec, struct error *err);

/* In the monitor's worker: it takes syncs that nobody needs to wait for. */
void exec_box_remove_later(struct task *task, const struct exec *exec);

int exec_box_remove(struct task *task, const struct exec *exec, struct error *err);

/* What its directory says of its end: 1 there, 0 not yet. */
int exec_box_read_exit(struct task *task, const struct exec *exec, struct box_exit *end);

#endif
