/* SPDX-License-Identifier: Apache-2.0 */
/* Sets: cut, rolled back and removed as one, on every kind of filesystem. */
#include "core/fence/freezer.h"
#include "core/reconcile/reconcile.h"
#include "core/snapshot/set.h"
#include "lib/storage.h"

static const char *const filesystems[] = { "btrfs", "xfs", "ext4", "tmpfs" };

static int cut(struct storage *s, const char *name, const char *const *volumes,
               struct snapshot_set *set)
{
    const struct set_spec spec = { .name = name, .volumes = volumes };

    return set_create(&s->task, &spec, set, &s->err);
}

#define CUT(s, name, set, ...) cut(s, name, (const char *const[]){ __VA_ARGS__, NULL }, set)

static void check_clean(struct storage *s)
{
    struct findings findings;

    CHECK_OK(reconcile(&s->task, false, &findings, &s->err), &s->err);
    ck_assert_msg(findings.count == 0, "%s: %s", findings.items[0].kind, findings.items[0].object);
    WORLD_RUN("test -z \"$(ls -A " STATE "/pools/default/tmp)\"");
}

/* A running container of this id that has the volume. */
static void attach(struct storage *s, char id, const struct volume *volume, const char *mode)
{
    char full[65] = "";

    memset(full, id, 64);
    CHECK_OK(db_exec(s->task.db,
                     "INSERT INTO container (id, name, image_id, image_name, state, pid, config,"
                     " host_config, path, created_ns) VALUES (?1, 'box-' || substr(?1, 1, 1), 'i',"
                     " 'i', 'running', ?2, '{}', '{}', 'p', 1) ON CONFLICT DO NOTHING",
                     ARGS(TEXT(full), I64(getpid())), &s->err),
             &s->err);
    CHECK_OK(db_exec(s->task.db,
                     "INSERT INTO attachment (container_id, destination, volume_id, mode)"
                     " VALUES (?1, '/' || ?2, ?2, ?3)",
                     ARGS(TEXT(full), TEXT(volume->id), TEXT(mode)), &s->err),
             &s->err);
}

static void write_text(struct storage *s, const char *volume_name, const char *text)
{
    struct volume volume;

    CHECK_OK(volume_get(&s->task, volume_name, &volume, &s->err), &s->err);
    WORLD_RUN("printf %s > %s/f", text, volume_path(&s->task, &volume));
}

TEST(set_holds_all_volumes_and_rolls_all_of_them_back)
{
    for (size_t i = 0; i < ARRAY_SIZE(filesystems); i++) {
        cleanup_storage struct storage s = { 0 };
        struct snapshot_set set;
        struct snapshot_set safety;
        struct snapshot_set *list = NULL;
        if (!storage_enter(&s, filesystems[i]))
            continue;
        (void)storage_volume(&s, "va", "one");
        (void)storage_volume(&s, "vb", "two");
        CHECK_OK(CUT(&s, "s1", &set, "va", "vb", "va"), &s.err);
        CHECK(set.member_count == 2);
        CHECK_STR(set.fence, "idle");
        CHECK_STR(set.members[1].set_name, "s1");
        CHECK_FAILS(CUT(&s, "s1", &set, "va"), &s.err, ERR_EXISTS);
        write_text(&s, "va", "three");
        write_text(&s, "vb", "four");
        CHECK_OK(set_rollback(&s.task, "s1", true, &safety, &s.err), &s.err);
        storage_check_text(&s, "va", "three");
        CHECK_OK(set_rollback(&s.task, "s1", false, &safety, &s.err), &s.err);
        storage_check_text(&s, "va", "one");
        storage_check_text(&s, "vb", "two");
        CHECK_STR(safety.reason, "safety");
        CHECK(safety.member_count == 2);
        CHECK_OK(set_rollback(&s.task, safety.name, false, &set, &s.err), &s.err);
        storage_check_text(&s, "va", "three");
        storage_check_text(&s, "vb", "four");
        CHECK_INT(set_list(&s.task, &list, &s.err), 3);
        CHECK_STR(list[0].name, "s1");
        CHECK_STR(list[0].members[0].volume_name, "va");
        check_clean(&s);
    }
}

