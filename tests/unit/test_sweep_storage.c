/* SPDX-License-Identifier: Apache-2.0 */
/* The whole failure space of the verbs on storage (lib/sweep.h), each on volume 'data'. */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "core/attachment/attachment.h"
#include "core/volume/volume_compact.h"
#include "lib/sweep.h"

#define CONTAINER_ID "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static int create_from(struct storage *s, const char *from, const char *snapshot)
{
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    enum cost cost;
    bool is_new;

    spec.name = "new";
    spec.from_volume = from;
    spec.from_snapshot = snapshot;
    spec.mode = 0750;
    return volume_create(&s->task, &spec, &volume, &is_new, &cost, &s->err);
}

static int snapshot_count(struct storage *s)
{
    struct snapshot *list = NULL;

    return sweep_has_volume(s, "data") ? snapshot_list(&s->task, "data", &list, &s->err) : 0;
}

static int act_create(struct storage *s)
{
    return create_from(s, NULL, NULL);
}

static void check_create(struct storage *s, bool is_whole)
{
    struct volume volume;

    if (volume_get(&s->task, "new", &volume, &s->err) < 0) {
        CHECK(!is_whole);
        return;
    }
    WORLD_RUN("test \"$(stat -c %%a %s)\" = 750", volume_path(&s->task, &volume));
}

static int act_clone(struct storage *s)
{
    return create_from(s, "data", "s1");
}

static void check_clone(struct storage *s, bool is_whole)
{
    CHECK(sweep_has_volume(s, "new") || !is_whole);
    if (sweep_has_volume(s, "new"))
        storage_check_text(s, "new", "one");
}

static int act_copy(struct storage *s)
{
    return create_from(s, "data", NULL);
}

static void check_copy(struct storage *s, bool is_whole)
{
    CHECK(sweep_has_volume(s, "new") || !is_whole);
    if (sweep_has_volume(s, "new"))
        storage_check_text(s, "new", "two");
}

static int act_cut(struct storage *s)
{
    const struct snapshot_spec spec = { .name = "s2" };
    struct snapshot snapshot;

    return snapshot_create(&s->task, "data", &spec, &snapshot, &s->err);
}

static void check_cut(struct storage *s, bool is_whole)
{
    CHECK(snapshot_count(s) == 2 || !is_whole);
    if (snapshot_count(s) == 2)
        sweep_check_snapshot(s, "s2", "two");
    storage_check_text(s, "data", "two");
}

static int act_uncut(struct storage *s)
{
    return snapshot_remove(&s->task, "data", "s1",
                           &(struct snapshot_remove_spec){ .is_dry_run = false }, &s->err);
}

static void check_uncut(struct storage *s, bool is_whole)
{
    CHECK(snapshot_count(s) == 0 || !is_whole);
    if (snapshot_count(s) == 1)
        sweep_check_snapshot(s, "s1", "one");
}

static int act_rollback(struct storage *s)
{
    struct snapshot safety;

    return snapshot_rollback(&s->task, "data", "s1", false, &safety, &s->err);
}

static void check_rollback(struct storage *s, bool is_whole)
{
    struct snapshot *list = NULL;
    int count = snapshot_list(&s->task, "data", &list, &s->err);

    sweep_check_snapshot(s, "s1", "one");
    if (count == 1) {
        CHECK(!is_whole);
        storage_check_text(s, "data", "two");
        return;
    }
    CHECK_INT(count, 2);
    CHECK_STR(list[1].reason, "safety");
    sweep_check_snapshot(s, list[1].name, "two");
    storage_check_text(s, "data", "one");
}

static int act_remove(struct storage *s)
{
    const struct volume_remove_spec spec = { .with_snapshots = true };

    return volume_remove(&s->task, "data", &spec, &s->err);
}

static void check_remove(struct storage *s, bool is_whole)
{
    if (!sweep_has_volume(s, "data"))
        return;
    CHECK(!is_whole);
    storage_check_text(s, "data", "two");
    sweep_check_snapshot(s, "s1", "one");
}

