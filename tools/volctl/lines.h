/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that are lines: events, and the progress of long work. */
#ifndef VOLCTL_LINES_H
#define VOLCTL_LINES_H

#include "client.h"

/* 'text' is NUL-terminated, without its line's end.  0: go on, 1: enough, -1 with err. */
typedef int (*line_fn)(void *context, const char *text, size_t size, struct error *err);

/* Calls each() for every line that is not empty, as it comes.  Returns 0 or -1. */
int lines_each(struct reply *reply, line_fn each, void *context, struct error *err);

#endif
