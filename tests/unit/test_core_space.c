/* SPDX-License-Identifier: Apache-2.0 */
/* Watermarks: what is told, what is refused, and that the edge of a mark is told once. */
#include <string.h>

#include "base/json.h"
#include "core/operation/event.h"
#include "core/pool/space.h"
#include "lib/storage.h"

static int64_t used_percent(struct storage *s, const char *pool_id)
{
    struct pool_space space;

    CHECK_OK(pool_space(&s->task, pool_id, &space, &s->err), &s->err);
    return (space.size_bytes - space.free_bytes) * 100 / space.size_bytes;
}

/* Fills the pool's filesystem to a percentage, or empties it to that. */
static void fill_to(struct storage *s, const char *pool_id, int percent)
{
    struct pool_space space;

    WORLD_RUN("rm -f " WORLD_DIR "/full");
    CHECK_OK(pool_space(&s->task, pool_id, &space, &s->err), &s->err);
    int64_t wanted =
        space.size_bytes / 100 * percent + (1 << 16) - (space.size_bytes - space.free_bytes);
    if (wanted > 0)
        WORLD_RUN("head -c %lld /dev/zero > " WORLD_DIR "/full", (long long)wanted);
    CHECK(used_percent(s, pool_id) >= percent - 1 && used_percent(s, pool_id) <= percent + 1);
}

static int count_events(struct storage *s, const char *action)
{
    struct event *list = NULL;
    int found = 0;
    int count = event_list(&s->task, 0, 1000, &list, &s->err);

    CHECK(count >= 0);
    for (int i = 0; i < count; i++)
        found += strcmp(list[i].type, "pool") == 0 && strcmp(list[i].action, action) == 0;
    return found;
}

TEST(each_mark_is_told_once_and_left_a_little_below_it)
{
    cleanup_storage struct storage s = { 0 };
    struct pool pool;

    if (!storage_enter(&s, "ext4"))
        return;
    CHECK_OK(pool_get(&s.task, "default", &pool, &s.err), &s.err);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK_INT(count_events(&s, "space-warn"), 0);
    fill_to(&s, pool.id, 83);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK_INT(count_events(&s, "space-warn"), 1);
    fill_to(&s, pool.id, 97);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK_INT(count_events(&s, "space-refuse"), 1);
    fill_to(&s, pool.id, 50);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK_INT(count_events(&s, "space-calm"), 1);
    /* On the edge: just below the mark that was passed nothing is told. */
    const struct space_marks at_half = { 50, 100, 100 };
    CHECK_OK(space_marks_set(&s.task, "default", &at_half, &s.err), &s.err);
    fill_to(&s, pool.id, 51);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK_INT(count_events(&s, "space-warn"), 2);
    const struct space_marks above = { (int64_t)used_percent(&s, pool.id) + 1, -1, -1 };
    CHECK_OK(space_marks_set(&s.task, "default", &above, &s.err), &s.err);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK_INT(count_events(&s, "space-calm"), 1);
    fill_to(&s, pool.id, 40);
    CHECK_OK(space_tend(&s.task, &s.err), &s.err);
    CHECK_INT(count_events(&s, "space-calm"), 2);
}

TEST(past_its_last_mark_a_pool_takes_volumes_but_no_snapshots)
{
    cleanup_storage struct storage s = { 0 };
    const struct snapshot_spec cut = { .name = "s1" };
    const struct space_marks off = { -1, -1, 100 };
    struct snapshot snapshot;
    struct pool pool;

    if (!storage_enter(&s, "ext4"))
        return;
    CHECK_OK(pool_get(&s.task, "default", &pool, &s.err), &s.err);
    (void)storage_volume(&s, "data", "one");
    fill_to(&s, pool.id, 97);
    CHECK_FAILS(snapshot_create(&s.task, "data", &cut, &snapshot, &s.err), &s.err, ERR_NO_SPACE);
    CHECK(strstr(s.err.message, "no snapshot 'data@s1': pool 'default' is 9") != NULL);
    CHECK(strstr(s.err.message, "refuse=PERCENT") != NULL);
    (void)storage_volume(&s, "other", NULL);
    CHECK_OK(space_marks_set(&s.task, "default", &off, &s.err), &s.err);
    CHECK_OK(snapshot_create(&s.task, "data", &cut, &snapshot, &s.err), &s.err);
}

TEST(marks_must_rise_and_are_kept)
{
    cleanup_storage struct storage s = { 0 };
    const struct space_marks falling = { 90, 80, 95 };
    const struct space_marks beyond = { -1, -1, 101 };
    const struct space_marks one = { -1, 85, -1 };
    struct space_marks kept;
    struct pool pool;

    if (!storage_enter(&s, "ext4"))
        return;
    CHECK_FAILS(space_marks_set(&s.task, "default", &falling, &s.err), &s.err, ERR_INVALID);
    CHECK_FAILS(space_marks_set(&s.task, "default", &beyond, &s.err), &s.err, ERR_INVALID);
    CHECK_FAILS(space_marks_set(&s.task, "nowhere", &one, &s.err), &s.err, ERR_NOT_FOUND);
    CHECK_OK(space_marks_set(&s.task, "default", &one, &s.err), &s.err);
    storage_close(&s);
    CHECK(storage_open(&s));
    CHECK_OK(pool_get(&s.task, "default", &pool, &s.err), &s.err);
    CHECK_OK(space_marks_get(&s.task, pool.id, &kept, &s.err), &s.err);
    CHECK(kept.warn_percent == 80 && kept.purge_percent == 85 && kept.refuse_percent == 95);
}
