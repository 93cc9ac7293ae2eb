/* SPDX-License-Identifier: Apache-2.0 */
/* The volume plugin protocol, as dockerd and podman speak it, over a real socket and a real state
 * directory. */
#include "api/plugin/plugin.h"
#include "base/thread.h"
#include "core/pool/pool.h"
#include "core/service.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume.h"
#include "lib/http.h"
#include "store/db.h"

#define RECOVERY_MS 200

/* A state directory, and the plugin's door on a socket beside it. */
struct plugin {
    char state[40];
    struct service service;
    struct task task; /* the test's own */
    struct site site;
};

static void *worker_start(void *context, struct error *err)
{
    struct task *task = mem_alloc(sizeof(*task));

    task->service = context;
    task->db = service_db_open(context, err);
    task->actor = "test";
    CHECK(task->db != NULL);
    return task;
}

static void worker_stop(void *worker)
{
    struct task *task = worker;

    db_close(task->db);
    free(task);
}

static void plugin_open(struct plugin *plugin)
{
    static const struct http_worker_ops ops = { .start = worker_start, .stop = worker_stop };
    struct service_spec spec = { .runner_path = "/bin/false", .confined_path = "/bin/false" };
    struct error err = { 0 };

    (void)strcpy(plugin->state, "/tmp/volumed-plugin-XXXXXX");
    CHECK(mkdtemp(plugin->state) != NULL);
    spec.state_dir = plugin->state;
    CHECK_OK(service_open(&plugin->service, &spec, &err), &err);
    plugin->task =
        (struct task){ .service = &plugin->service, .mem = arena_new(), .actor = "test" };
    plugin->task.db = service_db_open(&plugin->service, &err);
    ck_assert_msg(plugin->task.db != NULL, "%s", err.message);
    CHECK_OK(pool_make_default(&plugin->task, &err), &err);
    plugin->service.pools = pools_open(&plugin->task, &err);
    CHECK(plugin->service.pools != NULL);
    plugin->service.is_recovered = true;
    const struct http_server_spec server = { .worker_count = 2,
                                             .worker_ops = &ops,
                                             .worker_context = &plugin->service };
    site_open(&plugin->site, &server, plugin_serve, NULL);
}

static void plugin_close(struct plugin *plugin)
{
    struct error err = { 0 };

    site_close(&plugin->site);
    pools_close(plugin->service.pools);
    db_close(plugin->task.db);
    arena_free(plugin->task.mem);
    service_close(&plugin->service);
    CHECK_OK(fs_remove_tree(AT_FDCWD, plugin->state, &err), &err);
}

/* Asks as dockerd does; the answer's JSON.  *status is HTTP's. */
static json_t *ask(struct plugin *plugin, const char *verb, const char *body, int *status)
{
    cleanup_buf struct buf request = { 0 };
    cleanup_buf struct buf got = { 0 };
    struct error err = { 0 };

    buf_printf(&request,
               "POST /%s HTTP/1.1\r\nHost: plugin\r\nConnection: close\r\n"
               "Accept: application/vnd.docker.plugins.v1.2+json\r\nContent-Length: %zu\r\n\r\n%s",
               verb, strlen(body), body);
    client_talk(&plugin->site, request.data, &got);
    *status = (int)strtol(got.data + strlen("HTTP/1.1 "), NULL, 10);
    const char *json = strstr(got.data, "\r\n\r\n") + 4;
    json_t *answer = json_read(json, strlen(json), &err);
    ck_assert_msg(answer != NULL, "%s: %s", verb, got.data);
    return answer;
}

/* The answer of a verb that must succeed. */
static json_t *ask_well(struct plugin *plugin, const char *verb, const char *body)
{
    int status;
    json_t *answer = ask(plugin, verb, body, &status);
    const char *error = json_string_value(json_object_get(answer, "Err"));

    ck_assert_msg(status == 200 && (error == NULL || *error == '\0'), "%s: %d %s", verb, status,
                  error);
    return answer;
}

static void do_well(struct plugin *plugin, const char *verb, const char *body)
{
    json_decref(ask_well(plugin, verb, body));
}

static void check_fails(struct plugin *plugin, const char *verb, const char *body, const char *part)
{
    int status;
    cleanup_json json_t *answer = ask(plugin, verb, body, &status);
    const char *error = json_string_value(json_object_get(answer, "Err"));

    CHECK_INT(status, 500);
    ck_assert_msg(error != NULL && strstr(error, part) != NULL, "%s: '%s'", verb, error);
}

