/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes that are images, wherever the process dies or a call fails: made, grown at rest or not,
 * cut, rolled back and removed, whole or absent, held to what the row says, and with nothing of
 * theirs left mounted or on disk.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/sys.h"
#include "core/reconcile/reconcile.h"
#include "core/volume/volume_limit.h"
#include "lib/sweep.h"

#define POOL WORLD_DIR "/images"

static const char *size_of(struct storage *s, const char *name)
{
    struct volume volume;

    CHECK_OK(volume_get(&s->task, name, &volume, &s->err), &s->err);
    return pairs_get(&volume.options, "size");
}

static int create(struct storage *s, const char *name, const char *from, const char *size)
{
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    enum cost cost;
    bool is_new;

    spec.name = name;
    spec.pool = "images";
    spec.from_volume = from;
    if (size != NULL)
        pairs_set(&spec.options, s->task.mem, "size", size);
    return volume_create(&s->task, &spec, &volume, &is_new, &cost, &s->err);
}

static void make_pool(struct storage *s)
{
    struct pool pool;

    CHECK_OK(pool_create(&s->task, "images", POOL, "image", &pool, &s->err), &s->err);
}

/* A volume 'im' with "two", and its snapshot 's1' with "one". */
static void make_volume(struct storage *s)
{
    const struct snapshot_spec spec = { .name = "s1" };
    struct snapshot snapshot;
    struct volume volume;

    make_pool(s);
    CHECK_OK(create(s, "im", NULL, "16M"), &s->err);
    CHECK_OK(volume_get(&s->task, "im", &volume, &s->err), &s->err);
    WORLD_RUN("printf one > %s/f", volume_path(&s->task, &volume));
    CHECK_OK(snapshot_create(&s->task, "im", &spec, &snapshot, &s->err), &s->err);
    cleanup_fd int fd = volume_open(&s->task, &volume, &s->err);
    CHECK(fd >= 0);
    WORLD_RUN("printf two > %s/f", volume_path(&s->task, &volume));
}

/* The next round removes the directory, which nothing may be mounted in. */
static void unmount_all(void)
{
    WORLD_RUN("for m in " POOL "/*/*/view; do umount $m > /dev/null 2>&1 || true; done");
}

static int act_create(struct storage *s)
{
    return create(s, "new", NULL, "16M");
}

static void check_create(struct storage *s, bool is_whole)
{
    CHECK(sweep_has_volume(s, "new") || !is_whole);
    if (sweep_has_volume(s, "new"))
        CHECK_STR(size_of(s, "new"), "16M");
    unmount_all();
}

static void check_text(struct storage *s, const char *name, const char *text)
{
    struct volume volume;

    CHECK_OK(volume_get(&s->task, name, &volume, &s->err), &s->err);
    cleanup_fd int fd = volume_open(&s->task, &volume, &s->err);
    CHECK(fd >= 0);
    WORLD_RUN("test \"$(cat %s/f)\" = %s", volume_path(&s->task, &volume), text);
}

static int act_resize(struct storage *s)
{
    return volume_resize(&s->task, "im", "20M", NULL, &s->err);
}

static void check_resize(struct storage *s, bool is_whole)
{
    const char *size = size_of(s, "im");

    CHECK(strcmp(size, "20M") == 0 || (strcmp(size, "16M") == 0 && !is_whole));
    check_text(s, "im", "two");
    unmount_all();
}

static int act_cut(struct storage *s)
{
    const struct snapshot_spec spec = { .name = "s2" };
    struct snapshot snapshot;

    return snapshot_create(&s->task, "im", &spec, &snapshot, &s->err);
}

static int act_rollback(struct storage *s)
{
    struct snapshot safety;

    return snapshot_rollback(&s->task, "im", "s1", false, &safety, &s->err);
}

static void check_cut(struct storage *s, bool is_whole)
{
    struct snapshot *list = NULL;
    int count = snapshot_list(&s->task, "im", &list, &s->err);

    CHECK(count == 2 || (count == 1 && !is_whole));
    check_text(s, "im", "two");
    unmount_all();
}

static void check_rollback(struct storage *s, bool is_whole)
{
    struct snapshot *list = NULL;
    int count = snapshot_list(&s->task, "im", &list, &s->err);

    CHECK(count == 2 || (count == 1 && !is_whole));
    check_text(s, "im", count == 2 ? "one" : "two");
    unmount_all();
}

static const struct scenario scenarios[] = {
    { "volume.create of an image", make_pool, act_create, check_create },
    { "volume.resize of an image", make_volume, act_resize, check_resize },
    { "snapshot.create of an image", make_volume, act_cut, check_cut },
    { "snapshot.rollback of an image", make_volume, act_rollback, check_rollback },
};

/* Each makes filesystems: every fourth call is looked at, or every IMAGE_SWEEP_STEPth. */
static void choose_step(void)
{
    const char *text = getenv("IMAGE_SWEEP_STEP");

    sweep_step = text != NULL ? (int)strtol(text, NULL, 10) : 4;
}

TEST(images_on_ext4_are_whole_or_absent_wherever_the_process_dies)
{
    choose_step();
    CHECK(sweep("ext4", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

/* Making and growing: what takes space. */
TEST(images_on_ext4_are_whole_or_absent_wherever_space_ends)
{
    choose_step();
    CHECK(sweep("ext4", -ENOSPC, scenarios, 2) >= 0);
}
