/* SPDX-License-Identifier: Apache-2.0 */
/* The trash, on real filesystems and a real database. */
#include <sys/stat.h>

#include "core/operation/event.h"
#include "core/pool/space_reliefs.h"
#include "core/reconcile/reconcile.h"
#include "core/volume/trash.h"
#include "lib/storage.h"

static bool enter(struct storage *s, const char *filesystem)
{
    if (!storage_enter(s, filesystem))
        return false;
    s->service.trash_ttl_ms = 3600000;
    return true;
}

static void remove_volume(struct storage *s, const char *name, bool is_now)
{
    const struct volume_remove_spec spec = { .with_snapshots = true, .is_now = is_now };

    CHECK_OK(volume_remove(&s->task, name, &spec, &s->err), &s->err);
}

static struct snapshot cut(struct storage *s, const char *volume, const char *name)
{
    const struct snapshot_spec spec = { .name = name };
    struct snapshot snapshot;

    CHECK_OK(snapshot_create(&s->task, volume, &spec, &snapshot, &s->err), &s->err);
    return snapshot;
}

static int trash_count(struct storage *s)
{
    struct trash_entry *list = NULL;

    return trash_list(&s->task, NULL, &list, &s->err);
}

static void check_is_clean(struct storage *s)
{
    struct findings findings = { 0 };

    CHECK_OK(reconcile(&s->task, false, &findings, &s->err), &s->err);
    ck_assert_msg(findings.count == 0, "%s %s", findings.items[0].kind, findings.items[0].object);
}

static void removed_and_restored(const char *filesystem)
{
    cleanup_storage struct storage s = { 0 };
    struct trash_entry entry;
    struct snapshot *list = NULL;
    struct volume before;
    struct volume after;

    if (!enter(&s, filesystem))
        return;
    before = storage_volume(&s, "data", "one");
    (void)cut(&s, "data", "s1");
    const struct pairs labels = { 1, (struct pair[]){ { "k", "v" } } };
    CHECK_OK(volume_label(&s.task, "data", &labels, NULL, &s.err), &s.err);
    remove_volume(&s, "data", false);
    CHECK_FAILS(volume_get(&s.task, "data", &after, &s.err), &s.err, ERR_NOT_FOUND);
    CHECK_FAILS(volume_get(&s.task, before.id, &after, &s.err), &s.err, ERR_NOT_FOUND);
    CHECK_INT(snapshot_list(&s.task, NULL, &list, &s.err), 0);
    WORLD_RUN("test \"$(cat " STATE "/pools/default/trash/%s/f)\" = one", before.data_id);
    check_is_clean(&s);

    /* The name is free; the restored one needs another. */
    (void)storage_volume(&s, "data", "new");
    CHECK_FAILS(trash_restore(&s.task, "data", NULL, &entry, &s.err), &s.err, ERR_EXISTS);
    CHECK_OK(trash_restore(&s.task, "data", "old", &entry, &s.err), &s.err);
    CHECK_STR(entry.name, "old");
    CHECK_OK(volume_get(&s.task, "old", &after, &s.err), &s.err);
    CHECK_STR(after.id, before.id);
    CHECK_STR(pairs_get(&after.labels, "k"), "v");
    storage_check_text(&s, "old", "one");
    storage_check_text(&s, "data", "new");
    CHECK_INT(snapshot_list(&s.task, "old", &list, &s.err), 1);
    CHECK_INT(trash_count(&s), 0);
    check_is_clean(&s);
}

TEST(trash_gives_a_volume_back_with_all_that_was_its_own_on_btrfs)
{
    removed_and_restored("btrfs");
}

TEST(trash_gives_a_volume_back_with_all_that_was_its_own_on_ext4)
{
    removed_and_restored("ext4");
}

