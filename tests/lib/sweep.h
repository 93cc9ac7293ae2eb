/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep's engine: each verb is run again and again in a child of its own, where first the
 * first, then the second, … system call that changes something fails, or the process dies in its
 * place.  Then the state directory is opened anew, operations are resumed, disk is held against
 * rows, and what is found must be whole or absent, with nothing left over.
 *
 * Every round of sweep() begins with a volume 'data' (now "two", its snapshot 's1' "one") and an
 * empty volume 'empty'.
 */
#ifndef LIB_SWEEP_H
#define LIB_SWEEP_H

#include <fcntl.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/operation/op.h"
#include "core/reconcile/reconcile.h"
#include "core/volume/volume_data.h"
#include "lib/storage.h"

#define NTH_MAX     1000
#define EXIT_FAILED 1
#define EXIT_FIRED  2

/* 1: every call; more: a sample. */
static int sweep_step = 1;

struct scenario {
    const char *name;

    /* More than every round begins with; may be NULL. */
    void (*before)(struct storage *s);
    int (*act)(struct storage *s);

    /* is_whole: the verb said that it succeeded, so the state must be the new one. */
    void (*check)(struct storage *s, bool is_whole);
};

static inline bool sweep_has_volume(struct storage *s, const char *name)
{
    struct volume volume;

    return volume_get(&s->task, name, &volume, &s->err) == 0;
}

static inline void sweep_check_snapshot(struct storage *s, const char *name, const char *text)
{
    struct snapshot snapshot;

    const struct driver_pool *pool = NULL;
    char held[16] = "";

    CHECK_OK(snapshot_get(&s->task, "data", name, &snapshot, &s->err), &s->err);
    CHECK_OK(pool_open(&s->task, snapshot.pool_id, &pool, &s->err), &s->err);
    cleanup_fd int fd = snapshot_data_open(pool, &snapshot, &s->err);
    ck_assert_msg(fd >= 0, "%s", s->err.message);
    cleanup_fd int file = openat(fd, "f", O_RDONLY | O_CLOEXEC);
    CHECK(file >= 0 && read(file, held, sizeof(held) - 1) >= 0);
    CHECK_STR(held, text);
}

static inline void sweep_set_up(struct storage *s, const struct scenario *scenario)
{
    const struct snapshot_spec spec = { .name = "s1" };
    struct snapshot snapshot;

    /* Neither sealed subvolumes nor views are a matter for rm. */
    WORLD_RUN("awk '$4 == \"/\" && / - overlay / { print $5 }' /proc/self/mountinfo |"
              " grep '^" WORLD_DIR "/' | xargs -r -n1 umount 2> /dev/null || true");
    WORLD_RUN("for d in " STATE "/pools/default/snapshots/*; do"
              " btrfs property set $d ro false > /dev/null 2>&1 || true; done");
    WORLD_RUN("rm -rf " WORLD_DIR "/* && mkdir -p " WORLD "/image/d && printf x > " WORLD
              "/image/d/f && ln -f " WORLD "/image/d/f " WORLD "/image/g");
    ck_assert_msg(storage_open(s), "%s", s->err.message);
    struct volume volume = storage_volume(s, "data", "one");
    CHECK_OK(snapshot_create(&s->task, "data", &spec, &snapshot, &s->err), &s->err);
    WORLD_RUN("printf two > %s/f", volume_path(&s->task, &volume));
    (void)storage_volume(s, "empty", NULL);
    if (scenario->before != NULL)
        scenario->before(s);
    storage_close(s);
}

/* In a child: the exit status tells how the verb ended and whether the fault was reached. */
static inline int sweep_run_child(const struct scenario *scenario, int nth, int rc)
{
    int status = 0;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct storage s;
        (void)freopen("/dev/null", "w", stderr);
        if (!storage_open(&s))
            _exit(99);
        fault_arm(nth, rc);
        int result = scenario->act(&s);
        _exit((result < 0 ? EXIT_FAILED : 0) | (fault_fired() ? EXIT_FIRED : 0));
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) != 99, "%s: child died (%x)",
                  scenario->name, (unsigned int)status);
    return WEXITSTATUS(status);
}

static inline void sweep_check_after(struct storage *s, const struct scenario *scenario, int nth,
                                     int status)
{
    struct findings findings = { 0 };

    log_set_level(LOG_ERROR); /* that operations are resumed is what we are here for */
    ck_assert_msg(storage_open(s), "%s", s->err.message);
    CHECK(op_resume_all(&s->task, &s->err) >= 0);
    CHECK_OK(reconcile(&s->task, true, &findings, &s->err), &s->err);
    CHECK_OK(reconcile(&s->task, false, &findings, &s->err), &s->err);
    ck_assert_msg(findings.count == 0, "%s, call %d: still %s %s", scenario->name, nth,
                  findings.items[0].kind, findings.items[0].object);
    scenario->check(s, (status & ~EXIT_FIRED) == 0);
    storage_close(s);
}

/* In the world that was entered.  Returns how many faults were reached. */
static inline int sweep_rounds(const char *title, int rc, const struct scenario *scenarios,
                               size_t count,
                               void (*set_up)(struct storage *s, const struct scenario *scenario))
{
    int seen = 0;

    for (size_t i = 0; i < count; i++) {
        int status = EXIT_FIRED;
        int nth = 0;
        while (status != 0 && nth < NTH_MAX) {
            struct storage s;
            set_up(&s, &scenarios[i]);
            nth += sweep_step;
            status = sweep_run_child(&scenarios[i], nth, rc);
            sweep_check_after(&s, &scenarios[i], nth, status);
            seen += status == FAULT_CRASH_STATUS || (status & EXIT_FIRED) != 0;
        }
        ck_assert_msg(status == 0, "%s never ended without a fault", scenarios[i].name);
    }
    printf("%s: %d %s seen\n", title, seen, rc == FAULT_CRASH ? "crashes" : "failures");
    return seen;
}

static inline int sweep(const char *filesystem, int rc, const struct scenario *scenarios,
                        size_t count)
{
    if (!world_enter(filesystem))
        return 0;
    return sweep_rounds(filesystem, rc, scenarios, count, sweep_set_up);
}

#endif
