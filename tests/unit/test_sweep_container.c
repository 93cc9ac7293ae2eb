/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and removing containers with volumes, where first the first, then the second, … system
 * call that changes something fails, or the process dies in its place.  Afterwards the container
 * is there with its volumes and their seeds, or neither is, and nothing is left over.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/log.h"
#include "core/box/monitor.h"
#include "core/container/container.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile.h"
#include "lib/images.h"

#define NTH_MAX     400
#define EXIT_FAILED 1
#define EXIT_FIRED  2

struct scenario {
    const char *name;
    int (*act)(struct images *images);
    void (*check)(struct images *images, bool is_whole);
};

static bool open_all(struct images *images)
{
    images_open(images);
    images->service.monitor = monitor_new(&images->service, &images->err);
    return images->service.monitor != NULL && pool_make_default(&images->task, &images->err) == 0 &&
           (images->service.pools = pools_open(&images->task, &images->err)) != NULL;
}

static void close_all(struct images *images)
{
    monitor_free(images->service.monitor);
    pools_close(images->service.pools);
    images_close(images);
}

/* A container 'name' with an anonymous volume and the named volume 'kept'. */
static int create(struct images *images, const char *name)
{
    cleanup_json json_t *config = json_pack("{s[s] s{s{}}}", "Cmd", "sh", "Volumes", "/data");
    cleanup_json json_t *host = json_pack("{s[s]}", "Binds", "kept:/data/deep");
    struct container_spec spec = {
        .name = name,
        .image = "base",
        .config = config,
        .host_config = host,
    };
    const char *const *warnings;
    const char *id;

    return container_create(&images->task, &spec, &id, &warnings, &images->err);
}

static int act_create(struct images *images)
{
    return create(images, "made");
}

static void check_container(struct images *images, const char *name)
{
    cleanup_container struct container container = { 0 };
    struct volume volume;

    CHECK_OK(container_get(&images->task, name, &container, &images->err), &images->err);
    CHECK_STR(container.state, "created");
    CHECK_INT((int)container.attachment_count, 2);
    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(
            volume_get(&images->task, container.attachments[i].volume_id, &volume, &images->err),
            &images->err);
        WORLD_RUN("test -e %s/file", volume_path(&images->task, &volume));
    }
    WORLD_RUN("test -d " STATE "/containers/%s/upper", container.id);
}

static int64_t count(struct images *images, const char *sql)
{
    return images_count(images, sql);
}

static void check_create(struct images *images, bool is_whole)
{
    int64_t containers = count(images, "SELECT count(*) FROM container WHERE name = 'made'");

    CHECK(containers == 1 || !is_whole);
    if (containers == 1)
        check_container(images, "made");
    /* The one that was there has a volume of its own; 'kept' is shared. */
    CHECK_INT(count(images, "SELECT count(*) FROM volume"), 2 + containers);
    check_container(images, "old");
}

static int act_remove(struct images *images)
{
    static const struct container_remove_spec spec = { .with_volumes = true };

    return container_remove(&images->task, "old", &spec, &images->err);
}

static void check_remove(struct images *images, bool is_whole)
{
    int64_t containers = count(images, "SELECT count(*) FROM container");

    CHECK(containers == 0 || !is_whole);
    if (containers == 1)
        check_container(images, "old");
    CHECK_INT(count(images, "SELECT count(*) FROM volume"), 1 + containers);
}

static int act_rename(struct images *images)
{
    return container_rename(&images->task, "old", "new", &images->err);
}

static void check_rename(struct images *images, bool is_whole)
{
    int64_t renamed = count(images, "SELECT count(*) FROM container WHERE name = 'new'");

    CHECK(renamed == 1 || !is_whole);
    check_container(images, renamed == 1 ? "new" : "old");
}

static const struct scenario scenarios[] = {
    { "container.create", act_create, check_create },
    { "container.remove", act_remove, check_remove },
    { "container.rename", act_rename, check_rename },
};

static void set_up(struct images *images)
{
    WORLD_RUN("rm -rf " STATE " && mkdir -p " WORK "/tree/data/deep &&"
              " touch " WORK "/tree/data/file " WORK "/tree/data/deep/file");
    ck_assert_msg(open_all(images), "%s", images->err.message);
    (void)images_make(images, WORK "/tree", "base");
    CHECK_OK(create(images, "old"), &images->err);
    close_all(images);
}

/* In a child: the exit status tells how the verb ended and whether the fault was reached. */
static int run_child(const struct scenario *scenario, int nth, int rc)
{
    int status = 0;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct images images;
        (void)freopen("/dev/null", "w", stderr);
        if (!open_all(&images))
            _exit(99);
        fault_arm(nth, rc);
        int result = scenario->act(&images);
        _exit((result < 0 ? EXIT_FAILED : 0) | (fault_fired() ? EXIT_FIRED : 0));
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) != 99, "%s: child died (%x)",
                  scenario->name, (unsigned int)status);
    return WEXITSTATUS(status);
}

static void check_after(const struct scenario *scenario, int nth, int status)
{
    struct findings findings = { 0 };
    struct images images;

    log_set_level(LOG_ERROR); /* that operations are resumed is what we are here for */
    ck_assert_msg(open_all(&images), "%s", images.err.message);
    CHECK(op_resume_all(&images.task, &images.err) >= 0);
    CHECK_OK(reconcile(&images.task, true, &findings, &images.err), &images.err);
    CHECK_OK(reconcile(&images.task, false, &findings, &images.err), &images.err);
    ck_assert_msg(findings.count == 0, "%s, call %d: still %s %s", scenario->name, nth,
                  findings.items[0].kind, findings.items[0].object);
    scenario->check(&images, (status & ~EXIT_FIRED) == 0);
    close_all(&images);
}

static void sweep(int rc)
{
    struct images images;
    int seen = 0;

    if (!images_enter(&images, "tmpfs"))
        return;
    images_close(&images);
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        int status = EXIT_FIRED;
        int nth = 0;
        while (status != 0 && nth < NTH_MAX) {
            set_up(&images);
            status = run_child(&scenarios[i], ++nth, rc);
            check_after(&scenarios[i], nth, status);
            seen += status == FAULT_CRASH_STATUS || (status & EXIT_FIRED) != 0;
        }
        ck_assert_msg(status == 0, "%s never ended without a fault", scenarios[i].name);
    }
    printf("containers: %d %s seen\n", seen, rc == FAULT_CRASH ? "crashes" : "failures");
    CHECK(seen > 0);
}

TEST(containers_are_whole_or_absent_wherever_the_process_dies)
{
    sweep(FAULT_CRASH);
}

TEST(containers_are_whole_or_absent_whichever_call_fails)
{
    sweep(-EIO);
}
