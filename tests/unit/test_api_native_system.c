/* SPDX-License-Identifier: Apache-2.0 */
/* Pools, operations, events and the whole service through the native door. */
#include "lib/native.h"

TEST(paths_and_methods_that_do_not_exist_are_told_apart)
{
    struct native native;

    native_open(&native);
    native_refuse(&native, "GET", "/nothing", NULL, 404, "not_found", "/volumed/v1/nothing");
    native_refuse(&native, "PUT", "/volumes", NULL, 405, "unsupported", "PUT");
    native_close(&native);
}

TEST(pools_are_made_told_and_forgotten)
{
    struct native native;
    cleanup_buf struct buf body = { 0 };

    native_open(&native);
    buf_printf(&body, "{\"name\":\"fast\",\"path\":\"%s/fast\",\"driver\":\"directory\"}",
               native.state);
    native_do(&native, "POST", "/pools", body.data, 201);
    cleanup_json json_t *list = native_ask(&native, "GET", "/pools", NULL, 200);
    CHECK_INT(count_of(list, "pools"), 2);
    cleanup_json json_t *pool = native_ask(&native, "GET", "/pools/fast", NULL, 200);
    CHECK_STR(text_of(pool, "driver"), "directory");
    CHECK(number_of(json_object_get(pool, "space"), "size_bytes") > 0);
    cleanup_json json_t *space = native_ask(&native, "GET", "/pools/fast/space", NULL, 200);
    CHECK(number_of(space, "free_bytes") >= 0);
    native_do(&native, "POST", "/volumes", "{\"name\":\"v1\",\"pool\":\"fast\"}", 201);
    native_do(&native, "DELETE", "/pools/fast", NULL, 409);
    native_do(&native, "DELETE", "/volumes/v1", NULL, 200);
    native_do(&native, "DELETE", "/pools/fast", NULL, 200);
    native_do(&native, "GET", "/pools/fast", NULL, 404);
    native_close(&native);
}

TEST(operations_are_listed_newest_first)
{
    struct native native;

    native_open(&native);
    native_do(&native, "POST", "/volumes", "{\"name\":\"data\"}", 201);
    native_do(&native, "POST", "/volumes/data/snapshots", "{\"name\":\"s1\"}", 201);
    native_do(&native, "POST", "/volumes/data/rollback", "{\"snapshot\":\"s1\"}", 200);
    cleanup_json json_t *list = native_ask(&native, "GET", "/operations", NULL, 200);
    const json_t *newest = json_array_get(json_object_get(list, "operations"), 0);
    CHECK_STR(text_of(newest, "state"), "done");
    CHECK_STR(text_of(newest, "kind"), "snapshot.rollback");
    char path[80];
    (void)snprintf(path, sizeof(path), "/operations/%s", text_of(newest, "id"));
    cleanup_json json_t *one = native_ask(&native, "GET", path, NULL, 200);
    CHECK_STR(text_of(one, "kind"), "snapshot.rollback");
    CHECK(json_is_null(json_object_get(one, "error")));
    cleanup_json json_t *running = native_ask(&native, "GET", "/operations?running=1", NULL, 200);
    CHECK_INT(count_of(running, "operations"), 0);
    native_refuse(&native, "GET", "/operations?limit=0", NULL, 400, "invalid", "limit");
    native_close(&native);
}

TEST(events_go_on_from_a_number)
{
    struct native native;
    char path[80];

    native_open(&native);
    native_do(&native, "POST", "/volumes", "{\"name\":\"v1\"}", 201);
    native_do(&native, "POST", "/volumes", "{\"name\":\"v2\"}", 201);
    cleanup_json json_t *newest = native_ask(&native, "GET", "/events?limit=1", NULL, 200);
    CHECK_INT(count_of(newest, "events"), 1);
    cleanup_json json_t *all = native_ask(&native, "GET", "/events?after=0", NULL, 200);
    const json_t *first = json_array_get(json_object_get(all, "events"), 0);
    CHECK(number_of(first, "seq") > 0);
    CHECK(text_of(first, "actor") != NULL);
    (void)snprintf(path, sizeof(path), "/events?after=%lld", (long long)number_of(all, "last_seq"));
    cleanup_json json_t *none = native_ask(&native, "GET", path, NULL, 200);
    CHECK_INT(count_of(none, "events"), 0);
    CHECK_INT(number_of(none, "last_seq"), number_of(all, "last_seq"));
    cleanup_json json_t *since = native_ask(&native, "GET", "/events?since=1", NULL, 200);
    CHECK_INT(count_of(since, "events"), count_of(all, "events"));
    native_close(&native);
}

TEST(the_event_stream_sends_what_was_and_what_comes)
{
    struct native native;
    cleanup_buf struct buf got = { 0 };

    native_open(&native);
    native_do(&native, "POST", "/volumes", "{\"name\":\"first\"}", 201);
    {
        cleanup_fd int fd = site_connect(&native.site);
        client_send(fd, SITE_GET("/volumed/v1/events/stream?after=0"));
        client_expect(fd, &got, "first");
        CHECK(strstr(got.data, "application/x-ndjson") != NULL);
        native_do(&native, "POST", "/volumes", "{\"name\":\"second\"}", 201);
        client_expect(fd, &got, "second");
    }
    native_do(&native, "POST", "/volumes", "{\"name\":\"third\"}", 201);
    native_refuse(&native, "GET", "/events/stream?after=x", NULL, 400, "invalid", "after");
    native_close(&native);
}

TEST(the_service_tells_its_version_and_what_it_holds)
{
    struct native native;

    native_open(&native);
    native_do(&native, "POST", "/volumes", "{\"name\":\"data\"}", 201);
    cleanup_json json_t *version = native_ask(&native, "GET", "/system/version", NULL, 200);
    CHECK_STR(text_of(version, "version"), VOLUMED_VERSION);
    cleanup_json json_t *info = native_ask(&native, "GET", "/system", NULL, 200);
    CHECK_INT(number_of(info, "volumes"), 1);
    CHECK_INT(number_of(info, "pools"), 1);
    CHECK_STR(text_of(info, "state_dir"), native.state);
    native_close(&native);
}

TEST(a_check_finds_and_repairs_data_that_no_volume_owns)
{
    struct native native;
    char path[128];

    native_open(&native);
    cleanup_json json_t *clean = native_ask(&native, "POST", "/system/check", NULL, 200);
    CHECK(json_is_true(json_object_get(clean, "clean")));
    (void)snprintf(path, sizeof(path),
                   "%s/pools/default/volumes/11111111-2222-4333-8444-555555555555", native.state);
    CHECK_INT(mkdir(path, 0700), 0);
    (void)strcat(path, "/f");
    CHECK_INT(mkdir(path, 0700), 0); /* an empty one could be a spare of the pool */
    cleanup_json json_t *found = native_ask(&native, "POST", "/system/check", "{}", 200);
    CHECK(json_is_false(json_object_get(found, "clean")));
    CHECK(access(path, F_OK) == 0);
    cleanup_json json_t *repaired =
        native_ask(&native, "POST", "/system/check", "{\"repair\":true}", 200);
    CHECK(json_is_true(json_object_get(repaired, "clean")));
    CHECK(access(path, F_OK) != 0);
    native_close(&native);
}