TEST(set_is_removed_as_one)
{
    cleanup_storage struct storage s = { 0 };
    struct snapshot_set set;
    struct snapshot snapshot;
    struct snapshot *list = NULL;

    if (!storage_enter(&s, "btrfs"))
        return;
    (void)storage_volume(&s, "va", "one");
    (void)storage_volume(&s, "vb", "two");
    CHECK_OK(CUT(&s, "s1", &set, "va", "vb"), &s.err);
    CHECK_OK(snapshot_get(&s.task, "va", "s1", &snapshot, &s.err), &s.err);
    CHECK_FAILS(snapshot_remove(&s.task, "va", "s1", &(struct snapshot_remove_spec){ 0 }, &s.err),
                &s.err, ERR_CONFLICT);
    CHECK_OK(set_remove(&s.task, "s1", &(struct set_remove_spec){ .is_dry_run = true }, &s.err),
             &s.err);
    CHECK_OK(set_remove(&s.task, "s1", &(struct set_remove_spec){ .is_now = true }, &s.err),
             &s.err);
    CHECK_FAILS(set_get(&s.task, "s1", &set, &s.err), &s.err, ERR_NOT_FOUND);
    CHECK_INT(snapshot_list(&s.task, NULL, &list, &s.err), 0);
    CHECK_OK(CUT(&s, "s1", &set, "va", "vb"), &s.err);
    check_clean(&s);
}

