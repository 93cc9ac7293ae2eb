/* SPDX-License-Identifier: Apache-2.0 */
/* The field tables' reader.  A query value is first made the JSON value it stands for. */
#include "api/native/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

#define MODE_MAX 07777

static bool body_is_optional(const struct field *fields);
static int check_known(json_t *object, const struct field *fields, struct error *err);
static int check_required(const json_t *object, const struct field *fields, struct error *err);
static int read_field(struct arena *mem, json_t *value, const struct field *field, void *target,
                      struct error *err);
static int read_text(struct arena *mem, const json_t *value, const char *name, const char **text,
                     struct error *err);
static int read_int(const json_t *value, const char *name, int64_t *number, struct error *err);
static int read_bool(const json_t *value, const char *name, bool *truth, struct error *err);
static int read_mode(const json_t *value, const char *name, int64_t *mode, struct error *err);
static int read_time(const json_t *value, const char *name, int64_t *time_ns, struct error *err);
static int read_pairs(struct arena *mem, const json_t *value, const char *name, struct pairs *pairs,
                      struct error *err);
static int read_changes(struct arena *mem, json_t *value, const char *name,
                        struct pair_changes *changes, struct error *err);
static int read_object(struct arena *mem, const json_t *value, const char *name, const char **text,
                       struct error *err);
static int read_list(struct arena *mem, const json_t *value, const char *name,
                     const char *const **list, struct error *err);
static json_t *query_value(const char *text, enum field_type type);
static int wrong_type(const char *name, const char *expected, struct error *err);

int decode_body(struct call *call, const struct field *fields, void *target, struct error *err)
{
    cleanup_json json_t *body = call_body_json(call, body_is_optional(fields), err);

    if (body == NULL || check_known(body, fields, err) < 0 || check_required(body, fields, err) < 0)
        return -1;
    for (const struct field *field = fields; field->type != FIELD_END; field++) {
        json_t *value = json_object_get(body, field->name);
        if (value != NULL && !json_is_null(value) &&
            read_field(call->task->mem, value, field, target, err) < 0)
            return -1;
    }
    return 0;
}

int decode_query(const struct call *call, const struct field *fields, void *target,
                 struct error *err)
{
    for (const struct field *field = fields; field->type != FIELD_END; field++) {
        const char *text = http_query(call->http, field->name);
        if (text == NULL && field->need == REQUIRED)
            return fail(err, ERR_INVALID, "query '%s' is missing", field->name);
        if (text == NULL)
            continue;
        cleanup_json json_t *value = query_value(text, field->type);
        if (value == NULL || read_field(call->task->mem, value, field, target, err) < 0)
            return fail(err, ERR_INVALID, "query '%s' cannot be '%s'", field->name, text);
    }
    return 0;
}

static bool body_is_optional(const struct field *fields)
{
    for (; fields->type != FIELD_END; fields++)
        if (fields->need == REQUIRED)
            return false;
    return true;
}

static int check_known(json_t *object, const struct field *fields, struct error *err)
{
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        const struct field *field = fields;
        while (field->type != FIELD_END && strcmp(field->name, key) != 0)
            field++;
        if (field->type == FIELD_END)
            return fail(err, ERR_INVALID, "member '%s' is not known here", key);
    }
    return 0;
}

static int check_required(const json_t *object, const struct field *fields, struct error *err)
{
    for (; fields->type != FIELD_END; fields++) {
        const json_t *value = json_object_get(object, fields->name);
        if (fields->need == REQUIRED && (value == NULL || json_is_null(value)))
            return fail(err, ERR_INVALID, "member '%s' is missing", fields->name);
    }
    return 0;
}

static int read_field(struct arena *mem, json_t *value, const struct field *field, void *target,
                      struct error *err)
{
    void *member = (char *)target + field->offset;
    bool truth = false;

    switch (field->type) {
    case FIELD_TEXT: return read_text(mem, value, field->name, member, err);
    case FIELD_INT: return read_int(value, field->name, member, err);
    case FIELD_BOOL: return read_bool(value, field->name, member, err);
    case FIELD_TRISTATE:
        if (read_bool(value, field->name, &truth, err) < 0)
            return -1;
        *(int *)member = truth;
        return 0;
    case FIELD_MODE: return read_mode(value, field->name, member, err);
    case FIELD_TIME: return read_time(value, field->name, member, err);
    case FIELD_PAIRS: return read_pairs(mem, value, field->name, member, err);
    case FIELD_CHANGES: return read_changes(mem, value, field->name, member, err);
    case FIELD_OBJECT: return read_object(mem, value, field->name, member, err);
    case FIELD_LIST: return read_list(mem, value, field->name, member, err);
    case FIELD_END: break;
    }
    abort(); /* the tables have no other type */
}

