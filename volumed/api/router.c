/* SPDX-License-Identifier: Apache-2.0 */
/* From method and path to a row of a route table.  The tables are the doors' own. */
#include <assert.h>
#include <string.h>

#include "api/call.h"

struct segment {
    const char *text;
    size_t length;
};

static bool path_fits(const char *pattern, const char *path, struct arena *mem,
                      const char *args[CALL_ARGS_MAX]);
static bool method_fits(const struct route *route, const char *method);
static struct segment segment_next(const char **rest);
static struct segment segment_next_many(const char **rest, int kept);
static int segment_count(const char *text);
static bool is_placeholder(struct segment segment);
static bool is_wildcard(struct segment segment);

const struct route *route_find(const struct route *routes, size_t count, struct arena *mem,
                               const char *method, const char *path,
                               const char *args[CALL_ARGS_MAX], int *status)
{
    const struct route *fallback = NULL;
    const char *fallback_args[CALL_ARGS_MAX] = { NULL };

    *status = 404;
    for (size_t i = 0; i < count; i++) {
        const char *found[CALL_ARGS_MAX] = { NULL };
        if (!path_fits(routes[i].pattern, path, mem, found))
            continue;
        if (method_fits(&routes[i], method)) {
            memcpy(args, found, sizeof(found));
            return &routes[i];
        }
        *status = 405;
        if (fallback == NULL && strcmp(method, "HEAD") == 0 && method_fits(&routes[i], "GET")) {
            fallback = &routes[i];
            memcpy(fallback_args, found, sizeof(found));
        }
    }
    if (fallback != NULL)
        memcpy(args, fallback_args, sizeof(fallback_args));
    return fallback;
}

static bool method_fits(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0;
}

static bool path_fits(const char *pattern, const char *path, struct arena *mem,
                      const char *args[CALL_ARGS_MAX])
{
    struct segment values[CALL_ARGS_MAX];
    size_t value_count = 0;

    while (*pattern != '\0' && *path != '\0') {
        struct segment want = segment_next(&pattern);
        struct segment have = is_wildcard(want) ? segment_next_many(&path, segment_count(pattern))
                                                : segment_next(&path);
        if (is_placeholder(want)) {
            assert(value_count < CALL_ARGS_MAX);
            if (have.length == 0)
                return false;
            values[value_count++] = have;
        } else if (want.length != have.length || memcmp(want.text, have.text, have.length) != 0) {
            return false;
        }
    }
    if (*pattern != '\0' || *path != '\0')
        return false;
    for (size_t i = 0; i < value_count; i++)
        args[i] = arena_strndup(mem, values[i].text, values[i].length);
    return true;
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
