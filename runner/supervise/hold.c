/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holding control groups of others still: a process of its own for the time of one fence, so that
 * no death of who asked leaves anything frozen.  It speaks the freezing part of ctl.sock's language
 * on descriptor 3: "freeze MS", "thaw", and "release" for what another holder left; the end of the
 * connection thaws too, and so does the deadline.  Several groups are one thing here: all stand
 * still, or none.
 *
 * Descriptor 4, if it is an empty file, gets the groups that are about to be frozen, and is empty
 * again when they are thawed: whoever finds it when we were killed can thaw them.
 *
 * In the loop nothing is allocated and no process made.
 */
#include "runner/supervise/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/sys.h"
#include "runner/supervise/freeze.h"

#define HOLD_FD   3
#define NOTE_FD   4
#define LINE_SIZE 128
#define NS_PER_MS 1000000
#define IDLE_MS   60000 /* for the first request; then something is wrong with who asked */

struct hold {
    const char *const *paths;
    struct freezer *freezers;
    struct lease *leases;
    bool *is_others; /* paused already: its owner's to thaw */
    size_t count;
    bool is_held;
    bool has_note;
    bool is_noted;
};

static void hold_main(struct hold *hold) __attribute__((noreturn));
static int open_all(struct hold *hold, const char *const *paths, size_t count, struct error *err);
static bool is_note(void);
static bool serve_once(struct hold *hold);
static void detach(void);
static bool take_request(struct hold *hold);
static void answer_freeze(struct hold *hold, int64_t limit_ms);
static int freeze_all(struct hold *hold, int64_t limit_ms, struct error *err);
static int write_note(struct hold *hold, struct error *err);
static void clear_note(struct hold *hold);
static int look(struct hold *hold, struct error *err);
static void wait_frozen(int64_t until_ns);
static void answer_thaw(struct hold *hold);
static void answer_release(struct hold *hold);
static void drop_all(struct hold *hold);
static int64_t due_ns(const struct hold *hold);
static void answer(const char *text);
static void answer_error(const struct error *err);

int hold_run(const char *const *paths, size_t count, struct error *err)
{
    struct hold hold = { .paths = paths, .has_note = is_note() };

    if (fcntl(HOLD_FD, F_GETFD) < 0)
        return fail(err, ERR_INVALID, "hold wants a connection as descriptor %d", HOLD_FD);
    if (open_all(&hold, paths, count, err) < 0)
        return -1;
    pid_t pid = fork();
    if (pid < 0)
        return fail_sys(err, -errno, "cannot fork the holder");
    if (pid == 0)
        hold_main(&hold);
    return 0; /* the descriptors are closed by our end */
}

static bool is_note(void)
{
    struct stat st;

    return fstat(NOTE_FD, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

static int open_all(struct hold *hold, const char *const *paths, size_t count, struct error *err)
{
    hold->freezers = mem_alloc(count * sizeof(*hold->freezers));
    hold->leases = mem_alloc(count * sizeof(*hold->leases));
    hold->is_others = mem_alloc(count * sizeof(*hold->is_others));
    memset(hold->leases, 0, count * sizeof(*hold->leases));
    for (size_t i = 0; i < count; i++) {
        cleanup_fd int fd = sys_openat(AT_FDCWD, paths[i], O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
            return fail_sys(err, fd, "cannot open group '%s'", paths[i]);
        bool is_v1 = faccessat(fd, "freezer.state", F_OK, 0) == 0;
        if (freezer_open(&hold->freezers[i], is_v1 ? FREEZER_V1 : FREEZER_V2, fd, err) < 0)
            return error_prefix(err, "group '%s'", paths[i]);
        hold->count++;
    }
    return 0;
}

static void hold_main(struct hold *hold)
{
    detach();
    while (serve_once(hold)) {
        for (size_t i = 0; i < hold->count; i++) {
            struct error ignored; /* told to the next "thaw" */
            (void)lease_poll(&hold->leases[i], &hold->freezers[i], clock_mono_ns(), &ignored);
        }
        clear_note(hold);
    }
    drop_all(hold);
    _exit(0);
}

/* Waits for a request, or until a lease is due.  False when there is nothing left to wait for. */
static bool serve_once(struct hold *hold)
{
    struct pollfd request = { .fd = HOLD_FD, .events = POLLIN };
    int64_t due = due_ns(hold);
    int64_t left_ms = due == INT64_MAX ? IDLE_MS : (due - clock_mono_ns()) / NS_PER_MS + 1;
    int ready = poll(&request, 1, left_ms < 0 ? 0 : (int)left_ms);

    if (ready > 0)
        return take_request(hold);
    return ready < 0 ? errno == EINTR : due != INT64_MAX;
}

/* Not to be killed by the end of a terminal or a lack of memory while others stand still. */
static void detach(void)
{
    static const char score[] = "-900";
    sigset_t all;
    cleanup_fd int null_fd = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
    cleanup_fd int score_fd = sys_openat(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY, 0);

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL); /* cannot fail */
    (void)prctl(PR_SET_NAME, "hold", 0, 0, 0);
    (void)setsid(); /* fails only for a leader */
    for (int fd = 0; null_fd >= 0 && fd < HOLD_FD; fd++)
        (void)dup2(null_fd, fd);
    if (score_fd >= 0) /* who may not, goes without */
        (void)sys_write_all(score_fd, score, sizeof(score) - 1);
}

/* False at the end of the connection.  A line is short and comes at once. */
static bool take_request(struct hold *hold)
{
    char line[LINE_SIZE];
    ssize_t size = sys_read(HOLD_FD, line, sizeof(line) - 1);

    if (size <= 0)
        return false;
    line[size] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "freeze ", 7) == 0)
        answer_freeze(hold, strtoll(line + 7, NULL, 10));
    else if (strcmp(line, "thaw") == 0)
        answer_thaw(hold);
    else if (strcmp(line, "release") == 0)
        answer_release(hold);
    else
        answer("error invalid unknown request\n");
    return true;
}

