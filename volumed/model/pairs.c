/* SPDX-License-Identifier: Apache-2.0 */
/* Maps small enough to search by walking; the sizes are bounded where requests are decoded. */
#include "model/pairs.h"

#include <string.h>

static struct pair *find(const struct pairs *pairs, const char *key);
static const char *scalar_text(struct arena *mem, const json_t *value);

void pairs_set(struct pairs *pairs, struct arena *mem, const char *key, const char *value)
{
    struct pair *present = find(pairs, key);

    if (present != NULL) {
        present->value = value;
        return;
    }
    /* Copied at each addition: 'items' may be the caller's own array. */
    struct pair *larger = arena_array(mem, pairs->count + 1, sizeof(*larger));
    if (pairs->count > 0)
        memcpy(larger, pairs->items, pairs->count * sizeof(*larger));
    larger[pairs->count++] = (struct pair){ key, value };
    pairs->items = larger;
}

void pairs_remove(struct pairs *pairs, const char *key)
{
    struct pair *present = find(pairs, key);

    if (present == NULL)
        return;
    struct pair *end = pairs->items + pairs->count--;
    memmove(present, present + 1, (size_t)(end - present - 1) * sizeof(*present));
}

const char *pairs_get(const struct pairs *pairs, const char *key)
{
    const struct pair *present = find(pairs, key);

    return present == NULL ? NULL : present->value;
}

bool pairs_equal(const struct pairs *a, const struct pairs *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const char *other = pairs_get(b, a->items[i].key);
        if (other == NULL || strcmp(other, a->items[i].value) != 0)
            return false;
    }
    return true;
}

int pairs_from_json(struct pairs *pairs, struct arena *mem, const json_t *object, struct error *err)
{
    struct pairs read = { 0 };
    const char *key;
    json_t *value;

    if (object != NULL && !json_is_null(object) && !json_is_object(object))
        return fail(err, ERR_INVALID, "expected a JSON object of strings");
    read.items = arena_array(mem, json_object_size(object), sizeof(*read.items));
    /* jansson's iteration takes a pointer that is not const, and does not write through it. */
    for (void *at = json_object_iter(pointer_unconst(object)); at != NULL;
         at = json_object_iter_next(pointer_unconst(object), at)) {
        key = json_object_iter_key(at);
        value = json_object_iter_value(at);
        const char *text = scalar_text(mem, value);
        if (text == NULL)
            return fail(err, ERR_INVALID, "the value of '%s' is not a string", key);
        read.items[read.count++] = (struct pair){ arena_strdup(mem, key), text };
    }
    *pairs = read;
    return 0;
}

int pairs_from_text(struct pairs *pairs, struct arena *mem, const char *text, struct error *err)
{
    if (strcmp(text, "{}") == 0) { /* most maps of most rows: not worth a parser */
        *pairs = (struct pairs){ 0 };
        return 0;
    }
    cleanup_json json_t *object = json_read(text, strlen(text), err);
    if (object == NULL || pairs_from_json(pairs, mem, object, err) < 0) {
        err->code = ERR_CORRUPT;
        return error_prefix(err, "stored map");
    }
    return 0;
}

json_t *pairs_to_json(const struct pairs *pairs)
{
    json_t *object = json_object();

    for (size_t i = 0; i < pairs->count; i++)
        json_set(object, pairs->items[i].key, json_text(pairs->items[i].value));
    return object;
}

char *pairs_to_text(const struct pairs *pairs, struct arena *mem)
{
    cleanup_json json_t *object = pairs_to_json(pairs);

    return json_write(mem, object);
}

static struct pair *find(const struct pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].key, key) == 0)
            return &pairs->items[i];
    return NULL;
}

static const char *scalar_text(struct arena *mem, const json_t *value)
{
    if (json_is_string(value))
        return arena_strdup(mem, json_string_value(value));
    if (json_is_true(value))
        return "true";
    if (json_is_false(value))
        return "false";
    if (json_is_null(value))
        return "";
    if (json_is_integer(value))
        return arena_printf(mem, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return arena_printf(mem, "%.17g", json_real_value(value));
    return NULL;
}
