/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out, at start, what became of the containers while nobody watched. */
#ifndef CORE_MONITOR_RECOVER_H
#define CORE_MONITOR_RECOVER_H

#include "core/box/box.h"

#define MONITOR_CODE_UNKNOWN 255 /* the exit code of what ended with its host, or unwatched */
#define MONITOR_CODE_KILLED  137 /* … of what lost its supervisor, and was killed for that */

int monitor_recover(struct task *task, struct error *err);

/* The end of a container whose supervisor is gone: from its box, or that of one killed. */
void monitor_read_end(struct task *task, const char *id, struct box_exit *end);

#endif
