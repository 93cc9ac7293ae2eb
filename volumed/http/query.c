/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs are decoded when asked for: queries are short and read a few times. */
#include "http/query.h"

#include <string.h>

#include "http/text.h"

const char *query_find(const char *query, const char *name, int index, struct arena *mem)
{
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        char *pair = arena_strndup(mem, query, length);
        char *value = strchr(pair, '=');
        query += length + (query[length] == '&' ? 1 : 0);
        if (value != NULL)
            *value++ = '\0';
        if (text_percent_decode(pair, true) < 0 || strcmp(pair, name) != 0)
            continue;
        if (value != NULL && text_percent_decode(value, true) < 0)
            continue;
        if (index-- == 0)
            return value != NULL ? value : "";
    }
    return NULL;
}
