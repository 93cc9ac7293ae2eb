/* SPDX-License-Identifier: Apache-2.0 */
/* Routes and statuses: which row a path finds, and what stands for its placeholders. */
#include "api/call.h"
#include "lib/test.h"

static int handle(struct call *unused, struct error *err)
{
    (void)unused;
    (void)err;
    return 0;
}

static const struct route routes[] = {
    { "GET", "/", handle },
    { "GET", "/volumes", handle },
    { "POST", "/volumes/create", handle },
    { "GET", "/volumes/{name}", handle },
    { "DELETE", "/volumes/{name}", handle },
    { "GET", "/images/json", handle },
    { "GET", "/images/{*name}/json", handle },
    { "POST", "/images/{*name}/tag", handle },
    { "DELETE", "/images/{*name}", handle },
    { "HEAD", "/containers/{id}/archive", handle },
    { "GET", "/containers/{id}/archive", handle },
    { "GET", "/a/{}/b/{}", handle },
};

static struct task task;
static struct call call = { .task = &task };
static int status;

static int find(const char *method, const char *path)
{
    if (task.mem == NULL)
        task.mem = arena_new();
    const struct route *route =
        route_find(routes, ARRAY_SIZE(routes), &call, method, path, &status);
    return route == NULL ? -1 : (int)(route - routes);
}

TEST(routes_are_found_by_method_and_path)
{
    CHECK_INT(find("GET", "/"), 0);
    CHECK_INT(find("GET", "/volumes"), 1);
    CHECK_INT(find("POST", "/volumes/create"), 2);
    CHECK_INT(find("GET", "/volumes/data"), 3);
    CHECK_STR(call.args[0], "data");
    CHECK_INT(find("DELETE", "/volumes/data"), 4);
    CHECK_INT(find("GET", "/a/x/b/y"), 11);
    CHECK_STR(call.args[0], "x");
    CHECK_STR(call.args[1], "y");
}

TEST(paths_that_are_not_there_are_404_and_methods_405)
{
    static const char *const absent[] = { "/nothing", "/volumes/", "/volumes/a/b", "//volumes",
                                          "/a//b/y",  "",          "volumesx",     "/images" };

    for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
        ck_assert_msg(find("GET", absent[i]) == -1, "'%s'", absent[i]);
        CHECK_INT(status, 404);
    }
    CHECK_INT(find("PUT", "/volumes/data"), -1);
    CHECK_INT(status, 405);
}

TEST(a_wildcard_takes_as_many_segments_as_leave_the_rest_to_fit)
{
    CHECK_INT(find("GET", "/images/docker.io/library/busybox:latest/json"), 6);
    CHECK_STR(call.args[0], "docker.io/library/busybox:latest");
    CHECK_INT(find("GET", "/images/x/json"), 6);
    CHECK_STR(call.args[0], "x");
    CHECK_INT(find("GET", "/images/json/json"), 6);
    CHECK_STR(call.args[0], "json");
    CHECK_INT(find("POST", "/images/a/tag/tag"), 7);
    CHECK_STR(call.args[0], "a/tag");
    CHECK_INT(find("DELETE", "/images/a/b/c"), 8);
    CHECK_STR(call.args[0], "a/b/c");
    CHECK_INT(find("GET", "/images/json"), 5);
}

TEST(head_finds_its_own_route_before_that_of_get)
{
    CHECK_INT(find("HEAD", "/containers/c/archive"), 9);
    CHECK_INT(find("HEAD", "/volumes/data"), 3);
    CHECK_STR(call.args[0], "data");
    CHECK_INT(find("HEAD", "/volumes/create"), 3);
    CHECK_INT(find("HEAD", "/images/a/tag"), -1);
    CHECK_INT(status, 405);
}

TEST(every_error_has_its_status)
{
    static const struct {
        enum error_code code;
        int status;
    } rows[] = {
        { ERR_INVALID, 400 },     { ERR_NOT_FOUND, 404 }, { ERR_EXISTS, 409 },
        { ERR_BUSY, 409 },        { ERR_CONFLICT, 409 },  { ERR_DENIED, 403 },
        { ERR_UNSUPPORTED, 501 }, { ERR_NO_SPACE, 507 },  { ERR_TIMEOUT, 504 },
        { ERR_PENDING, 202 },     { ERR_CORRUPT, 500 },   { ERR_SYSTEM, 500 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        CHECK_INT(status_of_error(rows[i].code), rows[i].status);
}
