/* SPDX-License-Identifier: Apache-2.0 */
/* The whole failure space of the trash (lib/sweep.h): putting, restoring, purging, pruning. */
#include <errno.h>

#include "core/volume/trash.h"
#include "lib/sweep.h"

#define TTL_MS 3600000

static int remove_data(struct storage *s)
{
    const struct volume_remove_spec spec = { .with_snapshots = true };

    s->service.trash_ttl_ms = TTL_MS;
    return volume_remove(&s->task, "data", &spec, &s->err);
}

static int remove_snapshot(struct storage *s)
{
    s->service.trash_ttl_ms = TTL_MS;
    return snapshot_remove(&s->task, "data", "s1", &(struct snapshot_remove_spec){ 0 }, &s->err);
}

static bool is_in_trash(struct storage *s, const char *name)
{
    struct trash_entry entry;

    return trash_get(&s->task, name, &entry, &s->err) == 0;
}

static void check_is_back(struct storage *s)
{
    storage_check_text(s, "data", "two");
    sweep_check_snapshot(s, "s1", "one");
}

static void restore(struct storage *s, const char *name)
{
    struct trash_entry entry;

    CHECK_OK(trash_restore(&s->task, name, NULL, &entry, &s->err), &s->err);
}

/* --- removing --- */
static void check_put(struct storage *s, bool is_whole)
{
    CHECK(sweep_has_volume(s, "data") != is_in_trash(s, "data"));
    CHECK(!is_whole || is_in_trash(s, "data"));
    if (is_in_trash(s, "data"))
        restore(s, "data");
    check_is_back(s);
}

static void check_put_snapshot(struct storage *s, bool is_whole)
{
    CHECK(!is_whole || is_in_trash(s, "data@s1"));
    if (is_in_trash(s, "data@s1"))
        restore(s, "data@s1");
    check_is_back(s);
}

static int act_prune(struct storage *s)
{
    struct filter_term term = { "all", "true" };
    const struct filter filter = { 1, &term };
    struct prune_result result;

    s->service.trash_ttl_ms = TTL_MS;
    return volume_prune(&s->task, &filter, &(struct volume_prune_spec){ 0 }, &result, &s->err);
}

static void check_prune(struct storage *s, bool is_whole)
{
    CHECK(sweep_has_volume(s, "empty") != is_in_trash(s, "empty"));
    CHECK(!is_whole || is_in_trash(s, "empty"));
    check_is_back(s);
}

/* --- what is in the trash --- */
static void before_volume(struct storage *s)
{
    CHECK_OK(remove_data(s), &s->err);
}

static void before_snapshot(struct storage *s)
{
    CHECK_OK(remove_snapshot(s), &s->err);
}

static int act_restore(struct storage *s)
{
    struct trash_entry entry;

    return trash_restore(&s->task, "data", "again", &entry, &s->err);
}

static void check_restore(struct storage *s, bool is_whole)
{
    CHECK(sweep_has_volume(s, "again") != is_in_trash(s, "data"));
    CHECK(!is_whole || sweep_has_volume(s, "again"));
    if (is_in_trash(s, "data"))
        CHECK_OK(act_restore(s), &s->err);
    storage_check_text(s, "again", "two");
}

static int act_restore_snapshot(struct storage *s)
{
    struct trash_entry entry;

    return trash_restore(&s->task, "data@s1", NULL, &entry, &s->err);
}

static void check_restore_snapshot(struct storage *s, bool is_whole)
{
    CHECK(!is_whole || !is_in_trash(s, "data@s1"));
    check_put_snapshot(s, false);
}

static int purge(struct storage *s, const char *name)
{
    struct trash_entry entry;

    return trash_get(&s->task, name, &entry, &s->err) < 0
               ? -1
               : trash_purge(&s->task, &entry, "asked", &s->err);
}

static int act_purge(struct storage *s)
{
    return purge(s, "data");
}

/* Whole, or gone with all of its data: reconcile found nothing left. */
static void check_purge(struct storage *s, bool is_whole)
{
    if (!is_in_trash(s, "data"))
        return;
    CHECK(!is_whole);
    restore(s, "data");
    check_is_back(s);
}

static int act_purge_snapshot(struct storage *s)
{
    return purge(s, "data@s1");
}

static void check_purge_snapshot(struct storage *s, bool is_whole)
{
    storage_check_text(s, "data", "two");
    if (!is_in_trash(s, "data@s1"))
        return;
    CHECK(!is_whole);
    restore(s, "data@s1");
    check_is_back(s);
}

static const struct scenario scenarios[] = {
    { "volume.remove to the trash", NULL, remove_data, check_put },
    { "snapshot.remove to the trash", NULL, remove_snapshot, check_put_snapshot },
    { "volume.prune to the trash", NULL, act_prune, check_prune },
    { "trash.restore of a volume", before_volume, act_restore, check_restore },
    { "trash.restore of a snapshot", before_snapshot, act_restore_snapshot,
      check_restore_snapshot },
    { "trash.purge of a volume", before_volume, act_purge, check_purge },
    { "trash.purge of a snapshot", before_snapshot, act_purge_snapshot, check_purge_snapshot },
};

TEST(trash_on_btrfs_is_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep("btrfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(trash_on_btrfs_is_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep("btrfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(trash_on_xfs_is_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep("xfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(trash_on_xfs_is_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep("xfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}
