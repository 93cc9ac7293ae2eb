/* SPDX-License-Identifier: Apache-2.0 */
/* What volumes take: counted where the filesystem counts, walked and remembered elsewhere. */
#include "base/clock.h"
#include "core/pool/growth.h"
#include "core/volume/volume_measure.h"
#include "lib/storage.h"
#include "store/volume_usage.h"

#define MIB    ((int64_t)1 << 20)
#define DAY_MS ((int64_t)24 * 3600 * 1000)

static struct volume make(struct storage *s, const char *name, const char *size)
{
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume = { 0 };
    enum cost cost;
    bool is_new = false;

    spec.name = name;
    if (size != NULL)
        pairs_set(&spec.options, s->task.mem, "size", size);
    CHECK_OK(volume_create(&s->task, &spec, &volume, &is_new, &cost, &s->err), &s->err);
    return volume;
}

static struct measure measure(struct storage *s, const struct volume *volume,
                              enum measure_effort effort)
{
    struct measure found;

    CHECK_OK(volume_measure(&s->task, volume, effort, &found, &s->err), &s->err);
    return found;
}

TEST(btrfs_counts_what_is_referred_to_and_what_is_a_volumes_own)
{
    cleanup_storage struct storage s = { 0 };
    const struct snapshot_spec cut = { .name = "s1" };
    struct snapshot snapshot;

    if (!storage_enter(&s, "btrfs"))
        return;
    struct volume volume = make(&s, "data", "20M");
    WORLD_RUN("head -c 4M /dev/urandom > %s/f", volume_path(&s.task, &volume));
    CHECK_OK(snapshot_create(&s.task, "data", &cut, &snapshot, &s.err), &s.err);
    WORLD_RUN("head -c 1M /dev/urandom > %s/g", volume_path(&s.task, &volume));
    struct measure found = measure(&s, &volume, MEASURE_FRESH);
    CHECK(found.is_counted);
    CHECK(found.used_bytes >= 5 * MIB && found.used_bytes < 5 * MIB + MIB / 4);
    CHECK(found.exclusive_bytes >= MIB && found.exclusive_bytes < MIB + MIB / 4);
    CHECK_INT(found.apparent_bytes, 5 * MIB);
    CHECK_INT(found.files, 2);
    /* Without asking for more, no walk: what it alone can tell is not known. */
    found = measure(&s, &volume, MEASURE_SOON);
    CHECK(found.is_counted && found.used_bytes >= 5 * MIB && found.walked_ms == 0);
    CHECK_INT(found.apparent_bytes, -1);
}

TEST(a_large_volume_is_walked_once_and_told_with_its_age)
{
    static const char *const filesystems[] = { "btrfs", "ext4" };

    for (size_t i = 0; i < ARRAY_SIZE(filesystems); i++) {
        struct storage s = { 0 };
        if (!storage_enter(&s, filesystems[i]))
            continue;
        struct volume volume = make(&s, "data", NULL);
        const char *path = volume_path(&s.task, &volume);
        WORLD_RUN("cd %s && seq 10001 | xargs touch", path);
        struct measure first = measure(&s, &volume, MEASURE_KNOWN);
        CHECK(!first.is_counted && first.used_bytes == -1 && first.measured_ms == 0);
        first = measure(&s, &volume, MEASURE_SOON);
        CHECK_INT(first.files, 10001);
        WORLD_RUN("printf 12345 > %s/more", path);
        struct measure aged = measure(&s, &volume, MEASURE_SOON);
        CHECK(aged.files == 10001 && aged.walked_ms == first.walked_ms);
        struct measure fresh = measure(&s, &volume, MEASURE_WALK);
        CHECK_INT(fresh.files, 10002);
        CHECK_INT(fresh.apparent_bytes, 5);
        /* btrfs knows that nothing changed since. */
        struct measure again = measure(&s, &volume, MEASURE_WALK);
        CHECK_INT(again.files, 10002);
        CHECK((again.walked_ms == fresh.walked_ms) == (i == 0));
        storage_close(&s);
    }
}

TEST(the_job_walks_and_samples_everything_and_gives_up_at_the_end)
{
    cleanup_storage struct storage s = { 0 };
    struct growth_row row = { 0 };

    if (!storage_enter(&s, "ext4"))
        return;
    struct volume volume = make(&s, "data", NULL);
    WORLD_RUN("head -c 1M /dev/urandom > %s/f", volume_path(&s.task, &volume));
    CHECK_OK(volume_measure_all(&s.task, &s.err), &s.err);
    const char *object = arena_printf(s.task.mem, "volume:%s", volume.id);
    CHECK_INT(store_growth_find(s.task.db, object, &row, &s.err), 1);
    CHECK(row.used_bytes >= MIB);
    object = arena_printf(s.task.mem, "pool:%s", volume.pool_id);
    CHECK_INT(store_growth_find(s.task.db, object, &row, &s.err), 1);
    s.service.is_stopping = true;
    int64_t sampled_ms = row.sampled_ms;
    CHECK_OK(volume_measure_all(&s.task, &s.err), &s.err);
    CHECK_INT(store_growth_find(s.task.db, object, &row, &s.err), 1);
    CHECK_INT(row.sampled_ms, sampled_ms);
}

TEST(growth_is_a_rate_whatever_the_rhythm_of_samples)
{
    cleanup_storage struct storage s = { 0 };
    struct growth growth;
    int64_t now_ms = 20000 * DAY_MS;

    if (!storage_enter(&s, "tmpfs"))
        return;
    CHECK_OK(growth_sample(&s.task, "volume:x", 0, now_ms, &s.err), &s.err);
    CHECK_OK(growth_get(&s.task, "volume:x", 1000 * MIB, &growth, &s.err), &s.err);
    CHECK(growth.bytes_per_day == 0 && growth.full_in_days == GROWTH_DAYS_UNKNOWN);
    /* 24 MiB a day, seen now often, now seldom. */
    for (int hour = 1; hour <= 72; hour += hour % 5 + 1)
        CHECK_OK(
            growth_sample(&s.task, "volume:x", hour * MIB, now_ms + hour * DAY_MS / 24, &s.err),
            &s.err);
    CHECK_OK(growth_get(&s.task, "volume:x", 240 * MIB, &growth, &s.err), &s.err);
    CHECK(growth.bytes_per_day > 23 * MIB && growth.bytes_per_day < 25 * MIB);
    CHECK(growth.full_in_days >= 9 && growth.full_in_days <= 10);
    /* It stops growing: the rate fades within days. */
    for (int hour = 73; hour <= 72 + 24 * 4; hour++)
        CHECK_OK(growth_sample(&s.task, "volume:x", 72 * MIB, now_ms + hour * DAY_MS / 24, &s.err),
                 &s.err);
    CHECK_OK(growth_get(&s.task, "volume:x", 240 * MIB, &growth, &s.err), &s.err);
    CHECK(growth.bytes_per_day < MIB);
}
