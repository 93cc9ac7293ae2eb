/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recreating a real container by the real runner, to one that stays and to one that exits, where
 * first the first, then the second, … system call of ours that changes something fails, or the
 * process dies in its place.  After recovery it is committed or rolled back: one container has the
 * name and runs on the data that belongs to it, and nothing is left over.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/log.h"
#include "core/container/container.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile.h"
#include "core/reconcile/recover.h"
#include "core/recreate/recreate.h"
#include "lib/containers.h"
#include "store/recreation.h"

#define NTH_MAX     600
#define EXIT_FAILED 1
#define EXIT_FIRED  2
#define PATIENCE_MS 20000

struct scenario {
    const char *name;
    const char *script; /* of the new container */
    bool is_good;
};

static const struct scenario scenarios[] = {
    { "to one that stays", "echo new >/data/who; exec /bin/busybox sleep 600", true },
    { "to one that exits", "echo broken >/data/who; exit 3", false },
};

static void open_service(struct images *images)
{
    containers_open(images);
    CHECK_OK(recover(&images->task, &images->err), &images->err);
}

static void set_up(void)
{
    struct images images;
    const char *const *warnings;
    const char *id;
    bool changed;

    WORLD_RUN("rm -rf " STATE " && mkdir -p " WORK "/tree/bin " WORK "/tree/data &&"
              " cp /bin/busybox " WORK "/tree/bin/ && ln -sf busybox " WORK "/tree/bin/sh");
    open_service(&images);
    (void)images_make(&images, WORK "/tree", "base");
    cleanup_json json_t *config =
        json_pack("{ss s[s s s]}", "StopSignal", "KILL", "Cmd", "sh", "-c",
                  "echo old >/data/who; exec /bin/busybox sleep 600");
    cleanup_json json_t *host =
        json_pack("{s[s] ss}", "Binds", "data:/data", "NetworkMode", "none");
    struct container_spec spec = {
        .name = "web", .image = "base", .config = config, .host_config = host
    };
    CHECK_OK(container_create(&images.task, &spec, &id, &warnings, &images.err), &images.err);
    CHECK_OK(container_start(&images.task, "web", &changed, &images.err), &images.err);
    containers_close(&images);
}

/* Until no recreation is under way. */
static void await_end(struct images *images)
{
    struct recreation *list = NULL;
    int count = 1;

    for (int waited_ms = 0; count > 0 && waited_ms < PATIENCE_MS; waited_ms += 5) {
        count = store_recreation_list(images->task.db, images->task.mem, NULL, true, &list,
                                      &images->err);
        (void)poll(NULL, 0, 5); /* sleeps */
    }
    ck_assert_msg(count == 0, "a recreation does not end");
}

static int act(struct images *images, const struct scenario *scenario)
{
    cleanup_json json_t *change = json_pack("{s[s s s]}", "Cmd", "sh", "-c", scenario->script);
    struct recreate_request request = {
        .targets = { { .name = "web", .change = change } },
        .count = 1,
        .probation_ms = 150,
        .keep = 3,
    };
    struct recreation recreation;

    if (recreate_begin(&images->task, &request, &recreation, &images->err) < 0)
        return -1;
    await_end(images);
    CHECK_OK(recreate_get(&images->task, recreation.id, &recreation, &images->err), &images->err);
    return strcmp(recreation.state, scenario->is_good ? "committed" : "rolled_back") == 0 ? 0 : -1;
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
        int result = act(&images, scenario);
        _exit((result < 0 ? EXIT_FAILED : 0) | (fault_fired() ? EXIT_FIRED : 0));
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    ck_assert_msg(WIFEXITED(status), "%s, call %d: child died (%x)", scenario->name, nth,
                  (unsigned int)status);
    return WEXITSTATUS(status);
}

static int64_t count(struct images *images, const char *sql)
{
    return images_count(images, sql);
}

/* The one that has the name runs, on its own data; what else there is belongs to a generation. */
static void check_world(struct images *images, const struct scenario *scenario, int nth,
                        bool is_whole)
{
    cleanup_container struct container container = { 0 };
    struct volume volume;
    char who[16] = "";

    CHECK_OK(container_get(&images->task, "web", &container, &images->err), &images->err);
    ck_assert_msg(strcmp(container.state, "running") == 0, "%s, call %d: web is %s", scenario->name,
                  nth, container.state);
    bool is_new = container.generation == 2;
    ck_assert_msg(!is_new || scenario->is_good, "%s, call %d: the bad one stays", scenario->name,
                  nth);
    ck_assert_msg(is_new || !is_whole || !scenario->is_good, "%s, call %d: the old one is back",
                  scenario->name, nth);
    CHECK_OK(volume_get(&images->task, "data", &volume, &images->err), &images->err);
    const char *path =
        arena_printf(images->task.mem, "%s/who", volume_path(&images->task, &volume));
    for (int i = 0; i < 100 && strncmp(who, is_new ? "new" : "old", 3) != 0; i++) {
        FILE *file = fopen(path, "re");
        CHECK(file != NULL);
        (void)fgets(who, sizeof(who), file);
        (void)fclose(file);
        (void)poll(NULL, 0, 20); /* sleeps: it may just have been started */
    }
    ck_assert_msg(strncmp(who, is_new ? "new" : "old", 3) == 0, "%s, call %d: %s finds '%s'",
                  scenario->name, nth, is_new ? "the new one" : "the old one", who);
    CHECK_INT(count(images, "SELECT count(*) FROM volume"), 1);
    CHECK_INT(count(images, "SELECT count(*) FROM container WHERE id NOT IN"
                            " (SELECT container_id FROM generation)"),
              1);
    CHECK_INT(count(images, "SELECT count(*) FROM snapshot WHERE set_id NOT IN (SELECT s.id FROM"
                            " snapshot_set s JOIN generation g ON g.set_name = s.name)"),
              0);
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
    CHECK_OK(container_remove(&images.task, "web", &removal, &images.err), &images.err);
    CHECK_INT(count(&images, "SELECT count(*) FROM container"), 0);
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
            set_up();
            status = run_child(&scenarios[i], nth, rc);
            check_after(&scenarios[i], nth, status);
            seen += status == FAULT_CRASH_STATUS || (status & EXIT_FIRED) != 0;
        }
        ck_assert_msg(status == 0, "%s never ended without a fault", scenarios[i].name);
    }
    printf("recreations: %d %s seen\n", seen, rc == FAULT_CRASH ? "crashes" : "failures");
    CHECK(seen > 0);
}

/* Every one of them takes minutes: RECREATE_SWEEP_STEP=1 does. */
static int step(void)
{
    const char *text = getenv("RECREATE_SWEEP_STEP");

    return text != NULL ? atoi(text) : 31;
}

TEST(a_recreation_is_committed_or_rolled_back_wherever_the_process_dies)
{
    sweep(FAULT_CRASH, step());
}

TEST(a_recreation_is_committed_or_rolled_back_whichever_call_fails)
{
    sweep(-EIO, step());
}
