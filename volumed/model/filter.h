/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's filters: {"label":["a=b"],"status":["exited"]} or the same as a map of maps.  Values of
 * one key are alternatives (labels: all must hold); keys must all hold.
 */
#ifndef MODEL_FILTER_H
#define MODEL_FILTER_H

#include <stdbool.h>

#include "model/pairs.h"

struct filter_term {
    const char *key;
    const char *value;
};

struct filter {
    size_t count;
    struct filter_term *terms;
};

/* 'text' is JSON or NULL.  A key not in 'known' (NULL-terminated) is INVALID: "invalid filter 'x'".
 */
int filter_parse(struct filter *filter, struct arena *mem, const char *text,
                 const char *const *known, struct error *err);
bool filter_has(const struct filter *filter, const char *key);

/* True when the key is absent, or one of its values equals 'value'. */
bool filter_match(const struct filter *filter, const char *key, const char *value);

/* As above, a value is a prefix (ids) or a part (names) of 'value'. */
bool filter_match_prefix(const struct filter *filter, const char *key, const char *value);
bool filter_match_part(const struct filter *filter, const char *key, const char *value);

/* "label" and "label!" terms: "key" or "key=value", all must hold. */
bool filter_match_labels(const struct filter *filter, const struct pairs *labels);

/* A boolean term; *value is left alone when absent. */
int filter_get_bool(const struct filter *filter, const char *key, bool *value, struct error *err);

/* The first value, NULL when absent. */
const char *filter_get(const struct filter *filter, const char *key);

#endif
