/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real container that runs, by the real runner, while volumes come and go and leases change, and
 * first the first, then the second, … system call of ours that changes something fails, or the
 * process dies in its place.  Afterwards rows and the container's mount table say the same, and it
 * still runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/attachment/attachment_hot.h"
#include "core/attachment/lease.h"
#include "core/container/container.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile.h"
#include "core/reconcile/recover.h"
#include "core/volume/volume.h"
#include "lib/containers.h"

#define NTH_MAX     400
#define EXIT_FAILED 1
#define EXIT_FIRED  2
#define EXIT_BROKEN 99

struct scenario {
    const char *name;
    void (*before)(struct images *images); /* each must leave what it begins with */
    int (*act)(struct images *images);

    /* is_whole: the verb said that it succeeded, so the state must be the new one. */
    void (*check)(struct images *images, bool is_whole);
    void (*after)(struct images *images);
};

static void make_volume(struct images *images, const char *name)
{
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    enum cost cost;
    bool is_new;

    spec.name = name;
    CHECK_OK(volume_create(&images->task, &spec, &volume, &is_new, &cost, &images->err),
             &images->err);
}

static void set_up(void)
{
    cleanup_json json_t *config = json_pack("{s[s s s]}", "Cmd", "/bin/busybox", "sleep", "600");
    cleanup_json json_t *host =
        json_pack("{s[s] ss}", "Binds", "data:/data", "NetworkMode", "none");
    struct container_spec spec = {
        .name = "box", .image = "base", .config = config, .host_config = host
    };
    const char *const *warnings;
    struct images images;
    const char *id;
    bool changed;

    WORLD_RUN("rm -rf " STATE " && mkdir -p " WORK "/tree/bin && cp /bin/busybox " WORK
              "/tree/bin/");
    containers_open(&images);
    CHECK_OK(recover(&images.task, &images.err), &images.err);
    (void)images_make(&images, WORK "/tree", "base");
    make_volume(&images, "extra");
    CHECK_OK(container_create(&images.task, &spec, &id, &warnings, &images.err), &images.err);
    CHECK_OK(container_start(&images.task, "box", &changed, &images.err), &images.err);
    CHECK_OK(volume_set_access(&images.task, "data", "shared", "fenced", &images.err), &images.err);
    containers_close(&images);
}

static void tear_down(void)
{
    static const struct container_remove_spec removal = { .force = true };
    struct images images;

    containers_open(&images);
    CHECK_OK(recover(&images.task, &images.err), &images.err);
    CHECK_OK(container_remove(&images.task, "box", &removal, &images.err), &images.err);
    containers_close(&images);
}

/* How often something is mounted at the place in the container; *is_read_only of the last. */
static int mounts_at(struct images *images, const char *place, bool *is_read_only)
{
    cleanup_container struct container box = { 0 };
    char *text = NULL;
    int count = 0;

    CHECK_OK(container_get(&images->task, "box", &box, &images->err), &images->err);
    CHECK_STR(box.state, "running");
    const char *path = arena_printf(images->task.mem, "/proc/%d/mountinfo", (int)box.pid);
    CHECK_OK(fs_read_file(images->task.mem, AT_FDCWD, path, 1 << 20, &text, NULL, &images->err),
             &images->err);
    const char *wanted = arena_printf(images->task.mem, " %s ", place);
    for (const char *hit = text; (hit = strstr(hit, wanted)) != NULL; hit++) {
        *is_read_only = strncmp(hit + strlen(wanted), "ro,", 3) == 0;
        count++;
    }
    return count;
}

static bool has_row(struct images *images)
{
    cleanup_container struct container box = { 0 };

    CHECK_OK(container_get(&images->task, "box", &box, &images->err), &images->err);
    return box.attachment_count == 2;
}

static int attach(struct images *images)
{
    const struct attachment wanted = { .volume_name = "extra",
                                       .destination = "/extra",
                                       .mode = ACCESS_RO };
    struct attachment attached;

    return attachment_attach(&images->task, "box", &wanted, &attached, &images->err);
}

static int detach(struct images *images)
{
    struct attachment detached;

    return attachment_detach(&images->task, "box", "/extra", false, &detached, &images->err);
}

static void do_attach(struct images *images)
{
    CHECK_OK(attach(images), &images->err);
}

static void check_agreement(struct images *images)
{
    bool is_read_only = false;

    CHECK_INT(mounts_at(images, "/extra", &is_read_only), has_row(images) ? 1 : 0);
    CHECK(is_read_only == has_row(images));
}

static void check_attached(struct images *images, bool is_whole)
{
    CHECK(has_row(images) || !is_whole);
    check_agreement(images);
}

