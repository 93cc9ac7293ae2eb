/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scaling a real container by the real runner, up, to fresh clones, and down, where first the
 * first, then the second, … system call of ours that changes something fails, or the process dies
 * in its place.  After recovery each replica is whole or absent: it runs, on its own data, or there
 * is nothing of it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/log.h"
#include "core/container/container.h"
#include "core/operation/op.h"
#include "core/reconcile/reconcile.h"
#include "core/reconcile/recover.h"
#include "core/replica/scale.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume.h"
#include "lib/containers.h"
#include "store/replica.h"

#define NTH_MAX     900
#define EXIT_FAILED 1
#define EXIT_FIRED  2
#define PATIENCE_MS 20000
#define SCRIPT      "echo ran >>/data/log; exec /bin/busybox sleep 600"

struct scenario {
    const char *name;
    int64_t before; /* replicas */
    int64_t after;
    bool is_refresh;
};

static const char *const keep[] = { "/data/keep", NULL };

static const struct scenario scenarios[] = {
    { "up", 0, 2, false },
    { "refresh", 1, 1, true },
    { "down", 2, 0, false },
};

static char at[64]; /* where the sweep is, for messages */

static void open_service(struct images *images)
{
    containers_open(images);
    images->service.trash_ttl_ms = INT64_C(3600) * 1000;
    CHECK_OK(recover(&images->task, &images->err), &images->err);
}

/* Until no scaling is under way. */
static void await_end(struct images *images)
{
    struct scaling *list = NULL;
    int count = 1;

    for (int waited_ms = 0; count != 0 && waited_ms < PATIENCE_MS; waited_ms += 5) {
        count =
            store_scaling_list(images->task.db, images->task.mem, NULL, true, &list, &images->err);
        (void)poll(NULL, 0, 5); /* sleeps */
    }
    ck_assert_msg(count == 0, "%s: a scaling does not end: replica %lld, %s", at,
                  count > 0 ? (long long)list[0].replica : 0, count > 0 ? list[0].report : "");
}

static int scale(struct images *images, int64_t replicas, bool is_refresh)
{
    const struct scale_request request = {
        .container = "web",
        .replicas = replicas,
        .from = replicas > 0 ? "data@gold" : NULL,
        .is_refresh = is_refresh,
        .keep = is_refresh ? keep : NULL,
    };
    struct scaling scaling;

    if (scale_begin(&images->task, &request, &scaling, &images->err) < 0)
        return -1;
    await_end(images);
    CHECK_OK(scale_get(&images->task, scaling.id, &scaling, &images->err), &images->err);
    return strcmp(scaling.state, "done") == 0 ? 0 : -1;
}

static const char *path_of(struct images *images, const char *name)
{
    struct volume volume;

    CHECK_OK(volume_get(&images->task, name, &volume, &images->err), &images->err);
    return volume_path(&images->task, &volume);
}

static void set_up(const struct scenario *scenario)
{
    static const struct snapshot_spec gold = { .name = "gold" };
    struct snapshot snapshot;
    struct images images;
    const char *const *warnings;
    const char *id;

    WORLD_RUN("rm -rf " STATE " && mkdir -p " WORK "/tree/bin " WORK "/tree/data &&"
              " cp /bin/busybox " WORK "/tree/bin/ && ln -sf busybox " WORK "/tree/bin/sh");
    open_service(&images);
    (void)images_make(&images, WORK "/tree", "base");
    cleanup_json json_t *config =
        json_pack("{ss s[s s s]}", "StopSignal", "KILL", "Cmd", "sh", "-c", SCRIPT);
    cleanup_json json_t *host =
        json_pack("{s[s] ss}", "Binds", "data:/data", "NetworkMode", "none");
    struct container_spec spec = {
        .name = "web", .image = "base", .config = config, .host_config = host
    };
    CHECK_OK(container_create(&images.task, &spec, &id, &warnings, &images.err), &images.err);
    WORLD_RUN("mkdir %s/keep && echo gold > %s/who", path_of(&images, "data"),
              path_of(&images, "data"));
    CHECK_OK(snapshot_create(&images.task, "data", &gold, &snapshot, &images.err), &images.err);
    if (scenario->before > 0)
        CHECK_OK(scale(&images, scenario->before, false), &images.err);
    for (int64_t i = 1; i <= scenario->before; i++) {
        const char *path =
            path_of(&images, arena_printf(images.task.mem, "web-%lld.data", (long long)i));
        WORLD_RUN("echo own > %s/who && echo kept > %s/keep/file", path, path);
    }
    containers_close(&images);
}

static int run_child(const struct scenario *scenario, int nth, int rc)
{
    int status = 0;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct images images;
        (void)freopen("/dev/null", "w", stderr);
        open_service(&images);
        fault_arm(nth, rc);
        int result = scale(&images, scenario->after, scenario->is_refresh);
        _exit((result < 0 ? EXIT_FAILED : 0) | (fault_fired() ? EXIT_FIRED : 0));
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    ck_assert_msg(WIFEXITED(status), "%s, call %d: child died (%x)", scenario->name, nth,
                  (unsigned int)status);
    return WEXITSTATUS(status);
}

