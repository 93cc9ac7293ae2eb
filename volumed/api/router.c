/* SPDX-License-Identifier: Apache-2.0 */
/* From method and path to a row of a route table.  The tables are the doors' own. */
#include <assert.h>
#include <string.h>

#include "api/call.h"

struct segment {
    const char *text;
    size_t length;
};

/* What stood for the placeholders of one pattern. */
struct values {
    size_t count;
    struct segment items[CALL_ARGS_MAX];
};

static bool method_fits(const struct route *route, const char *method);
static bool path_fits(const char *pattern, const char *path, struct values *values);
static bool segment_fits(struct segment wanted, struct segment given, struct values *values);
static void keep_values(struct call *call, const struct values *values);
static struct segment segment_next(const char **rest);
static struct segment segment_next_many(const char **rest, int kept);
static int segment_count(const char *text);
static bool is_placeholder(struct segment segment);
static bool is_wildcard(struct segment segment);

const struct route *route_find(const struct route *routes, size_t count, struct call *call,
                               const char *method, const char *path, int *status)
{
    const struct route *stand_in = NULL; /* GET's, for HEAD */
    struct values values;

    *status = 404;
    for (size_t i = 0; i < count; i++) {
        if (!path_fits(routes[i].pattern, path, &values))
            continue;
        *status = 405;
        if (method_fits(&routes[i], method)) {
            keep_values(call, &values);
            return &routes[i];
        }
        if (stand_in == NULL && strcmp(method, "HEAD") == 0 && method_fits(&routes[i], "GET")) {
            keep_values(call, &values);
            stand_in = &routes[i];
        }
    }
    return stand_in;
}

static bool method_fits(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0;
}

static bool path_fits(const char *pattern, const char *path, struct values *values)
{
    values->count = 0;
    while (*pattern != '\0' && *path != '\0') {
        struct segment wanted = segment_next(&pattern);
        struct segment given = is_wildcard(wanted)
                                   ? segment_next_many(&path, segment_count(pattern))
                                   : segment_next(&path);
        if (!segment_fits(wanted, given, values))
            return false;
    }
    return *pattern == '\0' && *path == '\0';
}

static bool segment_fits(struct segment wanted, struct segment given, struct values *values)
{
    if (!is_placeholder(wanted))
        return wanted.length == given.length && memcmp(wanted.text, given.text, given.length) == 0;
    assert(values->count < CALL_ARGS_MAX);
    values->items[values->count++] = given;
    return given.length > 0;
}

static void keep_values(struct call *call, const struct values *values)
{
    for (size_t i = 0; i < CALL_ARGS_MAX; i++)
        call->args[i] = i < values->count ? arena_strndup(call->task->mem, values->items[i].text,
                                                          values->items[i].length)
                                          : NULL;
}

/* Takes "/segment" off the front; what does not begin with a slash is a segment as well. */
static struct segment segment_next(const char **rest)
{
    const char *text = **rest == '/' ? *rest + 1 : *rest;
    size_t length = strcspn(text, "/");

    *rest = text + length;
    return (struct segment){ text, length };
}

/* As above, as many as there are but for the last 'kept'. */
static struct segment segment_next_many(const char **rest, int kept)
{
    struct segment first = segment_next(rest);

    for (int more = segment_count(*rest) - kept; more > 0; more--)
        (void)segment_next(rest); /* only where it ends matters */
    return (struct segment){ first.text, (size_t)(*rest - first.text) };
}

static int segment_count(const char *text)
{
    int count = 0;

    for (; *text != '\0'; count++)
        (void)segment_next(&text); /* counted, not read */
    return count;
}

static bool is_placeholder(struct segment segment)
{
    return segment.length >= 2 && segment.text[0] == '{' && segment.text[segment.length - 1] == '}';
}

static bool is_wildcard(struct segment segment)
{
    return is_placeholder(segment) && segment.text[1] == '*';
}