TEST(trash_gives_a_snapshot_back_by_its_volume_s_present_name)
{
    cleanup_storage struct storage s = { 0 };
    struct trash_entry entry;
    struct snapshot snapshot;

    if (!enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", "one");
    (void)cut(&s, "data", "s1");
    CHECK_OK(snapshot_remove(&s.task, "data", "s1", &(struct snapshot_remove_spec){ 0 }, &s.err),
             &s.err);
    CHECK_FAILS(snapshot_get(&s.task, "data", "s1", &snapshot, &s.err), &s.err, ERR_NOT_FOUND);
    CHECK_OK(volume_rename(&s.task, "data", "moved", &s.err), &s.err);
    CHECK_OK(trash_restore(&s.task, "data@s1", NULL, &entry, &s.err), &s.err);
    CHECK_STR(entry.name, "moved@s1");
    CHECK_OK(snapshot_get(&s.task, "moved", "s1", &snapshot, &s.err), &s.err);
}

TEST(trash_keeps_a_snapshot_down_while_its_volume_is_there_too)
{
    cleanup_storage struct storage s = { 0 };
    struct trash_entry entry;

    if (!enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", "one");
    (void)cut(&s, "data", "s1");
    CHECK_OK(snapshot_remove(&s.task, "data", "s1", &(struct snapshot_remove_spec){ 0 }, &s.err),
             &s.err);
    remove_volume(&s, "data", false);
    CHECK_INT(trash_count(&s), 2);
    CHECK_FAILS(trash_restore(&s.task, "data@s1", NULL, &entry, &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(trash_get(&s.task, "data", &entry, &s.err), &s.err);
    CHECK_OK(trash_purge(&s.task, &entry, "asked", &s.err), &s.err);
    CHECK_INT(trash_count(&s), 0); /* it went with its volume */
    WORLD_RUN("test -z \"$(ls " STATE "/pools/default/snapshots " STATE
              "/pools/default/trash | grep -- -)\"");
    check_is_clean(&s);
}

TEST(trash_is_passed_by_when_asked_and_when_there_is_none)
{
    cleanup_storage struct storage s = { 0 };

    if (!enter(&s, "btrfs"))
        return;
    struct volume first = storage_volume(&s, "first", "one");
    (void)cut(&s, "first", "s1");
    remove_volume(&s, "first", true);
    WORLD_RUN("test ! -e " STATE "/pools/default/volumes/%s", first.data_id);
    s.service.trash_ttl_ms = 0;
    (void)storage_volume(&s, "second", "two");
    remove_volume(&s, "second", false);
    CHECK_INT(trash_count(&s), 0);
    WORLD_RUN("test -z \"$(ls " STATE "/pools/default/trash)\"");
    check_is_clean(&s);
}

TEST(trash_expires_and_tells_when_the_next_thing_does)
{
    cleanup_storage struct storage s = { 0 };
    struct event *events = NULL;
    struct trash_entry entry;
    int64_t next_ms = -1;

    if (!enter(&s, "tmpfs"))
        return;
    CHECK_OK(trash_next_expiry(&s.task, &next_ms, &s.err), &s.err);
    CHECK_INT(next_ms, 0);
    (void)storage_volume(&s, "long", "one");
    (void)storage_volume(&s, "short", "two");
    remove_volume(&s, "long", false);
    s.service.trash_ttl_ms = 1;
    remove_volume(&s, "short", false);
    WORLD_RUN("sleep 0.01");
    CHECK_OK(trash_get(&s.task, "short", &entry, &s.err), &s.err);
    CHECK_OK(trash_next_expiry(&s.task, &next_ms, &s.err), &s.err);
    CHECK_INT(next_ms, entry.expires_ms);
    CHECK_INT(trash_purge_expired(&s.task, &s.err), 1);
    CHECK_OK(trash_get(&s.task, "long", &entry, &s.err), &s.err);
    CHECK_INT(trash_count(&s), 1);
    int count = event_list(&s.task, 0, 100, &events, &s.err);
    CHECK_STR(events[count - 1].action, "purge");
    CHECK_STR(events[count - 1].object_id, "short");
    CHECK_STR(pairs_get(&events[count - 1].attributes, "reason"), "expired");
}

TEST(trash_gives_space_back_oldest_first)
{
    cleanup_storage struct storage s = { 0 };
    struct trash_entry *list = NULL;
    struct pool pool;

    if (!enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "older", "one");
    (void)storage_volume(&s, "newer", "two");
    remove_volume(&s, "older", false);
    WORLD_RUN("sleep 0.01");
    remove_volume(&s, "newer", false);
    CHECK_OK(pool_get(&s.task, "default", &pool, &s.err), &s.err);
    CHECK_INT(trash_relief.give(&s.task, &pool, &s.err), 1);
    CHECK_INT(trash_list(&s.task, pool.id, &list, &s.err), 1);
    CHECK_STR(list[0].name, "newer");
    CHECK_INT(trash_relief.give(&s.task, &pool, &s.err), 1);
    CHECK_INT(trash_relief.give(&s.task, &pool, &s.err), 0);
}

TEST(trash_is_emptied_when_its_pool_has_passed_its_mark)
{
    cleanup_storage struct storage s = { 0 };
    const struct space_marks marks = { 1, 1, 99 };

    if (!enter(&s, "ext4"))
        return;
    struct volume volume = storage_volume(&s, "large", "one");
    WORLD_RUN("dd if=/dev/zero of=%s/g bs=1M count=8 2> /dev/null", volume_path(&s.task, &volume));
    remove_volume(&s, "large", false);
    (void)storage_volume(&s, "small", "one");
    remove_volume(&s, "small", false);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK_INT(trash_count(&s), 2);
    CHECK_OK(space_marks_set(&s.task, "default", &marks, &s.err), &s.err);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK(trash_count(&s) < 2);
    CHECK_FAILS(trash_get(&s.task, "large", &(struct trash_entry){ 0 }, &s.err), &s.err,
                ERR_NOT_FOUND);
}

TEST(trash_finds_data_where_a_crash_left_it_and_tells_when_it_is_nowhere)
{
    cleanup_storage struct storage s = { 0 };
    struct findings findings = { 0 };
    struct trash_entry entry;

    if (!enter(&s, "tmpfs"))
        return;
    struct volume volume = storage_volume(&s, "data", "one");
    remove_volume(&s, "data", false);
    WORLD_RUN("mv " STATE "/pools/default/trash/%s " STATE "/pools/default/volumes/",
              volume.data_id);
    check_is_clean(&s);
    CHECK_OK(reconcile(&s.task, true, &findings, &s.err), &s.err);
    WORLD_RUN("test -d " STATE "/pools/default/trash/%s", volume.data_id);
    WORLD_RUN("mv " STATE "/pools/default/trash/%s " STATE "/pools/default/volumes/",
              volume.data_id);
    CHECK_OK(trash_restore(&s.task, "data", NULL, &entry, &s.err), &s.err);
    storage_check_text(&s, "data", "one");
    remove_volume(&s, "data", false);
    WORLD_RUN("rm -r " STATE "/pools/default/trash/%s", volume.data_id);
    CHECK_OK(reconcile(&s.task, true, &findings, &s.err), &s.err);
    CHECK_INT((int)findings.count, 1);
    CHECK_STR(findings.items[0].kind, "missing-trash-data");
    CHECK(trash_restore(&s.task, "data", NULL, &entry, &s.err) < 0);
}

TEST(trash_takes_what_prune_took_and_says_that_nothing_was_reclaimed)
{
    cleanup_storage struct storage s = { 0 };
    struct filter_term term = { "all", "true" };
    const struct filter filter = { 1, &term };
    struct prune_result result;

    if (!enter(&s, "ext4"))
        return;
    (void)storage_volume(&s, "data", "one");
    (void)storage_volume(&s, "kept", "two");
    CHECK_OK(volume_protect(&s.task, "kept", true, &s.err), &s.err);
    CHECK_OK(volume_prune(&s.task, &filter, &(struct volume_prune_spec){ 0 }, &result, &s.err),
             &s.err);
    CHECK_INT((int)result.count, 1);
    CHECK_INT(result.reclaimed_bytes, 0);
    CHECK(result.trashed_bytes > 0);
    CHECK_INT(trash_count(&s), 1);
    storage_check_text(&s, "kept", "two");
}