static int read_text(struct arena *mem, const json_t *value, const char *name, const char **text,
                     struct error *err)
{
    if (!json_is_string(value))
        return wrong_type(name, "a string", err);
    if (strlen(json_string_value(value)) != json_string_length(value))
        return fail(err, ERR_INVALID, "member '%s' has a NUL in it", name);
    *text = arena_strdup(mem, json_string_value(value));
    return 0;
}

static int read_int(const json_t *value, const char *name, int64_t *number, struct error *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong_type(name, "a whole number, 0 or more", err);
    *number = json_integer_value(value);
    return 0;
}

static int read_bool(const json_t *value, const char *name, bool *truth, struct error *err)
{
    if (!json_is_boolean(value))
        return wrong_type(name, "true or false", err);
    *truth = json_is_true(value);
    return 0;
}

static int read_mode(const json_t *value, const char *name, int64_t *mode, struct error *err)
{
    const char *text = json_string_value(value);
    char *end = NULL;

    if (text == NULL || *text < '0' || *text > '7')
        return wrong_type(name, "octal digits in a string, as \"0750\"", err);
    unsigned long bits = strtoul(text, &end, 8); /* its overflow is above MODE_MAX too */
    if (*end != '\0' || bits > MODE_MAX)
        return wrong_type(name, "octal digits in a string, as \"0750\"", err);
    *mode = (int64_t)bits;
    return 0;
}

static int read_time(const json_t *value, const char *name, int64_t *time_ns, struct error *err)
{
    const char *text = json_string_value(value);

    if (text == NULL || clock_parse_ns(text, time_ns) < 0)
        return wrong_type(name, "a time in a string (RFC 3339, or seconds since 1970)", err);
    return 0;
}

static int read_pairs(struct arena *mem, const json_t *value, const char *name, struct pairs *pairs,
                      struct error *err)
{
    if (!json_is_object(value))
        return wrong_type(name, "an object", err);
    if (json_object_size(value) > DECODE_PAIRS_MAX)
        return fail(err, ERR_INVALID, "member '%s' has more than %d entries", name,
                    DECODE_PAIRS_MAX);
    return pairs_from_json(pairs, mem, value, err);
}

static int read_changes(struct arena *mem, json_t *value, const char *name,
                        struct pair_changes *changes, struct error *err)
{
    cleanup_json json_t *set = json_object();
    size_t removed = 0;
    const char *key;
    json_t *item;

    if (!json_is_object(value))
        return wrong_type(name, "an object", err);
    const char **remove = arena_array(mem, json_object_size(value) + 1, sizeof(*remove));
    json_object_foreach(value, key, item)
    {
        if (json_is_null(item))
            remove[removed++] = arena_strdup(mem, key);
        else
            json_set(set, key, json_incref(item));
    }
    if (read_pairs(mem, set, name, &changes->set, err) < 0)
        return -1;
    changes->remove = remove;
    changes->is_given = true;
    return 0;
}

static int read_object(struct arena *mem, const json_t *value, const char *name, const char **text,
                       struct error *err)
{
    if (!json_is_object(value))
        return wrong_type(name, "an object", err);
    *text = json_write(mem, value);
    return 0;
}

static int read_list(struct arena *mem, const json_t *value, const char *name,
                     const char *const **list, struct error *err)
{
    size_t index;
    json_t *item;

    if (!json_is_array(value))
        return wrong_type(name, "an array of strings", err);
    if (json_array_size(value) > DECODE_LIST_MAX)
        return fail(err, ERR_INVALID, "member '%s' has more than %d entries", name,
                    DECODE_LIST_MAX);
    const char **texts = arena_array(mem, json_array_size(value) + 1, sizeof(*texts));
    json_array_foreach(value, index, item)
    {
        if (!json_is_string(item))
            return wrong_type(name, "an array of strings", err);
        texts[index] = arena_strdup(mem, json_string_value(item));
    }
    *list = texts;
    return 0;
}

/* NULL when the text cannot be a value of that type. */
static json_t *query_value(const char *text, enum field_type type)
{
    struct error err; /* told by the caller, who knows the query's name */
    int64_t number;

    switch (type) {
    case FIELD_INT: return units_parse_int(text, &number) < 0 ? NULL : json_integer(number);
    case FIELD_BOOL:
    case FIELD_TRISTATE:
        if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
            return json_true();
        return strcmp(text, "false") == 0 || strcmp(text, "0") == 0 ? json_false() : NULL;
    case FIELD_PAIRS:
    case FIELD_CHANGES:
    case FIELD_OBJECT:
    case FIELD_LIST: return json_read(text, strlen(text), &err);
    case FIELD_TEXT:
    case FIELD_MODE:
    case FIELD_TIME: return json_text(text);
    case FIELD_END: break;
    }
    abort(); /* the tables have no other type */
}

static int wrong_type(const char *name, const char *expected, struct error *err)
{
    return fail(err, ERR_INVALID, "member '%s' must be %s", name, expected);
}
