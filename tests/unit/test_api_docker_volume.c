/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes through the Docker door, and the events that tell of them. */
#include "lib/docker.h"

static void volume_make(struct docker *docker, const char *body)
{
    docker_do(docker, "POST /volumes/create", body, 201);
}

static int volume_count(struct docker *docker, const char *filters)
{
    char line[200];

    (void)snprintf(line, sizeof(line), "GET /volumes?filters=%s", filters);
    cleanup_json json_t *list = docker_ask(docker, line, NULL, 200);
    return count_of(list, "Volumes");
}

TEST(a_volume_is_made_from_names_in_any_case_and_nulls)
{
    struct docker docker;

    docker_open(&docker);
    cleanup_json json_t *made =
        docker_ask(&docker, "POST /v1.43/volumes/create",
                   "{\"name\":\"data\",\"DRIVER\":null,\"DriverOpts\":null,\"X\":[1]}", 201);
    CHECK_STR(text_of(made, "Name"), "data");
    CHECK_STR(text_of(made, "Driver"), "local");
    CHECK_STR(text_of(made, "Scope"), "local");
    CHECK(json_is_null(json_object_get(made, "Labels")));
    CHECK(json_object_get(made, "Status") == NULL);
    docker_close(&docker);
}

TEST(a_volume_without_a_name_is_anonymous_and_says_so)
{
    struct docker docker;

    docker_open(&docker);
    cleanup_json json_t *made =
        docker_ask(&docker, "POST /volumes/create", "{\"Labels\":{\"a\":\"b\"}}", 201);
    CHECK_INT((int)strlen(text_of(made, "Name")), 64);
    const json_t *labels = json_object_get(made, "Labels");
    CHECK_STR(text_of(labels, "com.docker.volume.anonymous"), "");
    CHECK_STR(text_of(labels, "a"), "b");
    docker_close(&docker);
}

TEST(inspect_tells_snapshots_and_their_cost)
{
    struct docker docker;

    docker_open(&docker);
    volume_make(&docker, "{\"Name\":\"data\"}");
    native_do(&docker.native, "POST", "/volumes/data/snapshots", "{\"name\":\"s1\"}", 201);
    cleanup_json json_t *told = docker_ask(&docker, "GET /volumes/data", NULL, 200);
    const json_t *status = json_object_get(told, "Status");
    CHECK_STR(json_string_value(json_array_get(json_object_get(status, "Snapshots"), 0)), "s1");
    CHECK_INT(strncmp(text_of(status, "SnapshotCost"), "O(", 2), 0);
    docker_refuse(&docker, "GET /volumes/nope", NULL, 404, "get nope: no such volume");
    docker_close(&docker);
}

TEST(a_clone_is_made_by_the_option_from)
{
    struct docker docker;

    docker_open(&docker);
    volume_make(&docker, "{\"Name\":\"data\"}");
    native_do(&docker.native, "POST", "/volumes/data/snapshots", "{\"name\":\"s1\"}", 201);
    volume_make(&docker, "{\"Name\":\"copy\",\"DriverOpts\":{\"from\":\"data@s1\"}}");
    volume_make(&docker, "{\"Name\":\"copy\",\"DriverOpts\":{\"from\":\"data@s1\"}}");
    cleanup_json json_t *told = docker_ask(&docker, "GET /volumes/copy", NULL, 200);
    CHECK(json_object_get(json_object_get(told, "Status"), "Parent") != NULL);
    docker_do(&docker, "POST /volumes/create",
              "{\"Name\":\"other\",\"DriverOpts\":{\"from\":\"nope\"}}", 404);
    docker_close(&docker);
}

TEST(filters_are_taken_as_lists_and_as_maps)
{
    struct docker docker;

    docker_open(&docker);
    volume_make(&docker, "{\"Name\":\"one\",\"Labels\":{\"k\":\"v\"}}");
    volume_make(&docker, "{\"Name\":\"two\"}");
    CHECK_INT(volume_count(&docker, ""), 2);
    CHECK_INT(volume_count(&docker, "{%22name%22:[%22on%22]}"), 1);
    CHECK_INT(volume_count(&docker, "{%22label%22:{%22k=v%22:true}}"), 1);
    CHECK_INT(volume_count(&docker, "{%22dangling%22:{%22true%22:true}}"), 2);
    docker_refuse(&docker, "GET /volumes?filters={%22bogus%22:[%22x%22]}", NULL, 400,
                  "invalid filter 'bogus'");
    docker_close(&docker);
}

TEST(prune_spares_named_volumes_from_version_42_on)
{
    struct docker docker;

    docker_open(&docker);
    volume_make(&docker, "{\"Name\":\"named\"}");
    volume_make(&docker, "{}");
    cleanup_json json_t *newer = docker_ask(&docker, "POST /v1.42/volumes/prune", NULL, 200);
    CHECK_INT(count_of(newer, "VolumesDeleted"), 1);
    cleanup_json json_t *older = docker_ask(&docker, "POST /v1.41/volumes/prune", NULL, 200);
    CHECK_INT(count_of(older, "VolumesDeleted"), 1);
    CHECK_INT(volume_count(&docker, ""), 0);
    docker_close(&docker);
}

TEST(remove_answers_nothing_and_forced_forgives_what_is_gone)
{
    struct docker docker;

    docker_open(&docker);
    volume_make(&docker, "{\"Name\":\"data\"}");
    docker_do(&docker, "DELETE /volumes/data", NULL, 204);
    docker_refuse(&docker, "DELETE /volumes/data", NULL, 404, "get data: no such volume");
    docker_do(&docker, "DELETE /volumes/data?force=1", NULL, 204);
    docker_close(&docker);
}

TEST(events_of_the_past_end_with_until)
{
    cleanup_buf struct buf got = { 0 };
    struct docker docker;

    docker_open(&docker);
    volume_make(&docker, "{\"Name\":\"data\"}");
    docker_do(&docker, "DELETE /volumes/data", NULL, 204);
    char line[120];
    (void)snprintf(line, sizeof(line), "GET /events?since=1&until=%lld.999999999",
                   (long long)(clock_now_ms() / 1000));
    docker_talk(&docker, line, NULL, &got);
    CHECK(strstr(got.data, "\"Action\":\"create\"") != NULL);
    CHECK(strstr(got.data, "\"Action\":\"destroy\"") != NULL);
    docker_close(&docker);
}

TEST(events_arrive_while_they_happen)
{
    cleanup_buf struct buf got = { 0 };
    struct docker docker;

    docker_open(&docker);
    cleanup_fd int fd = site_connect(&docker.site);
    client_send(fd, SITE_GET("/events?filters={%22event%22:[%22create%22]}"));
    client_expect(fd, &got, "200 OK");
    volume_make(&docker, "{\"Name\":\"data\"}");
    client_expect(fd, &got, "\"ID\":\"data\"");
    docker_close(&docker);
}

TEST(df_counts_a_volume_with_its_size)
{
    struct docker docker;

    docker_open(&docker);
    volume_make(&docker, "{\"Name\":\"data\"}");
    cleanup_json json_t *df = docker_ask(&docker, "GET /system/df", NULL, 200);
    const json_t *usage =
        json_object_get(json_array_get(json_object_get(df, "Volumes"), 0), "UsageData");
    CHECK_INT(number_of(usage, "RefCount"), 0);
    CHECK(number_of(usage, "Size") >= 0);
    CHECK_INT(number_of(df, "LayersSize"), 0);
    docker_close(&docker);
}
