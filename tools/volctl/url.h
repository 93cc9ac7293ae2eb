/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and queries of requests, percent-encoded.  Memory is the arena's. */
#ifndef VOLCTL_URL_H
#define VOLCTL_URL_H

#include "base/arena.h"

/* 'pattern' with each {} replaced by the next argument (const char *), encoded; NULL ends them. */
const char *url(struct arena *mem, const char *pattern, ...) __attribute__((sentinel));

/* 'path' with the query name=value added; unchanged when value is NULL. */
const char *url_add(struct arena *mem, const char *path, const char *name, const char *value);

#endif
