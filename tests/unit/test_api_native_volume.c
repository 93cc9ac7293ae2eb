/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes, snapshots and rollback through the native door, on a real state directory. */
#include "base/uuid.h"
#include "lib/native.h"

static void create(struct native *native, const char *body)
{
    native_do(native, "POST", "/volumes", body, 201);
}

/* Writes 'text' to the file "f" of a volume. */
static void write_file(struct native *native, const char *name, const char *text)
{
    char path[128];
    struct error err = { 0 };

    (void)snprintf(path, sizeof(path), "/volumes/%s", name);
    cleanup_json json_t *volume = native_ask(native, "GET", path, NULL, 200);
    cleanup_fd int fd = sys_openat(AT_FDCWD, text_of(volume, "path"), O_RDONLY | O_DIRECTORY, 0);
    CHECK(fd >= 0);
    CHECK_OK(fs_write_file(fd, "f", text, strlen(text), 0644, &err), &err);
}

static void check_file(struct native *native, const char *name, const char *text)
{
    char path[128];
    struct error err = { 0 };
    char *data;
    size_t size;

    (void)snprintf(path, sizeof(path), "/volumes/%s", name);
    cleanup_json json_t *volume = native_ask(native, "GET", path, NULL, 200);
    cleanup_fd int fd = sys_openat(AT_FDCWD, text_of(volume, "path"), O_RDONLY | O_DIRECTORY, 0);
    CHECK(fd >= 0);
    CHECK_OK(fs_read_file(native->task.mem, fd, "f", 100, &data, &size, &err), &err);
    CHECK_STR(data, text);
}

TEST(a_volume_is_told_in_all_its_members)
{
    struct native native;

    native_open(&native);
    cleanup_json json_t *made =
        native_ask(&native, "POST", "/volumes",
                   "{\"name\":\"data\",\"labels\":{\"a\":\"b\"},\"mode\":\"0750\"}", 201);
    CHECK_STR(text_of(made, "cost"), "O(1)");
    cleanup_json json_t *volume = native_ask(&native, "GET", "/volumes/data", NULL, 200);
    CHECK_STR(text_of(volume, "name"), "data");
    CHECK_STR(text_of(volume, "id"), text_of(made, "id"));
    CHECK_STR(text_of(volume, "pool"), "default");
    CHECK_STR(text_of(volume, "state"), "ready");
    CHECK_STR(text_of(json_object_get(volume, "labels"), "a"), "b");
    CHECK(json_is_false(json_object_get(volume, "anonymous")));
    CHECK(json_is_false(json_object_get(volume, "protected")));
    CHECK(json_is_false(json_object_get(volume, "mounted")));
    CHECK(json_is_null(json_object_get(volume, "parent")));
    CHECK_INT(count_of(volume, "references"), 0);
    CHECK(number_of(volume, "created_ms") > 0);
    native_close(&native);
}

TEST(a_volume_is_made_once_and_another_shape_is_a_conflict)
{
    struct native native;

    native_open(&native);
    create(&native, "{\"name\":\"data\",\"mode\":\"0750\"}");
    native_do(&native, "POST", "/volumes", "{\"name\":\"data\",\"mode\":\"0750\"}", 200);
    native_refuse(&native, "POST", "/volumes", "{\"name\":\"data\",\"mode\":\"0700\"}", 409,
                  "conflict", "data");
    native_refuse(&native, "POST", "/volumes", "{\"name\":\"data\",\"lables\":{}}", 400, "invalid",
                  "'lables'");
    native_refuse(&native, "POST", "/volumes", "{\"from_snapshot\":\"s1\"}", 400, "invalid",
                  "from_volume");
    native_close(&native);
}

TEST(a_volume_without_a_name_is_anonymous)
{
    struct native native;

    native_open(&native);
    cleanup_json json_t *made = native_ask(&native, "POST", "/volumes", "{}", 201);
    CHECK(json_is_true(json_object_get(made, "anonymous")));
    CHECK(hex_id_is_valid(text_of(made, "name")));
    native_close(&native);
}