TEST(set_that_lost_a_member_is_not_rolled_back)
{
    cleanup_storage struct storage s = { 0 };
    const struct volume_remove_spec remove = { .with_snapshots = true };
    struct snapshot_set set;

    if (!storage_enter(&s, "btrfs"))
        return;
    (void)storage_volume(&s, "va", "one");
    (void)storage_volume(&s, "vb", "two");
    CHECK_OK(CUT(&s, "s1", &set, "va", "vb"), &s.err);
    CHECK_OK(volume_remove(&s.task, "vb", &remove, &s.err), &s.err);
    CHECK_OK(set_get(&s.task, "s1", &set, &s.err), &s.err);
    CHECK(set.member_count == 1 && set.size == 2);
    CHECK_FAILS(set_rollback(&s.task, "s1", false, &set, &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(volume_remove(&s.task, "va", &remove, &s.err), &s.err);
    CHECK_FAILS(set_get(&s.task, "s1", &set, &s.err), &s.err, ERR_NOT_FOUND);
    check_clean(&s);
}

TEST(set_rollback_is_refused_as_a_whole)
{
    cleanup_storage struct storage s = { 0 };
    struct snapshot_set set;
    struct snapshot_set safety;

    if (!storage_enter(&s, "xfs"))
        return;
    (void)storage_volume(&s, "va", "one");
    struct volume b = storage_volume(&s, "vb", "two");
    CHECK_OK(CUT(&s, "s1", &set, "va", "vb"), &s.err);
    write_text(&s, "va", "three");
    CHECK_OK(volume_protect(&s.task, "vb", true, &s.err), &s.err);
    CHECK_FAILS(set_rollback(&s.task, "s1", false, &safety, &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(volume_protect(&s.task, "vb", false, &s.err), &s.err);
    WORLD_RUN("mkdir " WORLD "/m && mount --bind %s " WORLD "/m", volume_path(&s.task, &b));
    CHECK_FAILS(set_rollback(&s.task, "s1", true, &safety, &s.err), &s.err, ERR_BUSY);
    CHECK_FAILS(set_rollback(&s.task, "s1", false, &safety, &s.err), &s.err, ERR_BUSY);
    WORLD_RUN("umount " WORLD "/m");
    storage_check_text(&s, "va", "three");
    storage_check_text(&s, "vb", "two");
    CHECK_INT(set_list(&s.task, &(struct snapshot_set *){ NULL }, &s.err), 1);
    check_clean(&s);
}

TEST(set_without_volumes_or_with_too_many_is_refused)
{
    cleanup_storage struct storage s = { 0 };
    const struct set_spec empty = { .name = "s1" };
    const char *volumes[65] = { NULL };
    struct snapshot_set set;

    if (!storage_enter(&s, "tmpfs"))
        return;
    CHECK_FAILS(set_create(&s.task, &empty, &set, &s.err), &s.err, ERR_INVALID);
    CHECK_FAILS(CUT(&s, NULL, &set, "va"), &s.err, ERR_INVALID);
    CHECK_FAILS(CUT(&s, "s1", &set, "va"), &s.err, ERR_NOT_FOUND);
    for (int i = 0; i < 64; i++) {
        volumes[i] = arena_printf(s.task.mem, "v%d", i);
        (void)storage_volume(&s, volumes[i], NULL);
    }
    CHECK_FAILS(cut(&s, "s1", volumes, &set), &s.err, ERR_INVALID);
    volumes[63] = NULL;
    CHECK_OK(cut(&s, "s1", volumes, &set), &s.err);
    CHECK(set.member_count == 63);
    check_clean(&s);
}

/* --- the fence: a freezer that records what it was asked --- */
static char order[16];
static char started; /* a container to be started when the first is frozen */
static const struct volume *started_volume;
static struct storage *started_storage;
static char slow;

static int fake_freeze(struct task *task, const char *container_id, int64_t timeout_ms,
                       void **lease, struct error *err)
{
    (void)task;
    CHECK(timeout_ms > 0);
    if (container_id[0] == slow)
        return fail(err, ERR_TIMEOUT, "too slow");
    *lease = &order[strlen(order)];
    strncat(order, container_id, 1);
    if (started != 0)
        attach(started_storage, started, started_volume, "rw");
    started = 0;
    return 0;
}

static int fake_thaw(struct task *task, void *lease, int64_t *pause_ns, struct error *err)
{
    char *which = lease;

    (void)task;
    (void)err;
    CHECK(*which >= 'a' && *which <= 'f');
    *which = (char)(*which - 'a' + 'A');
    *pause_ns = 1;
    return 0;
}

static const struct freezer fake_freezer = { .freeze = fake_freeze, .thaw = fake_thaw };

TEST(set_freezes_each_writer_once_in_the_order_of_ids)
{
    cleanup_storage struct storage s = { 0 };
    const struct set_spec spec = { .name = "s1",
                                   .volumes = (const char *const[]){ "va", NULL },
                                   .containers = (const char *const[]){ "box-c", NULL } };
    struct snapshot_set set;

    if (!storage_enter(&s, "btrfs"))
        return;
    s.service.freezer = &fake_freezer;
    struct volume a = storage_volume(&s, "va", "one");
    struct volume b = storage_volume(&s, "vb", "two");
    attach(&s, 'c', &b, "rw");
    attach(&s, 'b', &a, "rw");
    attach(&s, 'b', &b, "rw");
    attach(&s, 'd', &a, "ro");
    CHECK_OK(set_create(&s.task, &spec, &set, &s.err), &s.err);
    CHECK_STR(order, "BC");
    CHECK_STR(set.fence, "frozen");
    CHECK(set.pause_ns > 0);
    CHECK(set.member_count == 2);
    CHECK(strstr(set.containers, "box-c") != NULL);
    check_clean(&s);
}

TEST(set_freezes_also_who_was_started_meanwhile)
{
    cleanup_storage struct storage s = { 0 };
    struct snapshot_set set;

    if (!storage_enter(&s, "btrfs"))
        return;
    s.service.freezer = &fake_freezer;
    struct volume a = storage_volume(&s, "va", "one");
    struct volume b = storage_volume(&s, "vb", "two");
    attach(&s, 'b', &a, "rw");
    started = 'a';
    started_volume = &b;
    started_storage = &s;
    CHECK_OK(CUT(&s, "s1", &set, "va", "vb"), &s.err);
    CHECK_STR(order, "BA");
    check_clean(&s);
}

TEST(set_past_its_deadline_leaves_nothing_and_names_the_slow)
{
    cleanup_storage struct storage s = { 0 };
    struct snapshot_set set;

    if (!storage_enter(&s, "btrfs"))
        return;
    s.service.freezer = &fake_freezer;
    struct volume a = storage_volume(&s, "va", "one");
    struct volume b = storage_volume(&s, "vb", "two");
    attach(&s, 'b', &a, "rw");
    attach(&s, 'c', &b, "rw");
    slow = 'c';
    CHECK_FAILS(CUT(&s, "s1", &set, "va", "vb"), &s.err, ERR_TIMEOUT);
    CHECK(strstr(s.err.message, "container 'box-c'") != NULL);
    CHECK_STR(order, "B");
    CHECK_FAILS(set_get(&s.task, "s1", &set, &s.err), &s.err, ERR_NOT_FOUND);
    check_clean(&s);
}