static void answer_freeze(struct hold *hold, int64_t limit_ms)
{
    char text[LINE_SIZE];
    struct error err;
    int64_t begun_ns = clock_mono_ns();

    if (freeze_all(hold, limit_ms, &err) < 0) {
        drop_all(hold);
        answer_error(&err);
        return;
    }
    hold->is_held = true;
    (void)snprintf(text, sizeof(text), "ok %lld\n", (long long)(clock_mono_ns() - begun_ns));
    answer(text);
}

static int freeze_all(struct hold *hold, int64_t limit_ms, struct error *err)
{
    int64_t until_ns = clock_mono_ns() + limit_ms * NS_PER_MS;

    if (write_note(hold, err) < 0)
        return -1;
    for (size_t i = 0; i < hold->count; i++)
        if (!hold->is_others[i] &&
            lease_begin(&hold->leases[i], &hold->freezers[i], limit_ms, false, err) < 0)
            return -1;
    for (;;) {
        int left = look(hold, err);
        if (left <= 0)
            return left;
        if (clock_mono_ns() > until_ns)
            return fail(err, ERR_TIMEOUT, "the group did not stand still in time");
        wait_frozen(due_ns(hold));
    }
}

/* Before anything is frozen. */
static int write_note(struct hold *hold, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; i < hold->count && rc >= 0; i++) {
        hold->is_others[i] = freezer_is_frozen(&hold->freezers[i]);
        if (!hold->has_note || hold->is_others[i])
            continue;
        hold->is_noted = true;
        rc = sys_write_all(NOTE_FD, hold->paths[i], strlen(hold->paths[i]));
        if (rc >= 0)
            rc = sys_write_all(NOTE_FD, "\n", 1);
    }
    return rc < 0 ? fail_sys(err, rc, "cannot note what is to be frozen") : 0;
}

/* When nothing stands still because of us any more. */
static void clear_note(struct hold *hold)
{
    for (size_t i = 0; i < hold->count; i++)
        if (hold->leases[i].state == LEASE_FREEZING || hold->leases[i].state == LEASE_HELD)
            return;
    if (hold->is_noted && sys_ftruncate(NOTE_FD, 0) >= 0)
        hold->is_noted = false;
}

/* How many are not still yet. */
static int look(struct hold *hold, struct error *err)
{
    int left = 0;

    for (size_t i = 0; i < hold->count; i++) {
        if (hold->leases[i].state != LEASE_FREEZING)
            continue;
        int rc = lease_poll(&hold->leases[i], &hold->freezers[i], clock_mono_ns(), err);
        if (rc < 0)
            return -1;
        left += rc == 0;
    }
    return left;
}

static void wait_frozen(int64_t until_ns)
{
    struct timespec pause = { .tv_nsec = 50000 };

    int64_t left_ns = until_ns - clock_mono_ns();
    if (left_ns > 0 && left_ns < 5 * (int64_t)NS_PER_MS)
        pause.tv_nsec = (long)left_ns;
    (void)nanosleep(&pause, NULL); /* cut short: one more look */
}

static void answer_thaw(struct hold *hold)
{
    char text[LINE_SIZE];
    struct error err = { 0 };
    int64_t longest_ns = 0;
    int rc = hold->is_held ? 0 : fail(&err, ERR_CONFLICT, "nothing was frozen");

    for (size_t i = 0; i < hold->count; i++) {
        struct error failure;
        int64_t held_ns = 0;
        if (hold->leases[i].state == LEASE_NONE)
            continue;
        if (lease_end(&hold->leases[i], &hold->freezers[i], &held_ns, &failure) < 0 && rc == 0) {
            rc = -1;
            err = failure;
        }
        longest_ns = held_ns > longest_ns ? held_ns : longest_ns;
    }
    hold->is_held = false;
    clear_note(hold);
    (void)snprintf(text, sizeof(text), "ok %lld\n", (long long)longest_ns);
    if (rc < 0)
        answer_error(&err);
    else
        answer(text);
}

/* Whoever froze them: for when another holder died. */
static void answer_release(struct hold *hold)
{
    drop_all(hold);
    for (size_t i = 0; i < hold->count; i++)
        freezer_resume(&hold->freezers[i]);
    answer("ok\n");
}

static void drop_all(struct hold *hold)
{
    for (size_t i = 0; i < hold->count; i++)
        lease_drop(&hold->leases[i], &hold->freezers[i]);
    hold->is_held = false;
    clear_note(hold);
}

static int64_t due_ns(const struct hold *hold)
{
    int64_t due = INT64_MAX;

    for (size_t i = 0; i < hold->count; i++) {
        int64_t own = lease_due_ns(&hold->leases[i]);
        due = own < due ? own : due;
    }
    return due;
}

/* To nobody, if who asked is gone: the next read tells. */
static void answer(const char *text)
{
    (void)sys_write_all(HOLD_FD, text, strlen(text));
}

static void answer_error(const struct error *err)
{
    char text[ERROR_MESSAGE_MAX + 64];

    (void)snprintf(text, sizeof(text), "error %s %s\n", error_code_name(err->code), err->message);
    answer(text);
}
