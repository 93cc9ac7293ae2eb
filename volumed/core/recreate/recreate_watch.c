/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probation.  A container with a health check must become healthy, one with a probe must pass
 * it; one with neither must run until the end.  Any that exits, is restarted by its policy, turns
 * unhealthy or is removed ends it.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "core/box/box_control.h"
#include "core/container/container.h"
#include "core/container/exec.h"
#include "core/recreate/recreate_run.h"
#include "store/recreation.h"

#define LOOK_MS         100
#define PROBE_MS        1000
#define PROBE_LIMIT_MS  10000
#define PROBE_BYTES_MAX 4096

#define WATCH_ON 2 /* neither verdict yet */

/* What is remembered from look to look. */
struct watching {
    bool has_passed; /* the probe, once */
    int64_t probed_ms;
};

/* What is known of a member. */
enum standing {
    STANDING_OPEN,   /* it runs, and its check or probe has not passed yet */
    STANDING_RUNS,   /* it runs, and nothing else can be asked */
    STANDING_PROVEN, /* its check, its probe have passed */
};

static bool is_probation_needed(const struct recreation *recreation);
static int judge(struct recreate_run *run, struct watching *watching, struct error *err);
static int look(struct recreate_run *run, bool has_passed, enum standing *worst, struct error *err);
static int look_at(struct recreate_run *run, const struct recreation_member *member,
                   enum standing *standing, struct error *err);
static int judge_health(struct recreate_run *run, const struct container *container,
                        enum standing *standing, struct error *err);
static void probe(struct recreate_run *run, bool *has_passed);
static int read_decision(struct recreate_run *run, struct error *err);
static int at_deadline(const struct recreate_run *run, enum standing worst, struct error *err);
static int prove(struct recreate_run *run, struct error *err);

int recreate_watch(struct recreate_run *run, struct error *err)
{
    struct watching watching = { 0 };
    int verdict = WATCH_ON;

    if (run->plan.probation_ms == 0 || !is_probation_needed(run->recreation))
        return 1;
    while (verdict == WATCH_ON) {
        struct pollfd pollfd = { .fd = run->stop_fd, .events = POLLIN };
        if (poll(&pollfd, 1, LOOK_MS) > 0)
            return 0;
        verdict = judge(run, &watching, err);
    }
    return verdict < 0 ? -1 : prove(run, err);
}

/* 1 commit, -1 undo, WATCH_ON neither. */
static int judge(struct recreate_run *run, struct watching *watching, struct error *err)
{
    enum standing worst = STANDING_PROVEN;

    if (look(run, watching->has_passed, &worst, err) < 0)
        return -1;
    int decision = read_decision(run, err);
    if (decision != 0)
        return decision;
    if (run->plan.probation_ms != PROBATION_MANUAL && worst == STANDING_PROVEN)
        return 1;
    if (clock_now_ms() >= run->recreation->deadline_ms)
        return at_deadline(run, worst, err);
    if (run->plan.probe != NULL && !watching->has_passed &&
        clock_now_ms() - watching->probed_ms >= PROBE_MS) {
        watching->probed_ms = clock_now_ms();
        probe(run, &watching->has_passed);
    }
    return WATCH_ON;
}

static bool is_probation_needed(const struct recreation *recreation)
{
    for (size_t i = 0; i < recreation->count; i++)
        if (recreation->members[i].was_running)
            return true;
    return false;
}

static int look(struct recreate_run *run, bool has_passed, enum standing *worst, struct error *err)
{
    for (size_t i = 0; i < run->recreation->count; i++) {
        enum standing standing = run->plan.probe == NULL ? STANDING_RUNS
                                 : has_passed            ? STANDING_PROVEN
                                                         : STANDING_OPEN;
        if (!run->recreation->members[i].was_running)
            continue;
        if (look_at(run, &run->recreation->members[i], &standing, err) < 0)
            return -1;
        if (standing < *worst)
            *worst = standing;
    }
    return 0;
}