TEST(a_patch_carries_one_change)
{
    struct native native;

    native_open(&native);
    create(&native, "{\"name\":\"data\",\"labels\":{\"a\":\"1\",\"b\":\"2\"}}");
    cleanup_json json_t *labelled =
        native_ask(&native, "PATCH", "/volumes/data", "{\"labels\":{\"a\":null,\"c\":\"3\"}}", 200);
    const json_t *labels = json_object_get(labelled, "labels");
    CHECK(json_object_get(labels, "a") == NULL);
    CHECK_STR(text_of(labels, "b"), "2");
    CHECK_STR(text_of(labels, "c"), "3");
    native_do(&native, "PATCH", "/volumes/data", "{\"name\":\"other\"}", 200);
    native_do(&native, "GET", "/volumes/data", NULL, 404);
    native_do(&native, "PATCH", "/volumes/other", "{\"protected\":true}", 200);
    native_refuse(&native, "DELETE", "/volumes/other", NULL, 409, "conflict", "other");
    native_refuse(&native, "PATCH", "/volumes/other", "{}", 400, "invalid", "one of");
    native_refuse(&native, "PATCH", "/volumes/other", "{\"name\":\"x\",\"protected\":false}", 400,
                  "invalid", "one of");
    native_close(&native);
}

TEST(lists_are_filtered)
{
    struct native native;

    native_open(&native);
    create(&native, "{\"name\":\"v1\",\"labels\":{\"a\":\"b\"}}");
    create(&native, "{\"name\":\"v2\"}");
    cleanup_json json_t *all = native_ask(&native, "GET", "/volumes", NULL, 200);
    CHECK_INT(count_of(all, "volumes"), 2);
    cleanup_json json_t *some = native_ask(
        &native, "GET", "/volumes?filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D", NULL, 200);
    CHECK_INT(count_of(some, "volumes"), 1);
    native_refuse(&native, "GET", "/volumes?filters=%7B%22bogus%22%3A%5B%22x%22%5D%7D", NULL, 400,
                  "invalid", "invalid filter 'bogus'");
    native_close(&native);
}

TEST(a_dry_run_removes_nothing)
{
    struct native native;

    native_open(&native);
    create(&native, "{\"name\":\"data\"}");
    native_do(&native, "POST", "/volumes/data/snapshots", "{\"name\":\"s1\"}", 201);
    native_refuse(&native, "DELETE", "/volumes/data?dry_run=true", NULL, 409, "conflict",
                  "snapshot");
    cleanup_json json_t *dry =
        native_ask(&native, "DELETE", "/volumes/data?dry_run=true&with_snapshots=true", NULL, 200);
    CHECK(json_is_true(json_object_get(dry, "dry_run")));
    CHECK_STR(json_string_value(json_array_get(json_object_get(dry, "snapshots"), 0)), "s1");
    native_do(&native, "DELETE", "/volumes/data/snapshots/s1?dry_run=1", NULL, 200);
    native_do(&native, "GET", "/volumes/data/snapshots/s1", NULL, 200);
    native_do(&native, "DELETE", "/volumes/data?with_snapshots=true", NULL, 200);
    native_refuse(&native, "GET", "/volumes/data", NULL, 404, "not_found", "no such volume");
    native_do(&native, "DELETE", "/volumes/data?force=true", NULL, 200);
    native_refuse(&native, "DELETE", "/volumes/data", NULL, 404, "not_found", "no such volume");
    native_close(&native);
}

