/* SPDX-License-Identifier: Apache-2.0 */
/* An ordered map of text to text: labels, driver options, event attributes. */
#ifndef MODEL_PAIRS_H
#define MODEL_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct pair {
    const char *key;
    const char *value;
};

/* Zero is the empty map.  Keys are unique; memory is the arena's. */
struct pairs {
    size_t count;
    struct pair *items;
};

/* Adds or replaces; key and value are kept by reference. */
void pairs_set(struct pairs *pairs, struct arena *mem, const char *key, const char *value);
void pairs_remove(struct pairs *pairs, const char *key);

/* NULL when absent. */
const char *pairs_get(const struct pairs *pairs, const char *key);

/* Same keys with same values, in any order. */
bool pairs_equal(const struct pairs *a, const struct pairs *b);

/* From a JSON object of strings (NULL and null: empty).  Numbers and booleans are taken as their
 * text. */
int pairs_from_json(struct pairs *pairs, struct arena *mem, const json_t *object,
                    struct error *err);

/* From stored text; what we wrote ourselves, so a failure is CORRUPT. */
int pairs_from_text(struct pairs *pairs, struct arena *mem, const char *text, struct error *err);

/* A JSON object, keys sorted.  New reference. */
json_t *pairs_to_json(const struct pairs *pairs);
char *pairs_to_text(const struct pairs *pairs, struct arena *mem);

#endif
