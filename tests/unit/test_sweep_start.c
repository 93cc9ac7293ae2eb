/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a real container by the real runner, where first the first, then the second, … system
 * call of ours that changes something fails, or the process dies in its place.  Afterwards it runs,
 * watched and with its volume, or it does not and nothing of it is left: no process, no cgroup.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/log.h"
#include "core/box/box_control.h"
#include "core/container/container.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile.h"
#include "core/reconcile/recover.h"
#include "lib/containers.h"

#define NTH_MAX     400
#define EXIT_FAILED 1
#define EXIT_FIRED  2
#define EXIT_BROKEN 99

static void create(struct images *images)
{
    cleanup_json json_t *config = json_pack("{s[s s s]}", "Cmd", "/bin/busybox", "sleep", "600");
    cleanup_json json_t *host =
        json_pack("{s[s] ss}", "Binds", "data:/data", "NetworkMode", "none");
    struct container_spec spec = {
        .name = "box", .image = "base", .config = config, .host_config = host
    };
    const char *const *warnings;
    const char *id;

    CHECK_OK(container_create(&images->task, &spec, &id, &warnings, &images->err), &images->err);
}

static void set_up(void)
{
    struct images images;

    WORLD_RUN("rm -rf " STATE " && mkdir -p " WORK "/tree/bin " WORK "/tree/data &&"
              " cp /bin/busybox " WORK "/tree/bin/");
    containers_open(&images);
    CHECK_OK(recover(&images.task, &images.err), &images.err);
    (void)images_make(&images, WORK "/tree", "base");
    create(&images);
    containers_close(&images);
}

/* In a child: the exit status tells how the verb ended and whether the fault was reached. */
static int run_child(int nth, int rc)
{
    int status = 0;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct images images;
        bool changed = false;
        (void)freopen("/dev/null", "w", stderr);
        containers_open(&images);
        images.service.pools = pools_open(&images.task, &images.err);
        if (images.service.pools == NULL)
            _exit(EXIT_BROKEN);
        fault_arm(nth, rc);
        int result = container_start(&images.task, "box", &changed, &images.err);
        _exit((result < 0 ? EXIT_FAILED : 0) | (fault_fired() ? EXIT_FIRED : 0));
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) != EXIT_BROKEN, "child died (%x)",
                  (unsigned int)status);
    return WEXITSTATUS(status);
}

/* Whether a process of the host, a supervisor, names the container on its command line. */
static bool has_process(const char *id)
{
    glob_t found = { 0 };
    bool has = false;

    CHECK_INT(glob("/proc/[0-9]*/cmdline", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc && !has; i++) {
        char text[4096];
        int fd = open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));
        has = got > 0 && memmem(text, (size_t)got, id, strlen(id)) != NULL;
        if (fd >= 0)
            (void)close(fd);
    }
    globfree(&found);
    return has;
}

static bool has_cgroup(const char *id)
{
    char command[256];

    (void)snprintf(command, sizeof(command),
                   "find /sys/fs/cgroup -name '*%s*' 2> /dev/null | grep -q .", id);
    return system(command) == 0;
}

/* A supervisor may still be putting things away. */
static void check_nothing_is_left(const char *id, int nth)
{
    for (int i = 0; i < 100 && (has_process(id) || has_cgroup(id)); i++)
        (void)usleep(50000);
    ck_assert_msg(!has_process(id), "call %d: container %s still has a process", nth, id);
    ck_assert_msg(!has_cgroup(id), "call %d: container %s still has a cgroup", nth, id);
}

static void check_container(struct images *images, int nth, bool is_whole)
{
    static const struct container_remove_spec removal = { .force = true };
    cleanup_container struct container container = { 0 };
    const char *answer = NULL;
    bool changed;

    CHECK_OK(container_get(&images->task, "box", &container, &images->err), &images->err);
    bool is_running = strcmp(container.state, "running") == 0;
    ck_assert_msg(is_running || !is_whole, "call %d: started, yet it is %s", nth, container.state);
    if (is_running) {
        CHECK_OK(box_ask(&images->task, container.id, "status", &answer, &images->err),
                 &images->err);
        CHECK(strncmp(answer, "running ", 8) == 0);
        WORLD_RUN("test -d /proc/%d/root/data", (int)container.pid);
    } else {
        CHECK(strcmp(container.state, "created") == 0 || strcmp(container.state, "exited") == 0);
        check_nothing_is_left(container.id, nth);
        CHECK_OK(container_start(&images->task, "box", &changed, &images->err), &images->err);
    }
    const char *id = arena_strdup(images->task.mem, container.id);
    CHECK_OK(container_remove(&images->task, "box", &removal, &images->err), &images->err);
    check_nothing_is_left(id, nth);
}

static void check_after(int nth, int status)
{
    struct findings findings = { 0 };
    struct images images;

    containers_open(&images);
    CHECK_OK(recover(&images.task, &images.err), &images.err);
    CHECK_OK(reconcile(&images.task, false, &findings, &images.err), &images.err);
    ck_assert_msg(findings.count == 0, "call %d: still %s %s", nth, findings.items[0].kind,
                  findings.items[0].object);
    check_container(&images, nth, (status & ~EXIT_FIRED) == 0);
    containers_close(&images);
}

static void sweep(int rc)
{
    struct images images;
    int status = EXIT_FIRED;
    int nth = 0;
    int seen = 0;

    if (!images_enter(&images, "tmpfs"))
        return;
    images_close(&images);
    log_set_level(LOG_ERROR); /* that operations are resumed is what we are here for */
    while (status != 0 && nth < NTH_MAX) {
        set_up();
        status = run_child(++nth, rc);
        check_after(nth, status);
        seen += status == FAULT_CRASH_STATUS || (status & EXIT_FIRED) != 0;
    }
    ck_assert_msg(status == 0, "never ended without a fault");
    printf("container.start: %d %s seen\n", seen, rc == FAULT_CRASH ? "crashes" : "failures");
    CHECK(seen > 0);
}

TEST(a_container_runs_or_does_not_wherever_the_process_dies)
{
    sweep(FAULT_CRASH);
}

TEST(a_container_runs_or_does_not_whichever_call_fails)
{
    sweep(-EIO);
}