/* A text of an answer, by a path of up to three keys. */
static const char *text_at(const json_t *answer, const char *first, const char *second,
                           const char *third)
{
    const json_t *json = json_object_get(answer, first);

    json = second != NULL ? json_object_get(json, second) : json;
    json = third != NULL ? json_object_get(json, third) : json;
    return json_string_value(json);
}

static int64_t status_number(struct plugin *plugin, const char *name, const char *key)
{
    char body[100];

    (void)snprintf(body, sizeof(body), "{\"Name\":\"%s\"}", name);
    cleanup_json json_t *answer = ask_well(plugin, "VolumeDriver.Get", body);
    const json_t *status = json_object_get(json_object_get(answer, "Volume"), "Status");
    return json_integer_value(json_object_get(status, key));
}

TEST(the_handshake_names_the_protocol_and_its_scope)
{
    struct plugin plugin;

    plugin_open(&plugin);
    cleanup_json json_t *active = ask_well(&plugin, "Plugin.Activate", "");
    CHECK_STR(json_string_value(json_array_get(json_object_get(active, "Implements"), 0)),
              "VolumeDriver");
    cleanup_json json_t *able = ask_well(&plugin, "VolumeDriver.Capabilities", "{}");
    CHECK_STR(text_at(able, "Capabilities", "Scope", NULL), "local");
    plugin_close(&plugin);
}

TEST(a_verb_that_the_plugin_does_not_have_is_404)
{
    struct plugin plugin;
    int status;

    plugin_open(&plugin);
    cleanup_json json_t *answer = ask(&plugin, "NetworkDriver.Join", "{}", &status);
    CHECK_INT(status, 404);
    CHECK_STR(text_at(answer, "Err", NULL, NULL), "the plugin has no POST /NetworkDriver.Join");
    plugin_close(&plugin);
}

TEST(a_volume_is_made_shown_listed_and_removed)
{
    struct plugin plugin;

    plugin_open(&plugin);
    check_fails(&plugin, "VolumeDriver.Get", "{\"Name\":\"data\"}", "no such volume");
    do_well(&plugin, "VolumeDriver.Create", "{\"Name\":\"data\",\"Opts\":null}");
    do_well(&plugin, "VolumeDriver.Create", "{\"Name\":\"data\",\"Opts\":{}}");
    cleanup_json json_t *shown = ask_well(&plugin, "VolumeDriver.Get", "{\"Name\":\"data\"}");
    CHECK_STR(text_at(shown, "Volume", "Name", NULL), "data");
    CHECK_STR(text_at(shown, "Volume", "Mountpoint", NULL), "");
    CHECK(text_at(shown, "Volume", "CreatedAt", NULL) != NULL);
    CHECK_STR(text_at(shown, "Volume", "Status", "Pool"), "default");
    CHECK(text_at(shown, "Volume", "Status", "Driver") != NULL);
    CHECK(strncmp(text_at(shown, "Volume", "Status", "SnapshotCost"), "O(", 2) == 0);
    cleanup_json json_t *list = ask_well(&plugin, "VolumeDriver.List", "{}");
    CHECK_INT((int)json_array_size(json_object_get(list, "Volumes")), 1);
    do_well(&plugin, "VolumeDriver.Remove", "{\"Name\":\"data\"}");
    do_well(&plugin, "VolumeDriver.Remove", "{\"Name\":\"data\"}");
    check_fails(&plugin, "VolumeDriver.Get", "{\"Name\":\"data\"}", "no such volume");
    plugin_close(&plugin);
}

TEST(requests_without_a_name_are_refused)
{
    struct plugin plugin;

    plugin_open(&plugin);
    check_fails(&plugin, "VolumeDriver.Create", "{}", "volume name is missing");
    check_fails(&plugin, "VolumeDriver.Mount", "{\"ID\":\"x\"}", "volume name is missing");
    check_fails(&plugin, "VolumeDriver.Remove", "", "invalid JSON");
    check_fails(&plugin, "VolumeDriver.Create", "{\"Name\":\"a/b\"}", "a/b");
    plugin_close(&plugin);
}

