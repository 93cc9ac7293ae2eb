/* SPDX-License-Identifier: Apache-2.0 */
/* What recreate and rehearse share: both begin something that goes on by itself. */
#ifndef VOLCTL_RECREATE_H
#define VOLCTL_RECREATE_H

#include "command.h"

#define RECREATIONS      "/volumed/v1/recreations"
#define EXIT_ROLLED_BACK 1

/*
 * Asks until it is over, or waits for a person; tells its states on a terminal.  *recreation, a
 * reference that is replaced, is the last answer.
 */
int recreation_follow(struct command *command, json_t **recreation, struct error *err);
bool recreation_is_over(const json_t *recreation);

/* Adds probation, probe and keep to the request. */
int recreation_set_probation(const struct command *command, json_t *body, struct error *err);

/* Asks to recreate 'members', follows it and tells its end.  Takes over 'members'. */
int recreation_run(struct command *command, json_t *members, struct error *err);

#endif
