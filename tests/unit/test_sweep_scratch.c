/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole failure space (lib/sweep.h) of what is done to a container that does not run: scratches
 * promoted, volumes attached and detached, and the access of a volume.
 */
#include <errno.h>

#include "core/attachment/attachment.h"
#include "core/attachment/attachment_hot.h"
#include "core/attachment/lease.h"
#include "core/attachment/scratch_promote.h"
#include "core/box/box.h"
#include "lib/sweep.h"

#define ID "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static void make_container(struct storage *s)
{
    CHECK_OK(box_make(&s->task, ID, &s->err), &s->err);
    CHECK(
        db_exec(s->task.db,
                "INSERT INTO container (id, name, image_id, image_name, state, config,"
                " host_config, path, created_ns) VALUES (?, 'box', 'i', 'i', 'exited', '{}', '{}',"
                " 'p', 1)",
                ARGS(TEXT(ID)), &s->err) == 1);
}

static int attach_scratch(struct storage *s)
{
    const struct attachment wanted = { .volume_name = "data",
                                       .destination = "/scratch",
                                       .is_scratch = true };
    struct attachment attached;

    return attachment_attach(&s->task, ID, &wanted, &attached, &s->err);
}

static struct attachment *find_scratch(struct storage *s)
{
    struct attachment *list = NULL;
    size_t count = 0;

    CHECK_OK(attachment_list(&s->task, ID, &list, &count, &s->err), &s->err);
    CHECK(count <= 1);
    return count == 1 ? list : NULL;
}

static int snapshot_count(struct storage *s)
{
    struct snapshot *list = NULL;

    return snapshot_list(&s->task, "data", &list, &s->err);
}

/* With contents: one file changed, one new, one gone, and all times of long ago. */
static void make_scratch(struct storage *s)
{
    struct attachment_mount *mounts = NULL;
    struct volume volume;
    size_t count = 0;

    make_container(s);
    CHECK_OK(volume_get(&s->task, "data", &volume, &s->err), &s->err);
    WORLD_RUN("printf gone > %s/gone", volume_path(&s->task, &volume));
    CHECK_OK(attach_scratch(s), &s->err);
    CHECK_OK(attachment_open(&s->task, ID, &mounts, &count, &s->err), &s->err);
    CHECK(count == 1);
    WORLD_RUN("cd %s && printf mine > f && mkdir -m 2750 d && printf new > d/n && ln d/n d/m &&"
              " chown 5:6 d && mknod gone c 0 0 && touch -d 2001-01-01 f d",
              mounts[0].scratch.upper);
    attachment_close(mounts, count);
}

static int act_promote(struct storage *s)
{
    struct volume volume;

    return scratch_promote(&s->task, "box", "/scratch", "made", &volume, &s->err);
}

static void check_promote(struct storage *s, bool is_whole)
{
    struct volume volume;

    storage_check_text(s, "data", "two");
    CHECK(find_scratch(s) != NULL);
    sweep_check_snapshot(s, find_scratch(s)->snapshot, "two");
    if (volume_get(&s->task, "made", &volume, &s->err) < 0) {
        CHECK(!is_whole);
        return;
    }
    storage_check_text(s, "made", "mine");
    WORLD_RUN(
        "cd %s && test \"$(stat -c '%%a %%u:%%g %%Y' d)\" = \"2750 5:6 $(date -d 2001-01-01 +%%s)\" &&"
        " test d/n -ef d/m && test ! -e gone && test $(cat d/m) = new",
        volume_path(&s->task, &volume));
}

static int act_attach(struct storage *s)
{
    return attach_scratch(s);
}

static void check_attach(struct storage *s, bool is_whole)
{
    const struct attachment *scratch = find_scratch(s);

    CHECK(scratch != NULL || !is_whole);
    CHECK_INT(snapshot_count(s), scratch != NULL ? 2 : 1);
    if (scratch != NULL)
        sweep_check_snapshot(s, scratch->snapshot, "two");
}

static int act_detach(struct storage *s)
{
    struct attachment detached;

    return attachment_detach(&s->task, "box", "/scratch", false, &detached, &s->err);
}

static void check_detach(struct storage *s, bool is_whole)
{
    CHECK(find_scratch(s) == NULL || !is_whole);
    CHECK_INT(snapshot_count(s), find_scratch(s) != NULL ? 2 : 1);
    storage_check_text(s, "data", "two");
}

static int act_access(struct storage *s)
{
    return volume_set_access(&s->task, "data", "single-writer", "none", &s->err);
}

static void check_access(struct storage *s, bool is_whole)
{
    struct volume_rule rule;
    struct lease *list = NULL;
    size_t count = 0;

    CHECK_OK(lease_list(&s->task, "data", &rule, &list, &count, &s->err), &s->err);
    CHECK(rule.access == VOLUME_SINGLE_WRITER || !is_whole);
    CHECK((rule.access == VOLUME_SINGLE_WRITER) == (rule.succession == SUCCESSION_NONE));
}

static const struct scenario scenarios[] = {
    { "scratch.promote", make_scratch, act_promote, check_promote },
    { "attach.hot of a scratch", make_container, act_attach, check_attach },
    { "detach.hot of a scratch", make_scratch, act_detach, check_detach },
    { "volume.access", NULL, act_access, check_access },
};

static void sweep_on(const char *filesystem, int rc)
{
    CHECK(sweep(filesystem, rc, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(scratches_on_btrfs_are_whole_or_absent_wherever_the_process_dies)
{
    sweep_on("btrfs", FAULT_CRASH);
}

TEST(scratches_on_btrfs_are_whole_or_absent_whichever_call_fails)
{
    sweep_on("btrfs", -EIO);
}

TEST(scratches_on_xfs_are_whole_or_absent_wherever_the_process_dies)
{
    sweep_on("xfs", FAULT_CRASH);
}

TEST(scratches_on_xfs_are_whole_or_absent_whichever_call_fails)
{
    sweep_on("xfs", -EIO);
}
