/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verb that is repeated with its Idempotency-Key: the same answer, and nothing more is done, also
 * where the first run has taken away or renamed what the verb is about.
 */
#include <string.h>

#include "core/snapshot/set.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/trash.h"
#include "core/volume/volume.h"
#include "lib/storage.h"

struct verb {
    const char *name;
    int (*act)(struct storage *s, const char **answer);
};

static int act_create(struct storage *s, const char **answer)
{
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume = { 0 };
    enum cost cost;
    bool is_new;

    spec.name = "created";
    if (volume_create(&s->task, &spec, &volume, &is_new, &cost, &s->err) < 0)
        return -1;
    *answer = volume.id;
    return 0;
}

static int act_snapshot(struct storage *s, const char **answer)
{
    const struct snapshot_spec spec = { .name = "s2" };
    struct snapshot snapshot = { 0 };

    if (snapshot_create(&s->task, "data", &spec, &snapshot, &s->err) < 0)
        return -1;
    *answer = snapshot.id;
    return 0;
}

static int act_rollback(struct storage *s, const char **answer)
{
    struct snapshot safety = { 0 };

    if (snapshot_rollback(&s->task, "data", "s1", false, &safety, &s->err) < 0)
        return -1;
    *answer = safety.id;
    return 0;
}

static int act_snapshot_remove(struct storage *s, const char **answer)
{
    const struct snapshot_remove_spec spec = { 0 };

    *answer = "";
    return snapshot_remove(&s->task, "data", "s2", &spec, &s->err);
}

static int act_resize(struct storage *s, const char **answer)
{
    *answer = "";
    return volume_resize(&s->task, "created", "none", NULL, &s->err);
}

static int act_rename(struct storage *s, const char **answer)
{
    *answer = "";
    return volume_rename(&s->task, "created", "renamed", &s->err);
}

static int act_protect(struct storage *s, const char **answer)
{
    *answer = "";
    return volume_protect(&s->task, "renamed", false, &s->err);
}

static int act_remove(struct storage *s, const char **answer)
{
    const struct volume_remove_spec spec = { 0 };

    *answer = "";
    return volume_remove(&s->task, "renamed", &spec, &s->err);
}

static int act_restore(struct storage *s, const char **answer)
{
    struct trash_entry entry = { 0 };

    if (trash_restore(&s->task, "renamed", "restored", &entry, &s->err) < 0)
        return -1;
    *answer = arena_printf(s->task.mem, "%s %s %s", entry.id, entry.kind, entry.name);
    return 0;
}

static int act_restore_snapshot(struct storage *s, const char **answer)
{
    struct trash_entry entry = { 0 };

    if (trash_restore(&s->task, "data@s2", NULL, &entry, &s->err) < 0)
        return -1;
    *answer = arena_printf(s->task.mem, "%s %s %s", entry.id, entry.kind, entry.name);
    return 0;
}

/* Each finds what those before it have left. */
static const struct verb verbs[] = {
    { "volume.create", act_create },
    { "snapshot.create", act_snapshot },
    { "snapshot.rollback", act_rollback },
    { "snapshot.remove", act_snapshot_remove },
    { "trash.restore of a snapshot", act_restore_snapshot },
    { "volume.resize", act_resize },
    { "volume.rename", act_rename },
    { "volume.protect", act_protect },
    { "volume.remove", act_remove },
    { "trash.restore", act_restore },
};

static int64_t events(struct storage *s)
{
    int64_t count = 0;

    CHECK_OK(db_query_i64(s->task.db, "SELECT count(*) FROM event", NO_ARGS, &count, &s->err),
             &s->err);
    return count;
}

TEST(a_repeat_with_the_same_key_answers_the_same_and_does_nothing)
{
    struct storage s;
    const struct snapshot_spec spec = { .name = "s1" };
    struct snapshot snapshot;

    if (!world_enter("ext4"))
        return;
    ck_assert_msg(storage_open(&s), "%s", s.err.message);
    s.service.trash_ttl_ms = 3600000;
    (void)storage_volume(&s, "data", "one");
    CHECK_OK(snapshot_create(&s.task, "data", &spec, &snapshot, &s.err), &s.err);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        const char *first = NULL;
        const char *again = NULL;
        s.task.idempotency_key = verbs[i].name;
        ck_assert_msg(verbs[i].act(&s, &first) == 0, "%s: %s", verbs[i].name, s.err.message);
        int64_t before = events(&s);
        ck_assert_msg(verbs[i].act(&s, &again) == 0, "%s again: %s", verbs[i].name, s.err.message);
        ck_assert_msg(strcmp(first, again) == 0, "%s: %s, and then %s", verbs[i].name, first,
                      again);
        CHECK_INT(events(&s), before);
        /* Another verb's key is no key for this one. */
        s.task.idempotency_key = verbs[(i + ARRAY_SIZE(verbs) - 1) % ARRAY_SIZE(verbs)].name;
        if (i > 0 && strncmp(s.task.idempotency_key, verbs[i].name, 10) != 0) {
            CHECK(verbs[i].act(&s, &again) < 0);
            CHECK_INT(s.err.code, ERR_CONFLICT);
        }
    }
    storage_close(&s);
}
