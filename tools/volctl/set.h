/* SPDX-License-Identifier: Apache-2.0 */
/* What `snapshot create --set` and the verbs on sets share. */
#ifndef VOLCTL_SET_H
#define VOLCTL_SET_H

#include "command.h"

/* Makes the set that --set, --container and the words ask for; 'body' holds the rest. */
int set_create(struct command *command, json_t *body, struct error *err);

/* Warnings of an answer, on standard error, also where that is no terminal. */
void output_warnings(const struct command *command, const json_t *answer);

/* "1.2 ms" */
const char *pause_text(struct arena *mem, const json_t *snapshot);

#endif