TEST(a_mount_tells_where_the_data_is)
{
    struct plugin plugin;
    struct stat st;

    plugin_open(&plugin);
    do_well(&plugin, "VolumeDriver.Create", "{\"Name\":\"data\",\"Opts\":{}}");
    cleanup_json json_t *mount =
        ask_well(&plugin, "VolumeDriver.Mount", "{\"Name\":\"data\",\"ID\":\"c1\"}");
    const char *path = text_at(mount, "Mountpoint", NULL, NULL);
    CHECK(path != NULL && stat(path, &st) == 0 && S_ISDIR(st.st_mode));
    cleanup_json json_t *shown = ask_well(&plugin, "VolumeDriver.Get", "{\"Name\":\"data\"}");
    CHECK_STR(text_at(shown, "Volume", "Mountpoint", NULL), path);
    cleanup_json json_t *where = ask_well(&plugin, "VolumeDriver.Path", "{\"Name\":\"data\"}");
    CHECK_STR(text_at(where, "Mountpoint", NULL, NULL), path);
    do_well(&plugin, "VolumeDriver.Unmount", "{\"Name\":\"data\",\"ID\":\"c1\"}");
    cleanup_json json_t *after = ask_well(&plugin, "VolumeDriver.Get", "{\"Name\":\"data\"}");
    CHECK_STR(text_at(after, "Volume", "Mountpoint", NULL), "");
    plugin_close(&plugin);
}

TEST(mounts_of_one_id_are_counted_not_merged)
{
    struct plugin plugin;

    plugin_open(&plugin);
    do_well(&plugin, "VolumeDriver.Create", "{\"Name\":\"data\",\"Opts\":{}}");
    do_well(&plugin, "VolumeDriver.Mount", "{\"Name\":\"data\",\"ID\":\"c1\"}");
    do_well(&plugin, "VolumeDriver.Mount", "{\"Name\":\"data\",\"ID\":\"c1\"}"); /* docker cp */
    do_well(&plugin, "VolumeDriver.Mount", "{\"Name\":\"data\",\"ID\":\"c2\"}");
    CHECK_INT((int)status_number(&plugin, "data", "Mounts"), 3);
    do_well(&plugin, "VolumeDriver.Unmount", "{\"Name\":\"data\",\"ID\":\"c1\"}");
    CHECK_INT((int)status_number(&plugin, "data", "Mounts"), 2);
    check_fails(&plugin, "VolumeDriver.Remove", "{\"Name\":\"data\"}", "in use");
    do_well(&plugin, "VolumeDriver.Unmount", "{\"Name\":\"data\",\"ID\":\"c1\"}");
    do_well(&plugin, "VolumeDriver.Unmount", "{\"Name\":\"data\",\"ID\":\"c2\"}");
    CHECK_INT((int)status_number(&plugin, "data", "Mounts"), 0);
    do_well(&plugin, "VolumeDriver.Remove", "{\"Name\":\"data\"}");
    plugin_close(&plugin);
}

TEST(options_make_clones_and_the_status_tells_of_snapshots)
{
    struct plugin plugin;
    struct error err = { 0 };
    struct snapshot snapshot;
    static const struct snapshot_spec spec = { .name = "s1" };

    plugin_open(&plugin);
    do_well(&plugin, "VolumeDriver.Create", "{\"Name\":\"data\",\"Opts\":{}}");
    CHECK_OK(snapshot_create(&plugin.task, "data", &spec, &snapshot, &err), &err);
    CHECK_INT((int)status_number(&plugin, "data", "Snapshots"), 1);
    do_well(&plugin, "VolumeDriver.Create", "{\"Name\":\"copy\",\"Opts\":{\"from\":\"data@s1\"}}");
    cleanup_json json_t *shown = ask_well(&plugin, "VolumeDriver.Get", "{\"Name\":\"copy\"}");
    const json_t *status = json_object_get(json_object_get(shown, "Volume"), "Status");
    CHECK(json_object_get(status, "Parent") != NULL);
    check_fails(&plugin, "VolumeDriver.Create",
                "{\"Name\":\"other\",\"Opts\":{\"from\":\"nothing\"}}", "nothing");
    plugin_close(&plugin);
}

static void *end_recovery(void *argument)
{
    struct service *service = argument;

    (void)poll(NULL, 0, RECOVERY_MS);
    service->is_recovered = true;
    return NULL;
}

TEST(changes_wait_for_recovery_and_the_handshake_does_not)
{
    struct plugin plugin;
    pthread_t thread;
    struct error err = { 0 };

    plugin_open(&plugin);
    plugin.service.is_recovered = false;
    int64_t began_ms = clock_mono_ms();
    do_well(&plugin, "Plugin.Activate", "{}");
    do_well(&plugin, "VolumeDriver.List", "{}");
    CHECK(clock_mono_ms() - began_ms < RECOVERY_MS);
    CHECK_OK(thread_start(&thread, "recovery", end_recovery, &plugin.service, &err), &err);
    do_well(&plugin, "VolumeDriver.Create", "{\"Name\":\"data\",\"Opts\":{}}");
    CHECK(clock_mono_ms() - began_ms >= RECOVERY_MS);
    CHECK_INT(pthread_join(thread, NULL), 0);
    plugin_close(&plugin);
}