static void check_detached(struct images *images, bool is_whole)
{
    CHECK(!has_row(images) || !is_whole);
    check_agreement(images);
}

static void undo_attach(struct images *images)
{
    if (has_row(images))
        CHECK_OK(detach(images), &images->err);
}

static int fence(struct images *images)
{
    static const struct fence_spec spec = { .how = "read-only" };
    struct fenced *list = NULL;
    size_t count = 0;

    return volume_fence(&images->task, "data", &spec, &list, &count, &images->err);
}

static void do_fence(struct images *images)
{
    CHECK_OK(fence(images), &images->err);
}

/* Says nothing of its success. */
static int promote(struct images *images)
{
    struct volume volume;

    CHECK_OK(volume_get(&images->task, "data", &volume, &images->err), &images->err);
    lease_succeed(&images->task, volume.id);
    return fail(&images->err, ERR_SYSTEM, "not known");
}

static bool is_fenced(struct images *images)
{
    struct volume_rule rule;
    struct lease *list = NULL;
    size_t count = 0;

    CHECK_OK(lease_list(&images->task, "data", &rule, &list, &count, &images->err), &images->err);
    return count == 1 && strcmp(list[0].state, "fenced") == 0;
}

static void check_fenced(struct images *images, bool is_whole)
{
    bool is_read_only = false;

    CHECK(is_fenced(images) || !is_whole);
    CHECK_INT(mounts_at(images, "/data", &is_read_only), 1);
    CHECK(is_read_only == is_fenced(images));
}

static void undo_fence(struct images *images)
{
    (void)promote(images);
    CHECK(!is_fenced(images));
}

static const struct scenario scenarios[] = {
    { "attach.hot", NULL, attach, check_attached, undo_attach },
    { "detach.hot", do_attach, detach, check_detached, undo_attach },
    { "lease.fence", NULL, fence, check_fenced, undo_fence },
    { "lease.promote", do_fence, promote, check_fenced, undo_fence },
};

/* In a child: the exit status tells how the verb ended and whether the fault was reached. */
static int run_child(const struct scenario *scenario, int nth, int rc)
{
    int status = 0;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct images images;
        (void)freopen("/dev/null", "w", stderr);
        containers_open(&images);
        images.service.pools = pools_open(&images.task, &images.err);
        if (images.service.pools == NULL)
            _exit(EXIT_BROKEN);
        fault_arm(nth, rc);
        int result = scenario->act(&images);
        _exit((result < 0 ? EXIT_FAILED : 0) | (fault_fired() ? EXIT_FIRED : 0));
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) != EXIT_BROKEN, "%s: child died (%x)",
                  scenario->name, (unsigned int)status);
    return WEXITSTATUS(status);
}

static void begin(const struct scenario *scenario)
{
    struct images images;

    containers_open(&images);
    CHECK_OK(recover(&images.task, &images.err), &images.err);
    if (scenario->before != NULL)
        scenario->before(&images);
    containers_close(&images);
}

static void end(const struct scenario *scenario, int nth, int status)
{
    struct findings findings = { 0 };
    struct images images;

    containers_open(&images);
    CHECK_OK(recover(&images.task, &images.err), &images.err);
    CHECK_OK(reconcile(&images.task, false, &findings, &images.err), &images.err);
    ck_assert_msg(findings.count == 0, "%s, call %d: still %s %s", scenario->name, nth,
                  findings.items[0].kind, findings.items[0].object);
    scenario->check(&images, (status & ~EXIT_FIRED) == 0);
    scenario->after(&images);
    containers_close(&images);
}

static void sweep(int rc)
{
    struct images images;

    if (!images_enter(&images, "tmpfs"))
        return;
    images_close(&images);
    log_set_level(LOG_ERROR); /* that operations are resumed is what we are here for */
    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        int status = EXIT_FIRED;
        int nth = 0;
        int seen = 0;
        while ((status & EXIT_FIRED) != 0 && nth < NTH_MAX) {
            begin(&scenarios[i]);
            status = run_child(&scenarios[i], ++nth, rc);
            status |= status == FAULT_CRASH_STATUS ? EXIT_FIRED : 0;
            end(&scenarios[i], nth, status);
            seen += (status & EXIT_FIRED) != 0;
        }
        ck_assert_msg((status & EXIT_FIRED) == 0, "%s never ended without a fault",
                      scenarios[i].name);
        printf("%s: %d %s seen\n", scenarios[i].name, seen,
               rc == FAULT_CRASH ? "crashes" : "failures");
        CHECK(seen > 0);
    }
    tear_down();
}

TEST(rows_and_mounts_agree_wherever_the_process_dies)
{
    sweep(FAULT_CRASH);
}

TEST(rows_and_mounts_agree_whichever_call_fails)
{
    sweep(-EIO);
}