TEST(prune_takes_anonymous_volumes_unless_all_are_asked_for)
{
    struct native native;

    native_open(&native);
    create(&native, "{\"name\":\"data\"}");
    create(&native, "{}");
    cleanup_json json_t *dry =
        native_ask(&native, "POST", "/volumes/prune",
                   "{\"dry_run\":true,\"filters\":{\"all\":[\"true\"]}}", 200);
    CHECK_INT(count_of(dry, "volumes"), 2);
    cleanup_json json_t *pruned = native_ask(&native, "POST", "/volumes/prune", NULL, 200);
    CHECK_INT(count_of(pruned, "volumes"), 1);
    CHECK(number_of(pruned, "reclaimed_bytes") >= 0);
    native_do(&native, "GET", "/volumes/data", NULL, 200);
    native_close(&native);
}

TEST(a_rollback_brings_back_the_snapshot_and_keeps_what_was)
{
    struct native native;

    native_open(&native);
    create(&native, "{\"name\":\"data\"}");
    write_file(&native, "data", "one");
    cleanup_json json_t *cut = native_ask(&native, "POST", "/volumes/data/snapshots",
                                          "{\"name\":\"s1\",\"labels\":{\"a\":\"b\"}}", 201);
    CHECK_STR(text_of(cut, "fence"), "idle");
    CHECK_STR(text_of(cut, "reason"), "user");
    CHECK(text_of(cut, "cost") != NULL);
    CHECK(number_of(cut, "pause_ns") >= 0);
    write_file(&native, "data", "two");
    cleanup_json json_t *dry = native_ask(&native, "POST", "/volumes/data/rollback",
                                          "{\"snapshot\":\"s1\",\"dry_run\":true}", 200);
    CHECK(json_is_null(json_object_get(dry, "safety")));
    check_file(&native, "data", "two");
    cleanup_json json_t *done =
        native_ask(&native, "POST", "/volumes/data/rollback", "{\"snapshot\":\"s1\"}", 200);
    check_file(&native, "data", "one");
    const json_t *safety = json_object_get(done, "safety");
    CHECK_STR(text_of(safety, "reason"), "safety");
    cleanup_buf struct buf body = { 0 };
    buf_printf(&body, "{\"name\":\"copy\",\"from_volume\":\"data\",\"from_snapshot\":\"%s\"}",
               text_of(safety, "name"));
    create(&native, body.data);
    check_file(&native, "copy", "two");
    native_refuse(&native, "POST", "/volumes/data/rollback", "{\"snapshot\":\"nope\"}", 404,
                  "not_found", "nope");
    native_refuse(&native, "POST", "/volumes/data/rollback", "{}", 400, "invalid", "'snapshot'");
    native_close(&native);
}

TEST(snapshots_are_listed_by_volume_and_all_together)
{
    struct native native;

    native_open(&native);
    create(&native, "{\"name\":\"v1\"}");
    create(&native, "{\"name\":\"v2\"}");
    native_do(&native, "POST", "/volumes/v1/snapshots", "{\"name\":\"s1\"}", 201);
    native_do(&native, "POST", "/volumes/v2/snapshots", NULL, 201);
    cleanup_json json_t *one = native_ask(&native, "GET", "/volumes/v1/snapshots", NULL, 200);
    CHECK_INT(count_of(one, "snapshots"), 1);
    cleanup_json json_t *all = native_ask(&native, "GET", "/snapshots", NULL, 200);
    CHECK_INT(count_of(all, "snapshots"), 2);
    native_do(&native, "GET", "/volumes/none/snapshots", NULL, 404);
    native_close(&native);
}

TEST(usage_and_references_name_the_volume)
{
    struct native native;

    native_open(&native);
    create(&native, "{\"name\":\"data\"}");
    write_file(&native, "data", "12345");
    cleanup_json json_t *usage = native_ask(&native, "GET", "/volumes/data/usage", NULL, 200);
    CHECK_STR(text_of(usage, "volume"), "data");
    CHECK_INT(number_of(usage, "files"), 1);
    CHECK(number_of(usage, "used_bytes") >= 0);
    cleanup_json json_t *references =
        native_ask(&native, "GET", "/volumes/data/references", NULL, 200);
    CHECK_INT(count_of(references, "containers"), 0);
    native_close(&native);
}
