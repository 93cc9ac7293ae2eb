/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and queries of requests, percent-encoded.  Memory is the arena's. */
#ifndef VOLCTL_URL_H
#define VOLCTL_URL_H

#include "base/arena.h"

/* 'pattern' with each {} replaced by the next argument (const char *), encoded. */
#define URL(mem, pattern, ...)                                   \
    url_make(mem, pattern, (const char *const[]){ __VA_ARGS__ }, \
             sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
const char *url_make(struct arena *mem, const char *pattern, const char *const *values,
                     size_t value_count);

/* 'path' with the query name=value added; unchanged when value is NULL. */
const char *url_add(struct arena *mem, const char *path, const char *name, const char *value);

#endif
