/* SPDX-License-Identifier: Apache-2.0 */
/* The reader and writer helpers over jansson. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

static json_t *find_any_case(const json_t *object, const char *name);
static size_t utf8_length(const unsigned char *text);
static int append_chunk(const char *data, size_t size, void *buf);
static int wrong_type(const char *name, const char *expected, struct error *err);

void json_cleanup(json_t **json)
{
    json_decref(*json);
}

json_t *json_read(const char *text, size_t size, struct error *err)
{
    json_error_t where;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);

    if (json == NULL)
        (void)fail(err, ERR_INVALID, "invalid JSON: %s at line %d column %d", where.text,
                   where.line, where.column);
    return json;
}

json_t *json_member(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    if (value == NULL)
        value = find_any_case(object, name);
    return json_is_null(value) ? NULL : value;
}

int json_get_text(const json_t *object, const char *name, struct arena *mem, const char **value,
                  struct error *err)
{
    const json_t *member = json_member(object, name);

    if (member == NULL)
        return 0;
    if (!json_is_string(member))
        return wrong_type(name, "a string", err);
    *value = arena_strdup(mem, json_string_value(member));
    return 0;
}

int json_get_int(const json_t *object, const char *name, int64_t *value, struct error *err)
{
    const json_t *member = json_member(object, name);

    if (member == NULL)
        return 0;
    if (!json_is_integer(member))
        return wrong_type(name, "an integer", err);
    *value = json_integer_value(member);
    return 0;
}

int json_get_bool(const json_t *object, const char *name, bool *value, struct error *err)
{
    const json_t *member = json_member(object, name);

    if (member == NULL)
        return 0;
    if (!json_is_boolean(member))
        return wrong_type(name, "true or false", err);
    *value = json_is_true(member);
    return 0;
}

int json_get_list(const json_t *object, const char *name, struct arena *mem,
                  const char *const **list, struct error *err)
{
    const json_t *member = json_member(object, name);

    if (member == NULL)
        return 0;
    bool is_single = json_is_string(member);
    if (!is_single && !json_is_array(member))
        return wrong_type(name, "a list of strings", err);
    size_t count = is_single ? 1 : json_array_size(member);
    const char **items = arena_array(mem, count + 1, sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        const json_t *item = is_single ? member : json_array_get(member, i);
        if (!json_is_string(item))
            return wrong_type(name, "a list of strings", err);
        items[i] = arena_strdup(mem, json_string_value(item));
    }
    *list = items;
    return 0;
}

json_t *json_text(const char *text)
{
    cleanup_buf struct buf clean = { 0 };

    if (text == NULL)
        return json_null();
    json_t *json = json_string(text);
    if (json != NULL)
        return json;
    for (const unsigned char *rest = (const unsigned char *)text; *rest != '\0';) {
        size_t length = utf8_length(rest);
        if (length > 0)
            buf_append(&clean, rest, length);
        else
            buf_text(&clean, "\xEF\xBF\xBD");
        rest += length > 0 ? length : 1;
    }
    return json_string_nocheck(clean.data != NULL ? clean.data : "");
}

json_t *json_text_or_empty(const char *text)
{
    return json_text(text != NULL ? text : "");
}

json_t *json_list(const char *const *list)
{
    json_t *array = json_array();

    for (; list != NULL && *list != NULL; list++)
        (void)json_array_append_new(array, json_text(*list)); /* fails only without memory */
    return array;
}

json_t *json_time_ms(int64_t time_ms)
{
    return json_time_ns(time_ms * 1000000);
}

json_t *json_time_ns(int64_t time_ns)
{
    char text[CLOCK_TEXT_SIZE] = "0001-01-01T00:00:00Z";

    if (time_ns != 0)
        clock_text_ns(time_ns, text);
    return json_string(text);
}

void json_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        abort(); /* no memory, or a key that is not UTF-8: ours are literals or came from JSON */
}

void json_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        abort(); /* no memory */
}

char *json_write(struct arena *mem, const json_t *json)
{
    cleanup_buf struct buf text = { 0 };

    json_append(&text, json);
    return arena_strndup(mem, text.data, text.size);
}

void json_append(struct buf *buf, const json_t *json)
{
    if (json_dump_callback(json, append_chunk, buf, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
        abort(); /* no memory */
}

static int append_chunk(const char *data, size_t size, void *buf)
{
    buf_append(buf, data, size);
    return 0;
}

static json_t *find_any_case(const json_t *object, const char *name)
{
    const char *key;
    json_t *value;

    json_object_foreach(pointer_unconst(object), key, value)
    { /* jansson only reads */
        if (strcasecmp(key, name) == 0)
            return value;
    }
    return NULL;
}

/* Bytes of the well-formed UTF-8 sequence at 'text', 0 when there is none (RFC 3629). */
static size_t utf8_length(const unsigned char *text)
{
    if (text[0] < 0x80)
        return 1;
    size_t length = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    if (text[0] < 0xC2 || text[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
        (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F))
        return 0;
    return length;
}

static int wrong_type(const char *name, const char *expected, struct error *err)
{
    return fail(err, ERR_INVALID, "invalid JSON: '%s' must be %s", name, expected);
}
