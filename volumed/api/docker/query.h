/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the '?' in Docker's requests, in the forms that its handlers need. */
#ifndef API_DOCKER_QUERY_H
#define API_DOCKER_QUERY_H

#include "api/call.h"
#include "model/filter.h"

/* Absent is false. */
bool query_flag(const struct call *call, const char *name);

/* NULL when absent or empty. */
const char *query_text(const struct call *call, const char *name);

/* All values of a repeated key, NULL-terminated. */
const char *const *query_list(const struct call *call, const char *name);

/* A time as since and until take it; absent leaves *time_ns, "0" is 0. */
int query_time(const struct call *call, const char *name, int64_t *time_ns, struct error *err);

/* A terminal's size: h and w, at most 65535 each. */
int query_size(const struct call *call, int *rows, int *columns, struct error *err);

/* The filters; in the arena 'mem', since those of a stream outlive the call. */
int query_filter(const struct call *call, struct arena *mem, const char *const *known,
                 struct filter *filter, struct error *err);

#endif
