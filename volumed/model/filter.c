/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Docker's filters and answers questions about them.  What a key means is the caller's. */
#include "model/filter.h"

#include <string.h>

#define FILTER_TERMS_MAX 1000

typedef bool (*compare_fn)(const char *wanted, const char *value);

static int check_keys(const json_t *root, const char *const *known, struct error *err);
static int add_terms(struct filter *filter, struct arena *mem, const char *key,
                     const json_t *values, struct error *err);
static int add_keys(struct filter *filter, struct arena *mem, const char *key, const json_t *values,
                    struct error *err);
static int add_term(struct filter *filter, struct arena *mem, const char *key, const char *value,
                    struct error *err);
static bool match_any(const struct filter *filter, const char *key, const char *value,
                      compare_fn compare);
static bool is_equal(const char *wanted, const char *value);
static bool is_prefix(const char *wanted, const char *value);
static bool is_part(const char *wanted, const char *value);
static bool label_holds(const struct pairs *labels, const char *term);

int filter_parse(struct filter *filter, struct arena *mem, const char *text,
                 const char *const *known, struct error *err)
{
    struct filter read = { 0 };

    if (text == NULL || *text == '\0') {
        *filter = read;
        return 0;
    }
    cleanup_json json_t *root = json_read(text, strlen(text), err);
    if (root == NULL)
        return error_prefix(err, "invalid filters");
    if (!json_is_object(root))
        return fail(err, ERR_INVALID, "invalid filters: expected a JSON object");
    if (check_keys(root, known, err) < 0)
        return -1;
    read.terms = arena_array(mem, FILTER_TERMS_MAX, sizeof(*read.terms));
    const char *key;
    json_t *values;
    json_object_foreach(root, key, values)
    {
        if (add_terms(&read, mem, arena_strdup(mem, key), values, err) < 0)
            return -1;
    }
    *filter = read;
    return 0;
}

bool filter_has(const struct filter *filter, const char *key)
{
    return filter_get(filter, key) != NULL;
}

bool filter_match(const struct filter *filter, const char *key, const char *value)
{
    return match_any(filter, key, value, is_equal);
}

bool filter_match_prefix(const struct filter *filter, const char *key, const char *value)
{
    return match_any(filter, key, value, is_prefix);
}

bool filter_match_part(const struct filter *filter, const char *key, const char *value)
{
    return match_any(filter, key, value, is_part);
}

bool filter_match_labels(const struct filter *filter, const struct pairs *labels)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct filter_term *term = &filter->terms[i];
        if (strcmp(term->key, "label") == 0 && !label_holds(labels, term->value))
            return false;
        if (strcmp(term->key, "label!") == 0 && label_holds(labels, term->value))
            return false;
    }
    return true;
}

int filter_get_bool(const struct filter *filter, const char *key, bool *value, struct error *err)
{
    const char *text = filter_get(filter, key);

    if (text == NULL)
        return 0;
    bool is_true = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool is_false = strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    if (!is_true && !is_false)
        return fail(err, ERR_INVALID, "invalid filter '%s=%s'", key, text);
    *value = is_true;
    return 0;
}

const char *filter_get(const struct filter *filter, const char *key)
{
    for (size_t i = 0; i < filter->count; i++)
        if (strcmp(filter->terms[i].key, key) == 0)
            return filter->terms[i].value;
    return NULL;
}

static int check_keys(const json_t *root, const char *const *known, struct error *err)
{
    const char *key;
    json_t *values;

    json_object_foreach(pointer_unconst(root), key, values) /* read only */
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL)
            return fail(err, ERR_INVALID, "invalid filter '%s'", key);
    }
    return 0;
}

/* A list of strings, or an object whose keys are the values (old clients and Go's encoding). */
static int add_terms(struct filter *filter, struct arena *mem, const char *key,
                     const json_t *values, struct error *err)
{
    if (json_is_object(values))
        return add_keys(filter, mem, key, values, err);
    if (!json_is_array(values) && !json_is_null(values))
        return fail(err, ERR_INVALID, "invalid filter '%s': expected a list", key);
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *item = json_array_get(values, i);
        if (!json_is_string(item))
            return fail(err, ERR_INVALID, "invalid filter '%s': expected strings", key);
        if (add_term(filter, mem, key, json_string_value(item), err) < 0)
            return -1;
    }
    return 0;
}

static int add_keys(struct filter *filter, struct arena *mem, const char *key, const json_t *values,
                    struct error *err)
{
    const char *name;
    json_t *member;

    json_object_foreach(pointer_unconst(values), name, member)
    { /* jansson only reads */
        if (add_term(filter, mem, key, name, err) < 0)
            return -1;
    }
    return 0;
}

static int add_term(struct filter *filter, struct arena *mem, const char *key, const char *value,
                    struct error *err)
{
    if (filter->count == FILTER_TERMS_MAX)
        return fail(err, ERR_INVALID, "more than %d filter values", FILTER_TERMS_MAX);
    filter->terms[filter->count++] = (struct filter_term){ key, arena_strdup(mem, value) };
    return 0;
}

static bool match_any(const struct filter *filter, const char *key, const char *value,
                      compare_fn compare)
{
    bool is_absent = true;

    for (size_t i = 0; i < filter->count; i++) {
        if (strcmp(filter->terms[i].key, key) != 0)
            continue;
        is_absent = false;
        if (compare(filter->terms[i].value, value))
            return true;
    }
    return is_absent;
}

static bool is_equal(const char *wanted, const char *value)
{
    return strcmp(wanted, value) == 0;
}

static bool is_prefix(const char *wanted, const char *value)
{
    return strncmp(wanted, value, strlen(wanted)) == 0;
}

static bool is_part(const char *wanted, const char *value)
{
    return strstr(value, wanted) != NULL;
}

static bool label_holds(const struct pairs *labels, const char *term)
{
    const char *equals = strchr(term, '=');
    size_t length = equals == NULL ? strlen(term) : (size_t)(equals - term);

    for (size_t i = 0; i < labels->count; i++) {
        const struct pair *label = &labels->items[i];
        if (strlen(label->key) == length && strncmp(label->key, term, length) == 0)
            return equals == NULL || strcmp(equals + 1, label->value) == 0;
    }
    return false;
}
