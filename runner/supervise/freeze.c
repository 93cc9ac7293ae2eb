/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   NONE --begin--> FREEZING --frozen--> HELD --end--> NONE
 *                      |                   |
 *                   too late            too long
 *                      v                   v
 *                    NONE (told)        EXPIRED --end--> NONE (told)
 *
 * v1 has to be asked again and again, first after 50 us, since most containers stand still in less
 * than a millisecond, and wants the request itself repeated while it says FREEZING.  v2 makes
 * event_fd readable (EPOLLPRI); it is asked all the same, in case that gets lost.
 */
#include "runner/supervise/freeze.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"

#define LOOK_FIRST_NS 50000
#define LOOK_MAX_NS   5000000
#define NS_PER_MS     1000000

static void freezer_set(const struct freezer *freezer, bool is_frozen);
static void release(struct lease *lease, struct freezer *freezer, enum lease_state next);
static int freezing_poll(struct lease *lease, struct freezer *freezer, int64_t now_ns,
                         struct error *err);

int freezer_open(struct freezer *freezer, enum freezer_kind kind, int cgroup_fd, struct error *err)
{
    bool is_v2 = kind == FREEZER_V2;
    const char *name = is_v2 ? "cgroup.freeze" : "freezer.state";

    *freezer = (struct freezer){ .control_fd = -1, .event_fd = -1 };
    if (kind == FREEZER_NONE)
        return 0;
    freezer->control_fd = sys_openat(cgroup_fd, name, O_RDWR, 0);
    if (freezer->control_fd >= 0 && is_v2)
        freezer->event_fd = sys_openat(cgroup_fd, "cgroup.events", O_RDONLY, 0);
    int rc = freezer->control_fd >= 0 && is_v2 ? freezer->event_fd : freezer->control_fd;
    if (rc < 0) {
        freezer_close(freezer);
        return fail_sys(err, rc, "cannot open the freezer's '%s'", name);
    }
    freezer->kind = kind;
    return 0;
}

void freezer_close(struct freezer *freezer)
{
    sys_close_fd(&freezer->control_fd);
    sys_close_fd(&freezer->event_fd);
    freezer->kind = FREEZER_NONE;
}

bool freezer_is_frozen(const struct freezer *freezer)
{
    char text[256];
    ssize_t size = 0;

    if (freezer->kind == FREEZER_NONE)
        return false;
    size = pread(freezer->kind == FREEZER_V1 ? freezer->control_fd : freezer->event_fd, text,
                 sizeof(text) - 1, 0);
    text[size < 0 ? 0 : size] = '\0';
    if (freezer->kind == FREEZER_V1)
        return strncmp(text, "FROZEN", 6) == 0;
    return strstr(text, "frozen 1") != NULL;
}

void freezer_resume(struct freezer *freezer)
{
    freezer->is_paused = false;
    if (freezer->holder_count == 0)
        freezer_set(freezer, false);
}

int lease_begin(struct lease *lease, struct freezer *freezer, int64_t limit_ms, bool is_pause,
                struct error *err)
{
    if (freezer->kind == FREEZER_NONE)
        return fail(err, ERR_UNSUPPORTED, "the container has no freezer");
    if (lease->state != LEASE_NONE)
        return fail(err, ERR_CONFLICT, "this connection has frozen the container already");
    *lease = (struct lease){
        .state = LEASE_FREEZING,
        .is_pause = is_pause,
        .begun_ns = clock_mono_ns(),
        .limit_ns = limit_ms * NS_PER_MS,
        .interval_ns = LOOK_FIRST_NS,
    };
    freezer->holder_count++;
    freezer_set(freezer, true);
    return 0;
}

int64_t lease_due_ns(const struct lease *lease)
{
    if (lease->state == LEASE_FREEZING)
        return lease->retry_ns;
    return lease->state == LEASE_HELD ? lease->frozen_ns + lease->limit_ns : INT64_MAX;
}

int lease_poll(struct lease *lease, struct freezer *freezer, int64_t now_ns, struct error *err)
{
    if (lease->state == LEASE_FREEZING) /* before its time too: v2 tells */
        return freezing_poll(lease, freezer, now_ns, err);
    if (now_ns < lease_due_ns(lease))
        return 0;
    release(lease, freezer, LEASE_EXPIRED);
    return 0;
}

int lease_end(struct lease *lease, struct freezer *freezer, int64_t *held_ns, struct error *err)
{
    enum lease_state state = lease->state;

    lease_drop(lease, freezer);
    if (state == LEASE_EXPIRED)
        return fail(err, ERR_TIMEOUT, "the container was thawed at the lease's deadline");
    if (state != LEASE_HELD)
        return fail(err, ERR_CONFLICT, "this connection has not frozen the container");
    *held_ns = clock_mono_ns() - lease->frozen_ns;
    return 0;
}

void lease_drop(struct lease *lease, struct freezer *freezer)
{
    if (lease->state == LEASE_FREEZING || lease->state == LEASE_HELD)
        release(lease, freezer, LEASE_NONE);
    lease->state = LEASE_NONE;
}

static int freezing_poll(struct lease *lease, struct freezer *freezer, int64_t now_ns,
                         struct error *err)
{
    if (freezer_is_frozen(freezer)) {
        lease->frozen_ns = clock_mono_ns();
        lease->state = LEASE_HELD;
        if (lease->is_pause) {
            freezer->is_paused = true; /* before the release, which would thaw */
            release(lease, freezer, LEASE_NONE);
        }
        return 1;
    }
    if (now_ns >= lease->begun_ns + lease->limit_ns) {
        release(lease, freezer, LEASE_NONE);
        return fail(err, ERR_TIMEOUT, "the container did not stand still in time");
    }
    if (now_ns < lease->retry_ns)
        return 0;
    if (freezer->kind == FREEZER_V1)
        freezer_set(freezer, true);
    lease->retry_ns = now_ns + lease->interval_ns;
    if (lease->interval_ns < LOOK_MAX_NS)
        lease->interval_ns *= 2;
    return 0;
}

static void release(struct lease *lease, struct freezer *freezer, enum lease_state next)
{
    lease->state = next;
    freezer->holder_count--;
    if (freezer->holder_count == 0 && !freezer->is_paused)
        freezer_set(freezer, false);
}

/* Fails only when the cgroup is gone, and with it whatever could be frozen. */
static void freezer_set(const struct freezer *freezer, bool is_frozen)
{
    const char *text = is_frozen ? "1" : "0";

    if (freezer->kind == FREEZER_NONE)
        return;
    if (freezer->kind == FREEZER_V1)
        text = is_frozen ? "FROZEN" : "THAWED";
    ssize_t put = pwrite(freezer->control_fd, text, strlen(text), 0);
    (void)put; /* see above */
}
