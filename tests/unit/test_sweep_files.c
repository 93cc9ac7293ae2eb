/* SPDX-License-Identifier: Apache-2.0 */
/* Taking files back, cut off at every call: the volume has all of them, or is as it was. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/file/file_restore.h"
#include "core/volume/lineage.h"
#include "lib/sweep.h"

/* "two" in f is to become "one" again; d/g comes back with its directory; of e, what is new goes.
 */
static void damage(struct storage *s)
{
    struct volume volume;
    struct snapshot snapshot;
    const struct snapshot_spec spec = { .name = "s2" };

    CHECK_OK(volume_get(&s->task, "data", &volume, &s->err), &s->err);
    WORLD_RUN(
        "cd %s && printf one > f && mkdir -p d/deep e && printf g > d/deep/g && printf h > e/h"
        " && chmod 751 d/deep",
        volume_path(&s->task, &volume));
    CHECK_OK(snapshot_create(&s->task, "data", &spec, &snapshot, &s->err), &s->err);
    WORLD_RUN("cd %s && printf two > f && rm -r d && printf new > e/new && rm e/h",
              volume_path(&s->task, &volume));
}

static int act_restore(struct storage *s)
{
    static const char *const paths[] = { "f", "d/deep/g", "e", NULL };
    const struct file_restore_spec spec = {
        .volume = "data",
        .snapshot = "s2",
        .paths = paths,
        .is_replace = true,
    };
    struct file_restored *list = NULL;
    size_t count = 0;

    return file_restore(&s->task, &spec, &list, &count, &s->err);
}

static void check_restore(struct storage *s, bool is_whole)
{
    struct volume volume;
    struct lineage lineage = { 0 };
    bool is_noted = false;

    CHECK_OK(volume_get(&s->task, "data", &volume, &s->err), &s->err);
    CHECK_OK(lineage_get(&s->task, "data", NULL, &lineage, &s->err), &s->err);
    for (size_t i = 0; i < lineage.count; i++)
        is_noted = is_noted || strcmp(lineage.edges[i].relation, "restored") == 0;
    CHECK(is_noted || !is_whole);
    const char *path = volume_path(&s->task, &volume);
    /* Cut off between the end of the staging directory and the commit, it is done and not noted. */
    bool is_back = is_noted || access(arena_printf(s->task.mem, "%s/d", path), F_OK) == 0;
    if (is_back)
        WORLD_RUN("cd %s && test \"$(cat f d/deep/g e/h)\" = onegh && test ! -e e/new &&"
                  " test $(stat -c %%a d/deep) = 751",
                  volume_path(&s->task, &volume));
    else
        WORLD_RUN("cd %s && test \"$(cat f e/new)\" = twonew && test ! -e d && test ! -e e/h",
                  volume_path(&s->task, &volume));
    WORLD_RUN("test -z \"$(find %s -name '.volumed*')\"", volume_path(&s->task, &volume));
}

static const struct scenario scenarios[] = {
    { "file.restore", damage, act_restore, check_restore },
};

TEST(files_on_btrfs_are_taken_back_or_not_wherever_the_process_dies)
{
    CHECK(sweep("btrfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(files_on_btrfs_are_taken_back_or_not_whichever_call_fails)
{
    CHECK(sweep("btrfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(files_on_xfs_are_taken_back_or_not_wherever_the_process_dies)
{
    CHECK(sweep("xfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(files_on_xfs_are_taken_back_or_not_whichever_call_fails)
{
    CHECK(sweep("xfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(files_on_ext4_are_taken_back_or_not_wherever_the_process_dies)
{
    CHECK(sweep("ext4", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(files_on_ext4_are_taken_back_or_not_whichever_call_fails)
{
    CHECK(sweep("ext4", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}
