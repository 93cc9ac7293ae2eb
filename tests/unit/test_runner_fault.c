/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever call or allocation fails while a container is made, in the runtime or in the container's
 * own process after the clone: the caller gets a message, and nothing is left.  Each round lets the
 * next one fail (base/fault.h; the process inherits the counter, so each round hits both).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "lib/test.h"
#include "runner/container/container.h"
#include "runner/spec/spec.h"

#define DIRECTORY   "/tmp/test-runner-fault"
#define ID          "fault-test"
#define CALLS_MAX   320
#define ALLOCS_MAX  40
#define EXIT_FAILED 1 /* with a message, and nothing is left */
#define EXIT_MADE   2
#define EXIT_WRONG  3

/* The n-th allocation from now on fails, in the process that is the first of its namespace. */
static int alloc_countdown;

#ifndef __SANITIZE_ADDRESS__
void *__libc_malloc(size_t size); /* glibc's own; NOLINT */

/* Instead of the C library's, for all that is linked. */
void *malloc(size_t size)
{
    if (alloc_countdown > 0 && getpid() == 1 && --alloc_countdown == 0)
        return NULL;
    return __libc_malloc(size);
}
#endif

static const char config[] =
    "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/bin/busybox\",\"true\"],\"cwd\":\"/\","
    "\"env\":[\"PATH=/bin\"],\"noNewPrivileges\":true,\"user\":{\"uid\":0,\"gid\":0}},"
    "\"hooks\":{\"createContainer\":[{\"path\":\"/bin/true\"}]},"
    "\"root\":{\"path\":\"root\",\"readonly\":true},\"hostname\":\"x\",\"mounts\":["
    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=755\"]},"
    "{\"destination\":\"/etc\",\"type\":\"bind\",\"source\":\"/etc\",\"options\":[\"bind\",\"ro\"]},"
    "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"ro\"]},"
    "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\"}],"
    "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},"
    "{\"type\":\"ipc\"}],\"maskedPaths\":[\"/proc/keys\",\"/sys/firmware\"],"
    "\"readonlyPaths\":[\"/proc/sys\"]}}";

static bool make_bundle(void)
{
    FILE *file;

    if (system("rm -rf " DIRECTORY " && mkdir -p " DIRECTORY "/root/bin " DIRECTORY /* NOLINT */
               "/state && cp \"$(command -v busybox)\" " DIRECTORY "/root/bin/busybox") != 0)
        return false;
    file = fopen(DIRECTORY "/config.json", "we");
    if (file == NULL)
        return false;
    (void)fputs(config, file);
    return fclose(file) == 0;
}

/* The state, and a group of the container's name in any hierarchy. */
static bool is_left(void)
{
    struct stat st;

    return stat(DIRECTORY "/state/" ID, &st) == 0 ||
           system("find /sys/fs/cgroup -maxdepth 4 -name " ID " | grep -q .") == 0; /* NOLINT */
}

/* True for what the container's process says of itself (init.c's steps): after that its fault, the
 * runtime's own may come while it takes all back. */
static bool is_from_process(const char *message)
{
    static const char *const steps[] = {
        "cannot build ",     "cannot open the ",  "cannot hide ",  "cannot report ",
        "cannot make a key", "cannot switch to ", "cannot take ",  "cannot set the host name",
        "cannot wait for ",  "cannot join ",      "cannot close ", "error running createContainer",
    };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (strncmp(message, steps[i], strlen(steps[i])) == 0)
            return true;
    return false;
}

/* In a process of its own: makes, and if that went well deletes, a container. */
static int round_main(int nth_call, int nth_alloc)
{
    cleanup_arena struct arena *mem = arena_new();
    struct container_options options = {
        .root = DIRECTORY "/state",
        .id = ID,
        .bundle = DIRECTORY,
        .cgroup_manager = CGROUP_FILES,
        .stdio = { 0, 1, 2 },
        .stdio_owner = (uid_t)-1,
    };
    struct container *container = NULL;
    struct spec *spec = NULL;
    struct error err = { 0 };

    if (spec_read(mem, DIRECTORY, NULL, &spec, &err) < 0)
        return EXIT_WRONG;
    alloc_countdown = nth_alloc;
    if (nth_call > 0)
        fault_arm(nth_call, -EIO);
    int rc = container_create(mem, &options, spec, &container, &err);
    bool has_fired = fault_fired(); /* here, not in the container's process */
    fault_disarm();
    alloc_countdown = 0;
    if (rc == 0) {
        if (container_delete(container, true, &err) < 0)
            (void)dprintf(2, "made, not deleted: %s\n", err.message);
        return is_left() ? EXIT_WRONG : EXIT_MADE;
    }
    if (err.code == ERR_NONE || err.message[0] == '\0' || waitpid(-1, NULL, WNOHANG) >= 0)
        return EXIT_WRONG; /* untold, or with a child that was not reaped */
    bool is_second = has_fired && is_from_process(err.message);
    if (is_left() && !is_second)
        (void)dprintf(2, "call %d, allocation %d: something is left: %s\n", nth_call, nth_alloc,
                      err.message);
    return is_left() && !is_second ? EXIT_WRONG : EXIT_FAILED;
}

static int run_round(int nth_call, int nth_alloc)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(round_main(nth_call, nth_alloc));
    (void)waitpid(pid, &status, 0);
    (void)system("rm -rf " DIRECTORY "/state/*"); /* NOLINT: after a round that went wrong */
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_WRONG;
}

static void sweep(bool is_of_calls, int max, int least)
{
    int failed = 0;

    if (geteuid() != 0 || !make_bundle()) {
        printf("skipped: needs root and busybox\n");
        return;
    }
    CHECK_INT(run_round(0, 0), EXIT_MADE);
    for (int nth = 1; nth <= max; nth++) {
        int result = run_round(is_of_calls ? nth : 0, is_of_calls ? 0 : nth);
        CHECK(result != EXIT_WRONG);
        failed += result == EXIT_FAILED;
    }
    printf("%d of %d failed, and said so\n", failed, max);
    CHECK(failed >= least);
    CHECK_INT(run_round(0, 0), EXIT_MADE); /* also over what a second fault has left */
    CHECK(!is_left());
    (void)system("rm -rf " DIRECTORY); /* NOLINT */
}

TEST(a_call_that_fails_is_told_and_leaves_nothing)
{
    sweep(true, CALLS_MAX, 90);
}

#ifndef __SANITIZE_ADDRESS__
TEST(an_allocation_that_fails_after_the_clone_is_told_and_leaves_nothing)
{
    sweep(false, ALLOCS_MAX, 1);
}
#endif
