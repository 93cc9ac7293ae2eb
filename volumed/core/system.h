/* SPDX-License-Identifier: Apache-2.0 */
/* The service as a whole: what it is, what it holds, what it uses. */
#ifndef CORE_SYSTEM_H
#define CORE_SYSTEM_H

#include "base/error.h"
#include "base/json.h"
#include "core/operation/task.h"

/* Docker's /info and /version bodies.  New references. */
int system_info(struct task *task, json_t **info, struct error *err);
int system_version(struct task *task, json_t **version, struct error *err);

/* What the unpacked layers of all images take up, each layer once. */
int system_layers_bytes(struct task *task, int64_t *bytes, struct error *err);

#endif
