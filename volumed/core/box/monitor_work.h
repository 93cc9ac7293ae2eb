/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's slow work, done one after the other in a thread of its own. */
#ifndef CORE_MONITOR_WORK_H
#define CORE_MONITOR_WORK_H

#include "core/box/monitor.h"

struct monitor_work;

struct monitor_work *monitor_work_new(struct service *service);
int monitor_work_start(struct monitor_work *work, struct error *err);

/* What is queued but not begun is forgotten: it is found again at the next start.  NULL-safe. */
void monitor_work_free(struct monitor_work *work);

/* From any thread, also before the start. */
void monitor_work_add(struct monitor_work *work, monitor_work_fn run, const char *id);

/* Queued or under way. */
bool monitor_work_has(struct monitor_work *work, const char *id);

#endif
