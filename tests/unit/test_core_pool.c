/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: identity, refusal, reconcile, and the mounts of other engines. */
#include "core/pool/pool.h"
#include "core/reconcile/reconcile.h"
#include "lib/storage.h"
#include "store/plugin_mount.h"

static int make(struct storage *s, const char *name, const char *path, const char *driver)
{
    struct pool pool;

    return pool_create(&s->task, name, path, driver, &pool, &s->err);
}

static const struct finding *find(const struct findings *findings, const char *kind)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].kind, kind) == 0)
            return &findings->items[i];
    return NULL;
}

TEST(a_pool_takes_the_driver_that_fits_and_no_other)
{
    cleanup_storage struct storage s = { 0 };
    struct pool pool;
    struct pool_space space;

    if (!storage_enter(&s, "btrfs"))
        return;
    CHECK_OK(pool_get(&s.task, "default", &pool, &s.err), &s.err);
    CHECK_STR(pool.driver, "btrfs");
    CHECK(pool.is_default);
    CHECK_FAILS(make(&s, "odd", WORLD_DIR "/odd", "zfs"), &s.err, ERR_INVALID);
    CHECK_FAILS(make(&s, "odd", WORLD "/tmpfs", "btrfs"), &s.err, ERR_UNSUPPORTED);
    CHECK_FAILS(make(&s, "odd", "relative", NULL), &s.err, ERR_INVALID);
    CHECK_FAILS(make(&s, "odd", "/proc/none/there", NULL), &s.err, ERR_NOT_FOUND);
    CHECK_OK(make(&s, "plain", WORLD_DIR "/plain", "directory"), &s.err);
    CHECK_OK(pool_space(&s.task, "plain", &space, &s.err), &s.err);
    CHECK(space.size_bytes > 0 && space.free_bytes > 0);
    CHECK_FAILS(make(&s, "plain", WORLD_DIR "/other", NULL), &s.err, ERR_EXISTS);
    CHECK_FAILS(make(&s, "again", WORLD_DIR "/plain", NULL), &s.err, ERR_EXISTS);
    WORLD_RUN("mkdir " WORLD_DIR "/full && touch " WORLD_DIR "/full/f");
    CHECK_FAILS(make(&s, "full", WORLD_DIR "/full", NULL), &s.err, ERR_CONFLICT);
    WORLD_RUN("test -e " WORLD_DIR "/full/f");
    CHECK_FAILS(pool_remove(&s.task, "default", &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(pool_remove(&s.task, "plain", &s.err), &s.err);
    CHECK_OK(make(&s, "plain", WORLD_DIR "/plain", NULL), &s.err);
}

TEST(a_pool_whose_disk_is_not_mounted_is_refused_until_it_is)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    struct findings findings;
    enum cost cost;
    bool is_new = false;

    if (!storage_enter(&s, "ext4"))
        return;
    WORLD_RUN("mkdir " WORLD "/disk && mount -t tmpfs none " WORLD "/disk");
    CHECK_OK(make(&s, "disk", WORLD "/disk", NULL), &s.err);
    spec.name = "data";
    spec.pool = "disk";
    CHECK_OK(volume_create(&s.task, &spec, &volume, &is_new, &cost, &s.err), &s.err);
    WORLD_RUN("touch %s/f", volume_path(&s.task, &volume));
    CHECK_FAILS(pool_remove(&s.task, "disk", &s.err), &s.err, ERR_CONFLICT);
    storage_close(&s);
    WORLD_RUN("mkdir " WORLD "/aside && mount --move " WORLD "/disk " WORLD "/aside");

    CHECK(storage_open(&s));
    spec.name = "more";
    CHECK_FAILS(volume_create(&s.task, &spec, &volume, &is_new, &cost, &s.err), &s.err,
                ERR_CONFLICT);
    CHECK(strstr(s.err.message, "is the pool's disk mounted?") != NULL);
    CHECK_OK(reconcile(&s.task, true, &findings, &s.err), &s.err);
    CHECK_INT((int)findings.count, 1);
    CHECK_STR(findings.items[0].kind, "refused-pool");
    WORLD_RUN("mount --move " WORLD "/aside " WORLD "/disk");
    CHECK_OK(volume_create(&s.task, &spec, &volume, &is_new, &cost, &s.err), &s.err);
    CHECK_OK(volume_get(&s.task, "data", &volume, &s.err), &s.err);
    WORLD_RUN("test -e %s/f", volume_path(&s.task, &volume));
}

TEST(a_pool_with_anothers_identity_is_refused)
{
    cleanup_storage struct storage s = { 0 };

    if (!storage_enter(&s, "tmpfs"))
        return;
    storage_close(&s);
    WORLD_RUN("sed -i 's/\"id\":\"[0-9a-f]*/\"id\":\"00000000/' " STATE "/pools/default/pool.json");
    CHECK(storage_open(&s));
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    enum cost cost;
    bool is_new;
    CHECK_FAILS(volume_create(&s.task, &spec, &volume, &is_new, &cost, &s.err), &s.err,
                ERR_CONFLICT);
    CHECK(strstr(s.err.message, "another pool is there") != NULL);
    WORLD_RUN("sed -i 's/\"format\":1/\"format\":2/' " STATE "/pools/default/pool.json");
    CHECK_FAILS(volume_create(&s.task, &spec, &volume, &is_new, &cost, &s.err), &s.err,
                ERR_CONFLICT);
    CHECK(strstr(s.err.message, "format 2") != NULL);
}

TEST(reconcile_removes_garbage_and_tells_what_is_missing)
{
    cleanup_storage struct storage s = { 0 };
    struct findings findings;
    static const char *const ids[] = { "00000000-0000-4000-8000-000000000001",
                                       "00000000-0000-4000-8000-000000000002" };

    if (!storage_enter(&s, "btrfs"))
        return;
    struct volume volume = storage_volume(&s, "data", "x");
    WORLD_RUN("cd " STATE "/pools/default && mkdir -p volumes/%s tmp/%s && touch volumes/%s/f"
              " tmp/%s/f volumes/mine",
              ids[0], ids[1], ids[0], ids[1]);
    WORLD_RUN("mv %s " WORLD_DIR "/away", volume_path(&s.task, &volume));
    CHECK_OK(reconcile(&s.task, false, &findings, &s.err), &s.err);
    CHECK_INT((int)findings.count, 4);
    CHECK(find(&findings, "orphan-volume-data")->can_repair);
    CHECK(find(&findings, "leftover") != NULL);
    CHECK(!find(&findings, "unknown-file")->can_repair);
    CHECK(!find(&findings, "missing-volume-data")->can_repair);
    WORLD_RUN("test -e " STATE "/pools/default/volumes/%s/f", ids[0]);
    CHECK_OK(reconcile(&s.task, true, &findings, &s.err), &s.err);
    CHECK(find(&findings, "orphan-volume-data")->is_repaired);
    CHECK_OK(reconcile(&s.task, false, &findings, &s.err), &s.err);
    CHECK_INT((int)findings.count, 2);
    WORLD_RUN("mv " WORLD_DIR "/away %s && rm " STATE "/pools/default/volumes/mine",
              volume_path(&s.task, &volume));
    CHECK_OK(reconcile(&s.task, false, &findings, &s.err), &s.err);
    CHECK_INT((int)findings.count, 0);
    storage_check_text(&s, "data", "x");
}

TEST(mounts_of_other_engines_are_a_multiset_that_dies_with_the_boot)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_remove_spec remove = { 0 };
    struct findings findings;
    const char *path = NULL;
    int64_t count = 0;

    if (!storage_enter(&s, "ext4"))
        return;
    struct volume volume = storage_volume(&s, "data", "x");
    CHECK_OK(volume_plugin_mount(&s.task, "data", "a", &path, &s.err), &s.err);
    CHECK_STR(path, volume_path(&s.task, &volume));
    CHECK_OK(volume_plugin_mount(&s.task, "data", "a", &path, &s.err), &s.err);
    CHECK_OK(volume_plugin_mount(&s.task, "data", "b", &path, &s.err), &s.err);
    CHECK_OK(volume_plugin_unmount(&s.task, "data", "a", &s.err), &s.err);
    CHECK_OK(volume_plugin_mount_count(&s.task, volume.id, &count, &s.err), &s.err);
    CHECK_INT((int)count, 2);
    CHECK_FAILS(volume_remove(&s.task, "data", &remove, &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(volume_plugin_unmount(&s.task, "data", "a", &s.err), &s.err);
    CHECK_OK(volume_plugin_unmount(&s.task, "data", "a", &s.err), &s.err);
    CHECK_OK(volume_plugin_mount_count(&s.task, volume.id, &count, &s.err), &s.err);
    CHECK_INT((int)count, 1);
    (void)snprintf(s.service.boot_id, sizeof(s.service.boot_id), "the next boot");
    CHECK_OK(reconcile(&s.task, true, &findings, &s.err), &s.err);
    CHECK_STR(findings.items[0].kind, "stale-plugin-mounts");
    CHECK_OK(volume_remove(&s.task, "data", &remove, &s.err), &s.err);
}

TEST(a_foreign_filesystem_that_nobody_uses_is_unmounted)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    struct findings findings;
    const char *path = NULL;
    enum cost cost;
    bool is_new = false;

    if (!storage_enter(&s, "ext4"))
        return;
    spec.name = "ram";
    pairs_set(&spec.options, s.task.mem, "type", "tmpfs");
    pairs_set(&spec.options, s.task.mem, "device", "tmpfs");
    CHECK_OK(volume_create(&s.task, &spec, &volume, &is_new, &cost, &s.err), &s.err);
    CHECK_OK(volume_plugin_mount(&s.task, "ram", "a", &path, &s.err), &s.err);
    WORLD_RUN("touch %s/f && mountpoint -q %s", path, path);
    CHECK_OK(reconcile(&s.task, true, &findings, &s.err), &s.err);
    CHECK_INT((int)findings.count, 0);
    CHECK_OK(store_plugin_mount_take(s.task.db, volume.id, "a", &s.err), &s.err);
    CHECK_OK(reconcile(&s.task, true, &findings, &s.err), &s.err);
    CHECK_STR(findings.items[0].kind, "unused-mount");
    WORLD_RUN("! mountpoint -q %s", path);
    CHECK_OK(volume_plugin_mount(&s.task, "ram", "a", &path, &s.err), &s.err);
    CHECK_OK(volume_plugin_unmount(&s.task, "ram", "a", &s.err), &s.err);
    WORLD_RUN("! mountpoint -q %s", path);
}
