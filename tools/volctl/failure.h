/* SPDX-License-Identifier: Apache-2.0 */
/* How volctl fails: exit statuses by error code, the message and what may help. */
#ifndef VOLCTL_FAILURE_H
#define VOLCTL_FAILURE_H

#include "command.h"

/* volctl(1), EXIT STATUS */
int exit_status(enum error_code code);

/* "volctl: cannot create volume 'data': …" and a hint, on standard error.  verb and word may be
 * NULL. */
void failure_tell(const struct verb *verb, const char *word, const struct error *err);

/* As above, of a whole command, and the JSON document that --json promises.  Returns the exit
 * status.
 */
int failure_report(const struct command *command, const struct error *err);

/* {"error": {"code": …, "message": …}}.  New reference. */
json_t *failure_json(const struct error *err);

#endif
