/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs are decoded when asked for: queries are short and read a few times. */
#include "http/query.h"

#include <string.h>

#include "http/text.h"

static const char *pair_value(char *pair, const char *name);

const char *query_find(const char *query, const char *name, int index, struct arena *mem)
{
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        const char *value = pair_value(arena_strndup(mem, query, length), name);
        if (value != NULL && index-- == 0)
            return value;
        query += length + (query[length] == '&' ? 1 : 0);
    }
    return NULL;
}

/* The pair's value if it has that name and can be decoded, else NULL.  Decodes in place. */
static const char *pair_value(char *pair, const char *name)
{
    char *value = strchr(pair, '=');

    if (value != NULL)
        *value++ = '\0';
    if (text_percent_decode(pair, true) < 0 || strcmp(pair, name) != 0)
        return NULL;
    if (value == NULL)
        return "";
    return text_percent_decode(value, true) < 0 ? NULL : value;
}
