/* SPDX-License-Identifier: Apache-2.0 */
/* Members by table. */
#include "core/container/shape.h"

static json_t *shape_value(const struct shape_field *field, const json_t *value);
static json_t *texts_of(const json_t *value);
static json_t *absent_value(const struct shape_field *field);
static const char *json_type_name(const json_t *value);
static const char *go_type(enum shape_type type);

json_t *shape_apply(const struct shape_field *fields, const char *what, const json_t *input,
                    struct error *err)
{
    cleanup_json json_t *shaped = json_object();

    for (const struct shape_field *field = fields; field->name != NULL; field++) {
        const json_t *given = input == NULL ? NULL : json_member(input, field->name);
        json_t *value = given == NULL ? absent_value(field) : shape_value(field, given);
        if (given != NULL && value == NULL) {
            (void)fail(err, ERR_INVALID,
                       "invalid JSON: json: cannot unmarshal %s into Go struct field %s.%s of"
                       " type %s",
                       json_type_name(given), what, field->name, go_type(field->type));
            return NULL;
        }
        if (value != NULL)
            json_set(shaped, field->name, value);
    }
    return json_incref(shaped);
}

/* A new reference, or NULL when the type is wrong. */
static json_t *shape_value(const struct shape_field *field, const json_t *value)
{
    bool fits = false;

    switch (field->type) {
    case SHAPE_TEXT: fits = json_is_string(value); break;
    case SHAPE_BOOL: fits = json_is_boolean(value); break;
    case SHAPE_INT: fits = json_is_integer(value); break;
    case SHAPE_TEXTS: return texts_of(value);
    case SHAPE_LIST: fits = json_is_array(value); break;
    case SHAPE_MAP: fits = json_is_object(value); break;
    }
    return fits ? json_deep_copy(value) : NULL;
}

static json_t *texts_of(const json_t *value)
{
    json_t *list = json_array();
    size_t i;
    json_t *item;

    if (json_is_string(value))
        json_array_append_new(list, json_deep_copy(value));
    json_array_foreach(value, i, item)
    {
        if (!json_is_string(item)) {
            json_decref(list);
            return NULL;
        }
        json_array_append(list, item);
    }
    if (json_is_string(value) || json_is_array(value))
        return list;
    json_decref(list);
    return NULL;
}

static json_t *absent_value(const struct shape_field *field)
{
    if (field->absent == SHAPE_OMIT)
        return NULL;
    if (field->absent == SHAPE_NULL)
        return json_null();
    switch (field->type) {
    case SHAPE_TEXT: return json_string("");
    case SHAPE_BOOL: return json_false();
    case SHAPE_INT: return json_integer(0);
    case SHAPE_TEXTS:
    case SHAPE_LIST: return json_array();
    case SHAPE_MAP: return json_object();
    }
    return NULL;
}

static const char *json_type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "object";
    case JSON_ARRAY: return "array";
    case JSON_STRING: return "string";
    case JSON_INTEGER:
    case JSON_REAL: return "number";
    case JSON_TRUE:
    case JSON_FALSE: return "bool";
    case JSON_NULL: return "null";
    }
    return "value";
}

static const char *go_type(enum shape_type type)
{
    switch (type) {
    case SHAPE_TEXT: return "string";
    case SHAPE_BOOL: return "bool";
    case SHAPE_INT: return "int64";
    case SHAPE_TEXTS: return "[]string";
    case SHAPE_LIST: return "[]interface {}";
    case SHAPE_MAP: return "map[string]interface {}";
    }
    return "interface {}";
}