static void check_replica(struct images *images, const struct scenario *scenario, int nth,
                          const struct replica *replica)
{
    cleanup_container struct container container = { 0 };
    const char *name = arena_printf(images->task.mem, "web-%lld", (long long)replica->number);
    char who[16] = "";

    ck_assert_msg(strcmp(replica->state, "ready") == 0, "%s, call %d: %s is %s", scenario->name,
                  nth, name, replica->state);
    CHECK_OK(container_get(&images->task, name, &container, &images->err), &images->err);
    ck_assert_msg(strcmp(container.state, "running") == 0, "%s, call %d: %s is %s", scenario->name,
                  nth, name, container.state);
    CHECK(container.attachment_count == 1);
    const char *volume = arena_printf(images->task.mem, "%s.data", name);
    CHECK_STR(container.attachments[0].volume_name, volume);
    const char *path = path_of(images, volume);
    FILE *file = fopen(arena_printf(images->task.mem, "%s/who", path), "re");
    CHECK(file != NULL);
    (void)fgets(who, sizeof(who), file);
    (void)fclose(file);
    /* The old data, or the new with what was to be kept. */
    bool is_own = strcmp(who, "own\n") == 0;
    ck_assert_msg(is_own ? scenario->before > 0 : strcmp(who, "gold\n") == 0,
                  "%s, call %d: %s finds '%s'", scenario->name, nth, name, who);
    ck_assert_msg(is_own == (replica->refreshed_ms == 0 && scenario->before > 0),
                  "%s, call %d: %s finds '%s'", scenario->name, nth, name, who);
    if (scenario->before > 0)
        WORLD_RUN("grep -q kept %s/keep/file", path);
}

/* What there is of replicas is what the rows say; what there is besides is in the trash. */
static void check_world(struct images *images, const struct scenario *scenario, int nth,
                        bool is_whole)
{
    struct replica *list = NULL;
    int count = store_replica_list(images->task.db, images->task.mem, "web", &list, &images->err);

    ck_assert_msg(!is_whole || count == scenario->after, "%s, call %d: %d replicas", scenario->name,
                  nth, count);
    for (int i = 0; i < count; i++)
        check_replica(images, scenario, nth, &list[i]);
    CHECK_INT(images_count(images, "SELECT count(*) FROM container"), count + 1);
    CHECK_INT(images_count(images, "SELECT count(*) FROM volume WHERE state = 'ready'"), count + 1);
    CHECK_INT(images_count(images, "SELECT count(*) FROM replica_group"), count > 0);
    CHECK_INT(images_count(images, "SELECT count(*) FROM snapshot_hold"), count > 0);
}

static void check_after(const struct scenario *scenario, int nth, int status)
{
    static const struct container_remove_spec removal = { .force = true };
    struct findings findings = { 0 };
    struct images images;

    open_service(&images);
    await_end(&images);
    CHECK_OK(reconcile(&images.task, true, &findings, &images.err), &images.err);
    CHECK_OK(reconcile(&images.task, false, &findings, &images.err), &images.err);
    ck_assert_msg(findings.count == 0, "%s, call %d: still %s %s", scenario->name, nth,
                  findings.items[0].kind, findings.items[0].object);
    check_world(&images, scenario, nth, (status & ~EXIT_FIRED) == 0);
    for (int i = 1; i <= 2; i++)
        (void)container_remove(&images.task, i == 1 ? "web-1" : "web-2", &removal, &images.err);
    CHECK_OK(container_remove(&images.task, "web", &removal, &images.err), &images.err);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM container"), 0);
    containers_close(&images);
}

static void sweep(int rc, int step)
{
    struct images images;
    int seen = 0;

    if (!images_enter(&images, "tmpfs"))
        return;
    images_close(&images);
    log_set_level(LOG_ERROR + 1); /* failures are what we are here for */
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        int status = EXIT_FIRED;
        for (int nth = 1; status != 0 && nth < NTH_MAX; nth += step) {
            (void)snprintf(at, sizeof(at), "%s, call %d", scenarios[i].name, nth);
            set_up(&scenarios[i]);
            status = run_child(&scenarios[i], nth, rc);
            check_after(&scenarios[i], nth, status);
            seen += status == FAULT_CRASH_STATUS || (status & EXIT_FIRED) != 0;
        }
        ck_assert_msg(status == 0, "%s never ended without a fault", scenarios[i].name);
    }
    printf("scalings: %d %s seen\n", seen, rc == FAULT_CRASH ? "crashes" : "failures");
    CHECK(seen > 0);
}

/* Every one of them takes minutes: SCALE_SWEEP_STEP=1 does. */
static int step(void)
{
    const char *text = getenv("SCALE_SWEEP_STEP");

    return text != NULL ? atoi(text) : 97;
}

TEST(each_replica_is_whole_or_absent_wherever_the_process_dies)
{
    sweep(FAULT_CRASH, step());
}

TEST(each_replica_is_whole_or_absent_whichever_call_fails)
{
    sweep(-EIO, step());
}
