/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs on files share: how a place in a volume or snapshot is named and asked for. */
#ifndef VOLCTL_FILE_H
#define VOLCTL_FILE_H

#include "command.h"

/*
 * The path of a request: 'pattern' has one {} for the volume; the snapshot of the word
 * VOLUME[@SNAPSHOT] and 'inside', a path there (may be NULL), go into the query.
 */
int file_request_path(struct command *command, const char *pattern, const char *word,
                      const char *inside, const char **request, struct error *err);

/* Passes the rest of a reply on to a descriptor. */
int file_copy_reply(struct reply *reply, int fd, int64_t *bytes, struct error *err);

#endif
