/* SPDX-License-Identifier: Apache-2.0 */
/* Leases and the pause, on files that stand for a cgroup's. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/sys.h"
#include "lib/test.h"
#include "runner/supervise/freeze.h"

static char directory[] = "/tmp/test-freeze.XXXXXX";
static int dirfd;
static struct freezer freezer;
static struct error err;

static void remove_directory(void)
{
    (void)fs_remove_tree(AT_FDCWD, directory, &err);
}

static void set_file(const char *name, const char *text)
{
    cleanup_fd int fd = sys_openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK_INT(sys_write_all(fd, text, strlen(text)), 0);
}

static void begin(enum freezer_kind kind)
{
    CHECK(mkdtemp(directory) != NULL);
    CHECK_INT(atexit(remove_directory), 0);
    dirfd = sys_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
    set_file("freezer.state", "THAWED\n");
    set_file("cgroup.freeze", "0\n");
    set_file("cgroup.events", "populated 1\nfrozen 0\n");
    CHECK_OK(freezer_open(&freezer, kind, dirfd, &err), &err);
}

/* What the freezer was last told: the files keep the first character of it. */
static char told(const char *name)
{
    char text[8] = "";
    cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY, 0);

    CHECK(sys_read(fd, text, sizeof(text)) > 0);
    return text[0];
}

/* v1's file says what was written to it, as if the freezing were over at once. */
static void freeze_now(struct lease *lease, int64_t limit_ms)
{
    CHECK_OK(lease_begin(lease, &freezer, limit_ms, false, &err), &err);
    CHECK_INT(lease_poll(lease, &freezer, clock_mono_ns(), &err), 1);
}

TEST(a_lease_freezes_and_its_end_thaws)
{
    struct lease lease = { 0 };
    int64_t held_ns = -1;

    begin(FREEZER_V1);
    freeze_now(&lease, 1000);
    CHECK_INT(told("freezer.state"), 'F');
    CHECK_OK(lease_end(&lease, &freezer, &held_ns, &err), &err);
    CHECK(held_ns >= 0);
    CHECK_INT(told("freezer.state"), 'T');
    CHECK_FAILS(lease_end(&lease, &freezer, &held_ns, &err), &err, ERR_CONFLICT);
}

TEST(the_last_of_several_leases_thaws)
{
    struct lease one = { 0 };
    struct lease two = { 0 };

    begin(FREEZER_V1);
    freeze_now(&one, 1000);
    freeze_now(&two, 1000);
    lease_drop(&one, &freezer);
    lease_drop(&one, &freezer);
    CHECK_INT(told("freezer.state"), 'F');
    lease_drop(&two, &freezer);
    CHECK_INT(told("freezer.state"), 'T');
    CHECK_INT(freezer.holder_count, 0);
}

TEST(a_lease_expires_at_its_deadline_and_says_so_once)
{
    struct lease lease = { 0 };
    int64_t held_ns = 0;

    begin(FREEZER_V1);
    freeze_now(&lease, 50);
    int64_t due_ns = lease_due_ns(&lease);
    CHECK_INT(lease_poll(&lease, &freezer, due_ns - 1, &err), 0);
    CHECK_INT(told("freezer.state"), 'F');
    CHECK_INT(lease_poll(&lease, &freezer, due_ns, &err), 0);
    CHECK_INT(told("freezer.state"), 'T');
    CHECK(lease_due_ns(&lease) == INT64_MAX);
    CHECK_FAILS(lease_end(&lease, &freezer, &held_ns, &err), &err, ERR_TIMEOUT);
    CHECK_FAILS(lease_end(&lease, &freezer, &held_ns, &err), &err, ERR_CONFLICT);
}

TEST(a_freezing_that_takes_too_long_is_undone)
{
    struct lease lease = { 0 };

    begin(FREEZER_V2); /* nobody sets "frozen 1" here */
    CHECK_OK(lease_begin(&lease, &freezer, 10, false, &err), &err);
    CHECK_INT(told("cgroup.freeze"), '1');
    int64_t begun_ns = lease.begun_ns;
    CHECK_INT(lease_poll(&lease, &freezer, begun_ns + 1, &err), 0);
    CHECK(lease_due_ns(&lease) > begun_ns);
    CHECK_FAILS(lease_poll(&lease, &freezer, begun_ns + 10000000, &err), &err, ERR_TIMEOUT);
    CHECK_INT(told("cgroup.freeze"), '0');
    CHECK_INT(lease.state, LEASE_NONE);
}

TEST(v2_is_frozen_when_its_events_say_so)
{
    struct lease lease = { 0 };

    begin(FREEZER_V2);
    CHECK_OK(lease_begin(&lease, &freezer, 1000, false, &err), &err);
    CHECK_INT(lease_poll(&lease, &freezer, clock_mono_ns(), &err), 0);
    set_file("cgroup.events", "populated 1\nfrozen 1\n");
    CHECK_INT(lease_poll(&lease, &freezer, clock_mono_ns(), &err), 1);
    CHECK_INT(lease.state, LEASE_HELD);
}

TEST(a_pause_holds_no_lease_and_survives_those_of_others)
{
    struct lease pause = { 0 };
    struct lease lease = { 0 };

    begin(FREEZER_V1);
    CHECK_OK(lease_begin(&pause, &freezer, 1000, true, &err), &err);
    CHECK_INT(lease_poll(&pause, &freezer, clock_mono_ns(), &err), 1);
    CHECK_INT(pause.state, LEASE_NONE);
    freeze_now(&lease, 1000);
    lease_drop(&lease, &freezer);
    CHECK_INT(told("freezer.state"), 'F');
    freeze_now(&lease, 1000);
    freezer_resume(&freezer);
    CHECK_INT(told("freezer.state"), 'F');
    lease_drop(&lease, &freezer);
    CHECK_INT(told("freezer.state"), 'T');
}

TEST(without_a_freezer_there_are_no_leases)
{
    struct lease lease = { 0 };

    begin(FREEZER_NONE);
    CHECK_FAILS(lease_begin(&lease, &freezer, 10, false, &err), &err, ERR_UNSUPPORTED);
    CHECK(!freezer_is_frozen(&freezer));
    freezer_resume(&freezer);
}
