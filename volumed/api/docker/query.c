/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the query.  Which keys there are is the handlers' business. */
#include "api/docker/query.h"

#include "base/clock.h"

bool query_flag(const struct call *call, const char *name)
{
    bool flag = false;
    struct error err;

    (void)call_query_bool(call, name, &flag, &err); /* never fails: every text is true or false */
    return flag;
}

const char *query_text(const struct call *call, const char *name)
{
    const char *text = http_query(call->http, name);

    return text != NULL && *text != '\0' ? text : NULL;
}

const char *const *query_list(const struct call *call, const char *name)
{
    int count = 0;

    while (http_query_nth(call->http, name, count) != NULL)
        count++;
    const char **list = arena_array(call->task->mem, (size_t)count + 1, sizeof(*list));
    for (int i = 0; i < count; i++)
        list[i] = http_query_nth(call->http, name, i);
    return list;
}

int query_time(const struct call *call, const char *name, int64_t *time_ns, struct error *err)
{
    const char *text = query_text(call, name);

    if (text == NULL)
        return 0;
    if (clock_parse_ns(text, time_ns) < 0)
        return fail(err, ERR_INVALID, "query '%s' is not a time: '%s'", name, text);
    return 0;
}

int query_size(const struct call *call, int *rows, int *columns, struct error *err)
{
    int64_t height = 0;
    int64_t width = 0;

    if (call_query_int(call, "h", &height, err) < 0 || call_query_int(call, "w", &width, err) < 0)
        return -1;
    if (height < 0 || height > UINT16_MAX || width < 0 || width > UINT16_MAX)
        return fail(err, ERR_INVALID, "a terminal cannot have %lld rows and %lld columns",
                    (long long)height, (long long)width);
    *rows = (int)height;
    *columns = (int)width;
    return 0;
}

int query_filter(const struct call *call, struct arena *mem, const char *const *known,
                 struct filter *filter, struct error *err)
{
    return filter_parse(filter, mem, query_text(call, "filters"), known, err);
}