static int act_rename(struct storage *s)
{
    return volume_rename(&s->task, "data", "moved", &s->err);
}

static void check_rename(struct storage *s, bool is_whole)
{
    CHECK(!is_whole || sweep_has_volume(s, "moved"));
    CHECK(sweep_has_volume(s, "data") != sweep_has_volume(s, "moved"));
}

static int act_seed(struct storage *s)
{
    struct volume volume;
    cleanup_fd int fd = open(WORLD "/image", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(fd >= 0);
    return volume_get(&s->task, "empty", &volume, &s->err) < 0
               ? -1
               : volume_seed(&s->task, &volume, fd, "image", "/data", &s->err);
}

static void check_seed(struct storage *s, bool is_whole)
{
    struct volume volume;

    CHECK_OK(volume_get(&s->task, "empty", &volume, &s->err), &s->err);
    CHECK(volume.is_seeded || !is_whole);
    if (volume.is_seeded)
        WORLD_RUN("test \"$(cat %s/d/f)\" = x", volume_path(&s->task, &volume));
    else
        WORLD_RUN("test -z \"$(ls -A %s)\"", volume_path(&s->task, &volume));
}

static int open_image(void *context, const char *destination, struct error *err)
{
    (void)context;
    (void)destination;
    int fd = sys_openat(AT_FDCWD, WORLD "/image", O_RDONLY | O_DIRECTORY, 0);
    return fd < 0 ? fail_sys(err, fd, "no image") : fd;
}

static int insert_container(struct storage *s, struct attachment_set *set)
{
    cleanup_tx struct tx tx = { 0 };

    if (tx_begin(&tx, s->task.db, &s->err) < 0 ||
        db_exec(s->task.db,
                "INSERT INTO container (id, name, image_id, image_name, state, config,"
                " host_config, path, created_ns) VALUES (?, 'c', 'i', 'i', 'created', '{}', '{}',"
                " 'p', 1)",
                ARGS(TEXT(CONTAINER_ID)), &s->err) < 0 ||
        attachment_set_insert(&s->task, set, CONTAINER_ID, &s->err) < 0)
        return -1;
    return tx_commit(&tx, &s->err);
}

static int act_attach(struct storage *s)
{
    static const struct attachment_source source = { open_image, NULL, "image" };
    const struct attachment wanted[] = {
        { .destination = "/data" },
        { .destination = "/b", .volume_name = "made" },
        { .destination = "/scratch", .volume_name = "data", .is_scratch = true },
    };
    struct attachment_set set = { 0 };

    if (attachment_set_plan(&s->task, wanted, ARRAY_SIZE(wanted), &set, &s->err) < 0)
        return -1;
    int rc = attachment_set_build(&s->task, &set, &source, &s->err);
    if (rc == 0)
        rc = insert_container(s, &set);
    attachment_set_done(&s->task, &set, rc == 0);
    return rc;
}

static void check_attach(struct storage *s, bool is_whole)
{
    struct attachment *list = NULL;
    struct volume volume;
    size_t count = 0;

    CHECK_OK(attachment_list(&s->task, CONTAINER_ID, &list, &count, &s->err), &s->err);
    CHECK(count == 3 || (count == 0 && !is_whole));
    CHECK(sweep_has_volume(s, "made") == (count == 3));
    CHECK_INT(snapshot_count(s), count == 3 ? 2 : 1);
    for (size_t i = 0; i < count; i++) {
        if (list[i].is_scratch) {
            sweep_check_snapshot(s, list[i].snapshot, "two");
            continue;
        }
        CHECK_OK(volume_get(&s->task, list[i].volume_id, &volume, &s->err), &s->err);
        WORLD_RUN("test \"$(cat %s/d/f)\" = x", volume_path(&s->task, &volume));
    }
}

static int act_prune(struct storage *s)
{
    struct filter_term term = { "all", "true" };
    const struct filter filter = { 1, &term };
    struct prune_result result;

    return volume_prune(&s->task, &filter, &(struct volume_prune_spec){ .is_dry_run = false },
                        &result, &s->err);
}

static void check_prune(struct storage *s, bool is_whole)
{
    CHECK(!sweep_has_volume(s, "empty") || !is_whole);
    storage_check_text(s, "data", "two"); /* it has a snapshot */
}

static int act_pool(struct storage *s)
{
    struct pool pool;

    return pool_create(&s->task, "other", WORLD_DIR "/other", NULL, &pool, &s->err);
}

static void check_pool(struct storage *s, bool is_whole)
{
    struct pool pool;
    const struct driver_pool *open = NULL;

    if (pool_get(&s->task, "other", &pool, &s->err) < 0) {
        CHECK(!is_whole);
        CHECK_OK(act_pool(s), &s->err); /* what was left is no obstacle */
        return;
    }
    CHECK_OK(pool_open(&s->task, pool.id, &open, &s->err), &s->err);
}

static const struct scenario scenarios[] = {
    { "volume.create", NULL, act_create, check_create },
    { "volume.create from a snapshot", NULL, act_clone, check_clone },
    { "volume.create from a volume", NULL, act_copy, check_copy },
    { "snapshot.create", NULL, act_cut, check_cut },
    { "snapshot.remove", NULL, act_uncut, check_uncut },
    { "snapshot.rollback", NULL, act_rollback, check_rollback },
    { "volume.remove", NULL, act_remove, check_remove },
    { "volume.rename", NULL, act_rename, check_rename },
    { "volume.seed", NULL, act_seed, check_seed },
    { "volume.prune", NULL, act_prune, check_prune },
    { "attachments of a container", NULL, act_attach, check_attach },
    { "pool.create", NULL, act_pool, check_pool },
};

TEST(storage_on_btrfs_is_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep("btrfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(storage_on_btrfs_is_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep("btrfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(storage_on_xfs_is_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep("xfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(storage_on_xfs_is_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep("xfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(storage_on_tmpfs_is_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep("tmpfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(storage_on_tmpfs_is_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep("tmpfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

/* So many snapshots that the lowest layers become one. */
static void deepen(struct storage *s)
{
    for (int i = 2; i < 14; i++) {
        char name[16];
        struct snapshot snapshot;
        (void)snprintf(name, sizeof(name), "s%d", i);
        const struct snapshot_spec spec = { .name = name };
        CHECK_OK(snapshot_create(&s->task, "data", &spec, &snapshot, &s->err), &s->err);
    }
}

static int act_compact(struct storage *s)
{
    struct volume volume;

    return volume_get(&s->task, "data", &volume, &s->err) < 0
               ? -1
               : volume_compact(&s->task, &volume, &s->err);
}

static void check_compact(struct storage *s, bool is_whole)
{
    (void)is_whole; /* what can be seen is the same */
    CHECK_INT(snapshot_count(s), 13);
    sweep_check_snapshot(s, "s1", "one");
    sweep_check_snapshot(s, "s2", "two");
    sweep_check_snapshot(s, "s13", "two");
    storage_check_text(s, "data", "two");
}

static const struct scenario compaction[] = {
    { "volume.compact", deepen, act_compact, check_compact },
};

/* A layer is made of many calls: every fifteenth is looked at, or every LAYERS_SWEEP_STEPth. */
static int sweep_layers(int rc)
{
    const char *text = getenv("LAYERS_SWEEP_STEP");

    storage_default_pool = "layered";
    sweep_step = text != NULL ? (int)strtol(text, NULL, 10) : 15;
    int seen = sweep("tmpfs", rc, scenarios, ARRAY_SIZE(scenarios));
    return seen + sweep("tmpfs", rc, compaction, ARRAY_SIZE(compaction));
}

TEST(layers_on_tmpfs_are_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep_layers(FAULT_CRASH) >= 0);
}

TEST(layers_on_tmpfs_are_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep_layers(-EIO) >= 0);
}
