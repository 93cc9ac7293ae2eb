/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting, cloning and rolling back, on every kind of filesystem. */
#include "base/clock.h"
#include "core/fence/freezer.h"
#include "core/reconcile/reconcile.h"
#include "core/snapshot/snapshot.h"
#include "lib/storage.h"

static const char *const filesystems[] = { "btrfs", "xfs", "ext4", "tmpfs" };

static int cut(struct storage *s, const char *name, struct snapshot *snapshot)
{
    const struct snapshot_spec spec = { .name = name };

    return snapshot_create(&s->task, "data", &spec, snapshot, &s->err);
}

static void check_clean(struct storage *s)
{
    struct findings findings;

    CHECK_OK(reconcile(&s->task, false, &findings, &s->err), &s->err);
    ck_assert_msg(findings.count == 0, "%s: %s", findings.items[0].kind, findings.items[0].object);
}

/* A container's row with the volume attached; its process is 'pid'. */
static void add_container(struct storage *s, const struct volume *volume, const char *state,
                          int64_t pid)
{
    CHECK_OK(db_exec(s->task.db,
                     "INSERT INTO container (id, name, image_id, image_name, state, pid, config,"
                     " host_config, path, created_ns) VALUES (?, 'box', 'i', 'i', ?, ?, '{}',"
                     " '{}', 'p', 1)",
                     ARGS(TEXT("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
                          TEXT(state), I64(pid)),
                     &s->err),
             &s->err);
    CHECK_OK(db_exec(s->task.db,
                     "INSERT INTO attachment (container_id, destination, volume_id, mode)"
                     " SELECT id, '/d', ?, 'rw' FROM container",
                     ARGS(TEXT(volume->id)), &s->err),
             &s->err);
}

TEST(snapshot_holds_what_was_there_and_tells_its_cost)
{
    static const char *const costs[] = { "O(1)", "O(files)", "O(bytes)", "O(bytes)" };

    for (size_t i = 0; i < ARRAY_SIZE(filesystems); i++) {
        cleanup_storage struct storage s = { 0 };
        struct snapshot snapshot;
        struct snapshot *list = NULL;
        if (!storage_enter(&s, filesystems[i]))
            continue;
        struct volume volume = storage_volume(&s, "data", "one");
        CHECK_OK(cut(&s, "s1", &snapshot), &s.err);
        CHECK_STR(snapshot.fence, "idle");
        CHECK_STR(cost_name(snapshot.cost), costs[i]);
        CHECK_FAILS(cut(&s, "s1", &snapshot), &s.err, ERR_EXISTS);
        WORLD_RUN("printf two > %s/f", volume_path(&s.task, &volume));
        CHECK_OK(cut(&s, NULL, &snapshot), &s.err);
        CHECK_OK(cut(&s, NULL, &snapshot), &s.err);
        CHECK_INT(snapshot_list(&s.task, "data", &list, &s.err), 3);
        CHECK_STR(list[0].name, "s1");
        WORLD_RUN("test \"$(cat " STATE "/pools/default/snapshots/%s/f)\" = one", list[0].id);
        check_clean(&s);
    }
}

TEST(clones_are_volumes_of_their_own)
{
    for (size_t i = 0; i < ARRAY_SIZE(filesystems); i++) {
        cleanup_storage struct storage s = { 0 };
        struct snapshot snapshot;
        struct volume clone;
        struct volume_spec spec = VOLUME_SPEC_EMPTY;
        struct volume_remove_spec remove = { .with_snapshots = true };
        bool is_new = false;
        enum cost cost;
        if (!storage_enter(&s, filesystems[i]))
            continue;
        struct volume volume = storage_volume(&s, "data", "one");
        CHECK_OK(cut(&s, "s1", &snapshot), &s.err);
        WORLD_RUN("printf two > %s/f", volume_path(&s.task, &volume));
        spec.name = "past";
        spec.from_volume = "data";
        spec.from_snapshot = "s1";
        spec.uid = 7;
        CHECK_OK(volume_create(&s.task, &spec, &clone, &is_new, &cost, &s.err), &s.err);
        storage_check_text(&s, "past", "one");
        WORLD_RUN("test \"$(stat -c %%u %s)\" = 7", volume_path(&s.task, &clone));
        CHECK(strstr(clone.parent, "\"s1\"") != NULL);
        CHECK_FAILS(volume_create(&s.task, &spec, &clone, &is_new, &cost, &s.err), &s.err,
                    ERR_CONFLICT);
        spec = VOLUME_SPEC_EMPTY;
        spec.name = "present";
        pairs_set(&spec.options, s.task.mem, "from", "data");
        CHECK_OK(volume_create(&s.task, &spec, &clone, &is_new, &cost, &s.err), &s.err);
        CHECK_OK(volume_create(&s.task, &spec, &clone, &is_new, &cost, &s.err), &s.err);
        CHECK(!is_new);
        storage_check_text(&s, "present", "two");
        CHECK_OK(volume_remove(&s.task, "data", &remove, &s.err), &s.err);
        storage_check_text(&s, "past", "one");
        check_clean(&s);
    }
}

TEST(rollback_brings_back_the_past_and_keeps_the_present)
{
    for (size_t i = 0; i < ARRAY_SIZE(filesystems); i++) {
        cleanup_storage struct storage s = { 0 };
        struct snapshot snapshot;
        struct snapshot safety;
        struct snapshot again;
        if (!storage_enter(&s, filesystems[i]))
            continue;
        struct volume volume = storage_volume(&s, "data", "one");
        CHECK_OK(cut(&s, "s1", &snapshot), &s.err);
        WORLD_RUN("printf two > %s/f", volume_path(&s.task, &volume));
        CHECK_OK(snapshot_rollback(&s.task, "data", "s1", true, &safety, &s.err), &s.err);
        storage_check_text(&s, "data", "two");
        CHECK_OK(snapshot_rollback(&s.task, "data", "s1", false, &safety, &s.err), &s.err);
        CHECK_STR(safety.reason, "safety");
        storage_check_text(&s, "data", "one");
        CHECK_OK(volume_get(&s.task, "data", &volume, &s.err), &s.err);
        WORLD_RUN("printf three > %s/f", volume_path(&s.task, &volume));
        CHECK_OK(snapshot_rollback(&s.task, "data", safety.name, false, &again, &s.err), &s.err);
        storage_check_text(&s, "data", "two");
        check_clean(&s);
    }
}

TEST(rollback_refuses_while_the_volume_is_mounted_and_names_who)
{
    cleanup_storage struct storage s = { 0 };
    struct snapshot snapshot;
    struct snapshot safety;

    if (!storage_enter(&s, "btrfs"))
        return;
    struct volume volume = storage_volume(&s, "data", "one");
    CHECK_OK(cut(&s, "s1", &snapshot), &s.err);
    WORLD_RUN("mkdir " WORLD "/m && mount --bind %s " WORLD "/m", volume_path(&s.task, &volume));
    CHECK_FAILS(snapshot_rollback(&s.task, "data", "s1", false, &safety, &s.err), &s.err, ERR_BUSY);
    CHECK(strstr(s.err.message, WORLD "/m") != NULL);
    add_container(&s, &volume, "exited", 0);
    CHECK_OK(db_exec(s.task.db, "UPDATE container SET state = 'running', pid = ?",
                     ARGS(I64(getpid())), &s.err),
             &s.err);
    CHECK_FAILS(snapshot_rollback(&s.task, "data", "s1", false, &safety, &s.err), &s.err, ERR_BUSY);
    CHECK_STR(s.err.message, "volume 'data' is mounted by container 'box' (bbbbbbbbbbbb)");
    CHECK_OK(db_exec(s.task.db, "UPDATE container SET state = 'exited'", NO_ARGS, &s.err), &s.err);
    WORLD_RUN("umount " WORLD "/m");
    CHECK_OK(volume_protect(&s.task, "data", true, &s.err), &s.err);
    CHECK_FAILS(snapshot_rollback(&s.task, "data", "s1", false, &safety, &s.err), &s.err,
                ERR_CONFLICT);
    CHECK_OK(volume_protect(&s.task, "data", false, &s.err), &s.err);
    CHECK_OK(snapshot_rollback(&s.task, "data", "s1", false, &safety, &s.err), &s.err);
}

/* --- the fence: a freezer that records what it was asked --- */
static int frozen;
static int thawed;
static enum error_code freeze_failure;
static enum error_code thaw_failure;

static int fake_freeze(struct task *task, const char *container_id, int64_t timeout_ms,
                       void **lease, struct error *err)
{
    (void)task;
    CHECK(timeout_ms > 0);
    CHECK_INT(container_id[0], 'b');
    if (freeze_failure != ERR_NONE)
        return fail(err, freeze_failure, "too slow");
    frozen++;
    *lease = &frozen;
    return 0;
}

static int fake_thaw(struct task *task, void *lease, int64_t *pause_ns, struct error *err)
{
    (void)task;
    CHECK(lease == &frozen);
    thawed++;
    *pause_ns = 1;
    return thaw_failure != ERR_NONE ? fail(err, thaw_failure, "the lease ended") : 0;
}

static const struct freezer fake_freezer = { .freeze = fake_freeze, .thaw = fake_thaw };

TEST(snapshot_of_a_running_containers_volume_is_cut_under_a_freeze)
{
    cleanup_storage struct storage s = { 0 };
    struct snapshot snapshot;
    struct snapshot *list = NULL;

    if (!storage_enter(&s, "xfs"))
        return;
    struct volume volume = storage_volume(&s, "data", "one");
    add_container(&s, &volume, "running", getpid());
    s.service.freezer = &fake_freezer;
    CHECK_OK(cut(&s, "frozen", &snapshot), &s.err);
    CHECK_STR(snapshot.fence, "frozen");
    CHECK(snapshot.pause_ns > 0);
    CHECK(frozen == 1 && thawed == 1);

    freeze_failure = ERR_TIMEOUT;
    CHECK_FAILS(cut(&s, "slow", &snapshot), &s.err, ERR_TIMEOUT);
    CHECK(strstr(s.err.message, "container 'box'") != NULL);
    freeze_failure = ERR_NOT_FOUND;
    CHECK_OK(cut(&s, "ended", &snapshot), &s.err);
    CHECK_STR(snapshot.fence, "idle");
    freeze_failure = ERR_NONE;
    thaw_failure = ERR_TIMEOUT;
    CHECK_FAILS(cut(&s, "late", &snapshot), &s.err, ERR_TIMEOUT);
    CHECK_INT(snapshot_list(&s.task, "data", &list, &s.err), 2);
    CHECK_INT(frozen, thawed);
    check_clean(&s);
}

TEST(snapshot_is_partial_when_a_stranger_may_write)
{
    cleanup_storage struct storage s = { 0 };
    struct snapshot snapshot;

    if (!storage_enter(&s, "ext4"))
        return;
    struct volume volume = storage_volume(&s, "data", "one");
    WORLD_RUN("mkdir " WORLD "/m && mount --bind %s " WORLD "/m", volume_path(&s.task, &volume));
    CHECK_OK(cut(&s, "s1", &snapshot), &s.err);
    CHECK_STR(snapshot.fence, "partial");
    WORLD_RUN("mount -o remount,bind,ro " WORLD "/m");
    CHECK_OK(cut(&s, "s2", &snapshot), &s.err);
    CHECK_STR(snapshot.fence, "idle");
}

TEST(snapshot_remove_frees_the_name)
{
    cleanup_storage struct storage s = { 0 };
    struct snapshot snapshot;
    struct volume_remove_spec remove = { 0 };

    if (!storage_enter(&s, "btrfs"))
        return;
    (void)storage_volume(&s, "data", "one");
    CHECK_OK(cut(&s, "s1", &snapshot), &s.err);
    CHECK_FAILS(volume_remove(&s.task, "data", &remove, &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(snapshot_remove(&s.task, "data", "s1",
                             &(struct snapshot_remove_spec){ .is_dry_run = true }, &s.err),
             &s.err);
    CHECK_OK(snapshot_remove(&s.task, "data", "s1",
                             &(struct snapshot_remove_spec){ .is_dry_run = false }, &s.err),
             &s.err);
    CHECK_FAILS(snapshot_remove(&s.task, "data", "s1",
                                &(struct snapshot_remove_spec){ .is_dry_run = false }, &s.err),
                &s.err, ERR_NOT_FOUND);
    CHECK_OK(cut(&s, "s1", &snapshot), &s.err);
    check_clean(&s);
}