static int look_at(struct recreate_run *run, const struct recreation_member *member,
                   enum standing *standing, struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(run->task, member->new_id, &container, err) < 0)
        return error_prefix(err, "the new container %s is gone", member->name);
    if (container.restart_count > 0)
        return fail(err, ERR_CONFLICT, "the new container %s exited and was started again",
                    member->name);
    if (!container_is_live(&container) && strcmp(container.state, "starting") != 0)
        return fail(err, ERR_CONFLICT, "the new container %s exited with status %d", member->name,
                    container.exit_code);
    return judge_health(run, &container, standing, err);
}

static int judge_health(struct recreate_run *run, const struct container *container,
                        enum standing *standing, struct error *err)
{
    struct error ignored;
    const char *status = "none";

    if (container->health[0] == '\0')
        return 0;
    cleanup_json json_t *health = json_read(container->health, strlen(container->health), &ignored);
    if (json_get_text(health, "Status", run->task->mem, &status, &ignored) < 0 ||
        strcmp(status, "none") == 0)
        return 0;
    if (strcmp(status, "unhealthy") == 0)
        return fail(err, ERR_CONFLICT, "the new container %s is unhealthy", container->name);
    bool is_healthy = strcmp(status, "healthy") == 0;
    if (!is_healthy)
        *standing = STANDING_OPEN;
    else if (*standing == STANDING_RUNS)
        *standing = STANDING_PROVEN;
    return 0;
}

/* In every new container; passed when it has in all. */
static void probe(struct recreate_run *run, bool *has_passed)
{
    const char *const argv[] = { "/bin/sh", "-c", run->plan.probe, NULL };
    const struct exec_run_spec spec = {
        .argv = argv,
        .timeout_ms = PROBE_LIMIT_MS,
        .max_bytes = PROBE_BYTES_MAX,
        .cancel_fd = run->stop_fd,
    };

    for (size_t i = 0; i < run->recreation->count; i++) {
        struct exec_result result = { .exit_code = -1 };
        struct error ignored; /* not yet */
        if (exec_run(run->task, run->recreation->members[i].new_id, &spec, &result, &ignored) < 0 ||
            result.exit_code != 0)
            return;
    }
    *has_passed = true;
}

/* 1 commit, -1 undo, 0 nobody has decided. */
static int read_decision(struct recreate_run *run, struct error *err)
{
    struct recreation now;
    int found =
        store_recreation_find(run->task->db, run->task->mem, run->recreation->id, &now, err);

    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "the recreation's row is gone");
    if (strcmp(now.decision, "commit") == 0)
        return 1;
    return strcmp(now.decision, "undo") == 0 ? fail(err, ERR_CONFLICT, "it was asked for") : 0;
}

static int at_deadline(const struct recreate_run *run, enum standing worst, struct error *err)
{
    if (worst != STANDING_OPEN)
        return 1;
    return fail(err, ERR_TIMEOUT, "the new containers were not %s within %lld s",
                run->plan.probe != NULL ? "healthy, or did not pass the probe," : "healthy",
                (long long)run->plan.probation_ms / 1000);
}

/* Rows may lag behind (a disk that was full for a moment): before the verdict supervisors are
 * asked.
 */
static int prove(struct recreate_run *run, struct error *err)
{
    for (size_t i = 0; i < run->recreation->count; i++) {
        const struct recreation_member *member = &run->recreation->members[i];
        const char *status = "";
        if (!member->was_running)
            continue;
        if (box_ask(run->task, member->new_id, "status", &status, err) < 0)
            return error_prefix(err, "the new container %s does not run", member->name);
        if (strncmp(status, "running", 7) != 0 && strncmp(status, "paused", 6) != 0)
            return fail(err, ERR_CONFLICT, "the new container %s has ended", member->name);
    }
    return 1;
}
