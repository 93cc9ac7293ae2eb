/* SPDX-License-Identifier: Apache-2.0 */
/* Core's structs in Docker's words: states, event messages and their filters, base64. */
#include <string.h>

#include "api/docker/base64.h"
#include "api/docker/container_json.h"
#include "api/docker/event_filter.h"
#include "lib/test.h"

#define SECOND_NS 1000000000LL
#define NOW_MS    10000000LL

static bool event_passes(const struct event *event, const char *filters)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter filter = { 0 };
    struct error err = { 0 };

    CHECK_OK(filter_parse(&filter, mem, filters, event_filters, &err), &err);
    return event_is_wanted(event, &filter);
}

static void check_status(const struct container *container, const char *expected)
{
    cleanup_arena struct arena *mem = arena_new();

    CHECK_STR(docker_container_status(mem, container, NOW_MS), expected);
}

TEST(status_is_what_ps_has_always_shown)
{
    int64_t then_ns = (NOW_MS / 1000 - 180) * SECOND_NS;
    struct container container = { .state = "running", .started_ns = then_ns };

    check_status(&container, "Up 3 minutes");
    container.health = "{\"Status\":\"healthy\"}";
    check_status(&container, "Up 3 minutes (healthy)");
    container.health = "{\"Status\":\"starting\"}";
    check_status(&container, "Up 3 minutes (health: starting)");
    container.state = "paused";
    check_status(&container, "Up 3 minutes (Paused)");
    container = (struct container){ .state = "exited", .exit_code = 3, .finished_ns = then_ns };
    check_status(&container, "Exited (3) 3 minutes ago");
    container.state = "restarting";
    check_status(&container, "Restarting (3) 3 minutes ago");
    check_status(&(struct container){ .state = "created" }, "Created");
    check_status(&(struct container){ .state = "dead" }, "Dead");
    check_status(&(struct container){ .state = "removing" }, "Removal In Progress");
}

TEST(between_states_is_the_state_before)
{
    CHECK_STR(docker_container_state(&(struct container){ .state = "starting" }), "created");
    CHECK_STR(docker_container_state(&(struct container){ .state = "starting", .finished_ns = 1 }),
              "exited");
}

TEST(event_filters_match_as_those_of_dockerd)
{
    struct pair pairs[] = { { "name", "web" }, { "image", "busybox:latest" }, { "tier", "front" } };
    struct event event = { .type = "container",
                           .action = "start",
                           .object_id = "abcdef0123",
                           .attributes = { ARRAY_SIZE(pairs), pairs } };

    CHECK(event_passes(&event, NULL));
    CHECK(event_passes(&event, "{\"type\":[\"container\"],\"event\":[\"start\",\"stop\"]}"));
    CHECK(!event_passes(&event, "{\"event\":[\"sta\"]}"));
    CHECK(!event_passes(&event, "{\"type\":[\"volume\"]}"));
    CHECK(event_passes(&event, "{\"container\":[\"abcd\"]}"));
    CHECK(event_passes(&event, "{\"container\":{\"web\":true}}"));
    CHECK(!event_passes(&event, "{\"container\":[\"other\"]}"));
    CHECK(event_passes(&event, "{\"image\":[\"busybox\"]}"));
    CHECK(event_passes(&event, "{\"image\":[\"busybox:latest\"]}"));
    CHECK(!event_passes(&event, "{\"image\":[\"busy\"]}"));
    CHECK(event_passes(&event, "{\"label\":[\"tier=front\"]}"));
    CHECK(!event_passes(&event, "{\"label\":[\"tier=back\"]}"));
    event.action = "exec_start: sh";
    CHECK(event_passes(&event, "{\"event\":[\"exec_start\"]}"));
}

TEST(events_of_our_own_bookkeeping_are_not_shown)
{
    struct event event = { .type = "operation", .action = "done", .object_id = "x" };

    CHECK(!event_passes(&event, NULL));
}

TEST(an_event_has_the_old_members_where_docker_had_them)
{
    struct pair pairs[] = { { "image", "busybox" } };
    struct event event = { .type = "container",
                           .action = "die",
                           .object_id = "c1",
                           .time_ns = 5 * SECOND_NS + 7,
                           .attributes = { ARRAY_SIZE(pairs), pairs } };
    cleanup_json json_t *container = docker_event_json(&event);

    CHECK_STR(json_string_value(json_object_get(container, "status")), "die");
    CHECK_STR(json_string_value(json_object_get(container, "id")), "c1");
    CHECK_STR(json_string_value(json_object_get(container, "from")), "busybox");
    CHECK_INT(json_integer_value(json_object_get(container, "time")), 5);
    CHECK_INT(json_integer_value(json_object_get(container, "timeNano")), 5 * SECOND_NS + 7);
    event.type = "volume";
    cleanup_json json_t *volume = docker_event_json(&event);
    CHECK(json_object_get(volume, "status") == NULL);
}

TEST(base64_follows_the_vectors_of_its_rfc)
{
    static const char *const vectors[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };
    cleanup_arena struct arena *mem = arena_new();

    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
        CHECK_STR(base64_encode(mem, vectors[i][0]), vectors[i][1]);
}
