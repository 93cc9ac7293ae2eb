/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping and continuing all processes of the groups, by whichever freezer there is. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "runner/cgroup/cgroup.h"
#include "runner/cgroup/cgroup_file.h"

#define PAUSE_FIRST_NS 50000
#define PAUSE_MAX_NS   2000000

static const struct hierarchy *find_freezer(const struct cgroup *cgroup, bool *is_v2);
static int wait_frozen_v1(const char *directory, int64_t deadline_ms);
static int wait_frozen_v2(const char *directory, int64_t deadline_ms);

int cgroup_freeze(const struct cgroup *cgroup, int64_t timeout_ms, struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    struct error ignored; /* the first error is the one to tell */
    bool is_v2 = false;
    const struct hierarchy *freezer = find_freezer(cgroup, &is_v2);

    if (freezer == NULL)
        return fail(err, ERR_UNSUPPORTED, "this host has no freezer cgroup");
    int rc = is_v2 ? cgroup_file_write(freezer->path, "cgroup.freeze", "1")
                   : cgroup_file_write(freezer->path, "freezer.state", "FROZEN");
    if (rc >= 0)
        rc = is_v2 ? wait_frozen_v2(freezer->path, deadline_ms)
                   : wait_frozen_v1(freezer->path, deadline_ms);
    if (rc >= 0)
        return 0;
    (void)cgroup_thaw(cgroup, &ignored);
    if (rc == -ETIMEDOUT)
        return fail(err, ERR_TIMEOUT, "the processes did not stop within %lld ms",
                    (long long)timeout_ms);
    return fail_sys(err, rc, "cannot freeze '%s'", freezer->path);
}

int cgroup_thaw(const struct cgroup *cgroup, struct error *err)
{
    bool is_v2 = false;
    const struct hierarchy *freezer = find_freezer(cgroup, &is_v2);

    if (freezer == NULL)
        return fail(err, ERR_UNSUPPORTED, "this host has no freezer cgroup");
    int rc = is_v2 ? cgroup_file_write(freezer->path, "cgroup.freeze", "0")
                   : cgroup_file_write(freezer->path, "freezer.state", "THAWED");
    if (rc == -ENOENT) /* the group is gone: nothing is frozen in it */
        return 0;
    return rc < 0 ? fail_sys(err, rc, "cannot thaw '%s'", freezer->path) : 0;
}

bool cgroup_is_frozen(const struct cgroup *cgroup)
{
    char text[CGROUP_TEXT_SIZE];
    bool is_v2 = false;
    const struct hierarchy *freezer = find_freezer(cgroup, &is_v2);

    if (freezer == NULL)
        return false;
    if (is_v2)
        return cgroup_file_number(freezer->path, "cgroup.freeze", 0) == 1;
    return cgroup_file_read(freezer->path, "freezer.state", text) > 0 &&
           strcmp(text, "THAWED") != 0;
}

/* v2's freezer tells when it has done, and lets a frozen process be killed: it is preferred. */
static const struct hierarchy *find_freezer(const struct cgroup *cgroup, bool *is_v2)
{
    const struct hierarchy *unified = cgroup_find(cgroup, "");

    *is_v2 = unified != NULL;
    return unified != NULL ? unified : cgroup_find(cgroup, "freezer");
}

/* v1 tells nobody; a process that forks while it is being frozen needs the order once more. */
static int wait_frozen_v1(const char *directory, int64_t deadline_ms)
{
    struct timespec pause = { .tv_nsec = PAUSE_FIRST_NS };
    char text[CGROUP_TEXT_SIZE];

    for (;;) {
        ssize_t size = cgroup_file_read(directory, "freezer.state", text);
        if (size < 0)
            return (int)size;
        if (strcmp(text, "FROZEN") == 0)
            return 0;
        if (clock_mono_ms() >= deadline_ms)
            return -ETIMEDOUT;
        (void)nanosleep(&pause, NULL); /* cut short: one more look */
        if (pause.tv_nsec < PAUSE_MAX_NS)
            pause.tv_nsec *= 2;
        int rc = cgroup_file_write(directory, "freezer.state", "FROZEN");
        if (rc < 0)
            return rc;
    }
}

static int wait_frozen_v2(const char *directory, int64_t deadline_ms)
{
    char path[PATH_MAX];
    char text[CGROUP_TEXT_SIZE];

    (void)snprintf(path, sizeof(path), "%s/cgroup.events", directory); /* cut: the open fails */
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    for (;;) {
        struct pollfd events = { .fd = fd, .events = POLLPRI };
        ssize_t size = cgroup_file_read(directory, "cgroup.events", text);
        if (size < 0)
            return (int)size;
        if (cgroup_text_keyed(text, "frozen", 0) == 1 ||
            cgroup_text_keyed(text, "populated", 1) == 0)
            return 0;
        int64_t left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0)
            return -ETIMEDOUT;
        /* The first poll of a fresh descriptor returns at once: the read above is the condition. */
        (void)poll(&events, 1, (int)(left_ms < 1000 ? left_ms : 1000));
        if (pread(fd, text, sizeof(text), 0) < 0) /* arms the next poll */
            return -errno;
    }
}
