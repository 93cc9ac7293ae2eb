/* SPDX-License-Identifier: Apache-2.0 */
/* The service as a whole: what it is, what it holds, what it uses. */
#ifndef CORE_SYSTEM_H
#define CORE_SYSTEM_H

#include "base/error.h"
#include "base/json.h"
#include "core/task.h"

/* Docker's /info and /version and /system/df bodies.  New references. */
int system_info(struct task *task, json_t **info, struct error *err);
int system_version(struct task *task, json_t **version, struct error *err);
int system_df(struct task *task, json_t **df, struct error *err);

#endif
