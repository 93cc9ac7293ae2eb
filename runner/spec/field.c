/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's loop and one function per type of member. */
#include "runner/spec/field.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define UNSIGNED_DIGITS                                                      \
    20 /* of the numbers that need more than 63 bits; their signed twin fits \
        */

/* What a reading function needs to know besides its value. */
struct place {
    struct arena *mem;
    const char *path; /* of the member, for messages */
    const struct field *field;
    void *slot;
};

static size_t skip_string(const char *text, size_t size, size_t at);
static void make_signed(char *digits);
static int read_member(const struct place *place, json_t *value, struct error *err);
static int read_text(const struct place *place, json_t *value, struct error *err);
static int read_texts(const struct place *place, json_t *value, struct error *err);
static int read_number(const struct place *place, json_t *value, struct error *err);
static int read_array(const struct place *place, json_t *value, struct error *err);
static int read_raw(const struct place *place, json_t *value, struct error *err);
static int wrong_type(const struct place *place, const char *expected, struct error *err);

json_t *fields_parse(char *text, size_t size, struct error *err)
{
    for (size_t i = 0; i < size;) {
        size_t length = 0;
        if (text[i] == '"') {
            i = skip_string(text, size, i);
            continue;
        }
        while (i + length < size && isdigit((unsigned char)text[i + length]))
            length++;
        if (length == UNSIGNED_DIGITS && (i == 0 || text[i - 1] != '-'))
            make_signed(text + i);
        i += length > 0 ? length : 1;
    }
    return json_read(text, size, err);
}

int fields_read(struct arena *mem, const char *path, const json_t *object,
                const struct field *fields, void *out, struct error *err)
{
    if (!json_is_object(object))
        return fail(err, ERR_INVALID, "'%s' must be an object", *path != '\0' ? path : "document");
    for (const struct field *field = fields; field->type != FIELD_END; field++) {
        json_t *value = json_object_get(object, field->name);
        bool is_present = value != NULL && !json_is_null(value);
        if (!is_present && !field->is_required)
            continue;
        const char *name =
            *path != '\0' ? arena_printf(mem, "%s.%s", path, field->name) : field->name;
        if (!is_present)
            return fail(err, ERR_INVALID, "'%s' is missing", name);
        struct place place = { mem, name, field, (char *)out + field->offset };
        if (read_member(&place, value, err) < 0)
            return -1;
    }
    return 0;
}

/* Where the string that begins at 'at' has ended. */
static size_t skip_string(const char *text, size_t size, size_t at)
{
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at + 1;
}

/* Rewrites twenty digits as the signed number of the same bits; what does not fit stays. */
static void make_signed(char *digits)
{
    char text[UNSIGNED_DIGITS + 1] = "";

    memcpy(text, digits, UNSIGNED_DIGITS);
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    if (errno != 0)
        return;
    int length = snprintf(text, sizeof(text), "%lld", (long long)number);
    memset(digits, ' ', UNSIGNED_DIGITS);
    memcpy(digits, text, (size_t)length);
}

static int read_member(const struct place *place, json_t *value, struct error *err)
{
    switch (place->field->type) {
    case FIELD_TEXT: return read_text(place, value, err);
    case FIELD_TEXTS: return read_texts(place, value, err);
    case FIELD_BOOL:
        if (!json_is_boolean(value))
            return wrong_type(place, "true or false", err);
        *(bool *)place->slot = json_is_true(value);
        return 0;
    case FIELD_INT:
    case FIELD_U32:
    case FIELD_LIMIT: return read_number(place, value, err);
    case FIELD_OBJECT:
        return fields_read(place->mem, place->path, value, place->field->fields, place->slot, err);
    case FIELD_ARRAY: return read_array(place, value, err);
    case FIELD_RAW: return read_raw(place, value, err);
    case FIELD_END: break;
    }
    return 0;
}

static int read_text(const struct place *place, json_t *value, struct error *err)
{
    if (!json_is_string(value))
        return wrong_type(place, "a string", err);
    *(const char **)place->slot = arena_strdup(place->mem, json_string_value(value));
    return 0;
}

static int read_texts(const struct place *place, json_t *value, struct error *err)
{
    if (!json_is_array(value))
        return wrong_type(place, "an array of strings", err);
    size_t count = json_array_size(value);
    const char **texts = arena_array(place->mem, count + 1, sizeof(*texts));
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item))
            return wrong_type(place, "an array of strings", err);
        texts[i] = arena_strdup(place->mem, json_string_value(item));
    }
    *(const char *const **)place->slot = texts;
    return 0;
}

static int read_number(const struct place *place, json_t *value, struct error *err)
{
    int64_t number = json_integer_value(value);

    if (!json_is_integer(value))
        return wrong_type(place, "a whole number", err);
    if (place->field->type == FIELD_U32) {
        if (number < 0 || number > UINT32_MAX)
            return fail(err, ERR_INVALID, "'%s' is out of range: %lld", place->path,
                        (long long)number);
        *(uint32_t *)place->slot = (uint32_t)number;
    } else if (place->field->type == FIELD_LIMIT) {
        *(struct limit *)place->slot = (struct limit){ true, number };
    } else {
        *(int64_t *)place->slot = number;
    }
    return 0;
}

static int read_array(const struct place *place, json_t *value, struct error *err)
{
    const struct field *field = place->field;
    struct array *array = place->slot;

    if (!json_is_array(value))
        return wrong_type(place, "an array", err);
    size_t count = json_array_size(value);
    char *items = arena_array(place->mem, count + 1, field->size);
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(place->mem, "%s[%zu]", place->path, i);
        if (fields_read(place->mem, path, json_array_get(value, i), field->fields,
                        items + i * field->size, err) < 0)
            return -1;
    }
    *array = (struct array){ items, count };
    return 0;
}

static int read_raw(const struct place *place, json_t *value, struct error *err)
{
    bool is_object = place->field->json_type == JSON_OBJECT;

    if (json_typeof(value) != place->field->json_type)
        return wrong_type(place, is_object ? "an object" : "an array", err);
    *(json_t **)place->slot = value;
    return 0;
}

static int wrong_type(const struct place *place, const char *expected, struct error *err)
{
    return fail(err, ERR_INVALID, "'%s' must be %s", place->path, expected);
}
