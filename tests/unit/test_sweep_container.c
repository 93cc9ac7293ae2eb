/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, removing, copying into and importing containers with volumes, where first the first, then
 * the second, … system call that changes something fails, or the process dies in its place.
 * Afterwards the container is there with its volumes and their seeds, or neither is, and nothing is
 * left over.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/log.h"
#include "core/box/monitor.h"
#include "core/capsule/capsule.h"
#include "core/container/container.h"
#include "core/container/container_files.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile.h"
#include "lib/images.h"

#define NTH_MAX     400
#define EXIT_FAILED 1
#define EXIT_FIRED  2
#define CAPSULE     WORK "/capsule"

struct scenario {
    const char *name;
    int (*act)(struct images *images);
    void (*check)(struct images *images, bool is_whole);
    int step; /* tries each so many-th call, or all with CONTAINER_SWEEP_STEP=1; 0: all */
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

static int act_copy(struct images *images)
{
    static const struct archive_put_spec spec = { .path = "/" };
    int fd = open(WORK "/copied.tar", O_RDONLY | O_CLOEXEC);
    struct byte_source source = { images_read_fd, &fd };

    CHECK(fd >= 0);
    int rc = container_archive_put(&images->task, "old", &spec, &source, &images->err);
    (void)close(fd);
    return rc;
}

/* Files of an archive may be there in part, as with Docker; the container is not held any more. */
static void check_copy(struct images *images, bool is_whole)
{
    cleanup_container struct container container = { 0 };

    check_container(images, "old");
    if (!is_whole)
        CHECK_OK(act_copy(images), &images->err);
    CHECK_OK(container_get(&images->task, "old", &container, &images->err), &images->err);
    WORLD_RUN("test \"$(cat " STATE "/containers/%s/upper/copied)\" = mine", container.id);
}

/* Made in the first round. */
static void make_capsule(struct images *images)
{
    int fd = open(CAPSULE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct byte_sink sink = { images_write_fd, &fd };

    if (fd < 0)
        return;
    CHECK_OK(capsule_export(&images->task, "old", CAPSULE_SNAPSHOTS_NONE, &sink, &images->err),
             &images->err);
    (void)close(fd);
}

static int act_import(struct images *images)
{
    struct capsule_import_spec spec = { 0 };
    int fd = open(CAPSULE, O_RDONLY | O_CLOEXEC);
    struct byte_source source = { images_read_fd, &fd };
    const char *id;

    CHECK(fd >= 0);
    pairs_set(&spec.renames, images->task.mem, "old", "made");
    pairs_set(&spec.renames, images->task.mem, "kept", "kept-too");
    int rc = capsule_import(&images->task, &spec, &source, &id, &images->err);
    (void)close(fd);
    return rc;
}

static void check_import(struct images *images, bool is_whole)
{
    int64_t containers = count(images, "SELECT count(*) FROM container WHERE name = 'made'");

    CHECK(containers == 1 || !is_whole);
    if (containers == 1)
        check_container(images, "made");
    CHECK_INT(count(images, "SELECT count(*) FROM container"), 1 + containers);
    CHECK_INT(count(images, "SELECT count(*) FROM volume"), 2 + 2 * containers);
    check_container(images, "old");
}

static const struct scenario scenarios[] = {
    { "container.copy", act_copy, check_copy, 0 },
    { "capsule.import", act_import, check_import, 5 },
    { "container.create", act_create, check_create, 0 },
    { "container.remove", act_remove, check_remove, 0 },
    { "container.rename", act_rename, check_rename, 0 },
};

static void set_up(struct images *images)
{
    WORLD_RUN("rm -rf " STATE " && mkdir -p " WORK "/tree/data/deep &&"
              " touch " WORK "/tree/data/file " WORK "/tree/data/deep/file");
    ck_assert_msg(open_all(images), "%s", images->err.message);
    (void)images_make(images, WORK "/tree", "base");
    CHECK_OK(create(images, "old"), &images->err);
    WORLD_RUN("printf mine >" WORK "/copied && tar -C " WORK " -cf " WORK "/copied.tar copied");
    make_capsule(images);
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
        int step = scenarios[i].step == 0 || getenv("CONTAINER_SWEEP_STEP") ? 1 : scenarios[i].step;
        for (int nth = 1; status != 0 && nth < NTH_MAX; nth += step) {
            set_up(&images);
            status = run_child(&scenarios[i], nth, rc);
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
