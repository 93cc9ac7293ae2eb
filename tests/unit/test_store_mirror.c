/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pool keeps of the database: every table is either in its mirror or left out on purpose,
 * and rows come back as they were.
 */
#include "lib/storage.h"
#include "store/mirror.h"

/* Tables whose rows are not about what lies in a pool, or are measured anew. */
static const char *const left_out[] = {
    "meta",
    "layer",
    "image",
    "image_tag",
    "container",
    "attachment",
    "plugin_mount",
    "operation",
    "intent",
    "event",
    "volume_usage",
    "growth",
    "lease",
    "attachment_snapshot",
    "recreation_member",
    "recreation",
    "generation",
    "replica_group", /* of containers, as those */
    "replica",
    "scaling",
    "departed",
};

static bool is_left_out(const char *table)
{
    for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
        if (strcmp(left_out[i], table) == 0)
            return true;
    return false;
}

static int check_table(const struct row *row, void *context, struct error *err)
{
    const char *table = row_text(row, 0, context);

    (void)err;
    ck_assert_msg((store_mirror_rank(table) >= 0) != is_left_out(table),
                  "table '%s': does a pool have to know it when the database is lost? Then it is to"
                  " be in store/mirror.c, else in this test",
                  table);
    return 0;
}

struct copy {
    struct storage *s;
    json_t *rows; /* in the order in which they were read */
};

static int add_row(void *context, const char *table, const json_t *row, struct error *err)
{
    struct copy *copy = context;

    (void)err;
    json_array_append_new(copy->rows, json_pack("{s:s, s:O}", "t", table, "r", row));
    return 0;
}

static const char *read_all(struct storage *s, const char *pool_id, json_t **rows)
{
    struct copy copy = { s, json_array() };

    CHECK_OK(store_mirror_read(s->task.db, pool_id, add_row, &copy, &s->err), &s->err);
    *rows = copy.rows;
    return json_write(s->task.mem, copy.rows);
}

TEST(every_table_is_mirrored_or_left_out_on_purpose)
{
    cleanup_storage struct storage s;

    if (!storage_enter(&s, "tmpfs"))
        return;
    CHECK(
        db_query(s.task.db,
                 "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
                 NO_ARGS, check_table, s.task.mem, &s.err) > 0);
}

TEST(rows_that_are_read_and_inserted_again_are_the_same)
{
    cleanup_storage struct storage s;
    const struct snapshot_spec first = { .name = "first" };
    struct snapshot snapshot;
    json_t *rows = NULL;
    json_t *again = NULL;
    struct pool pool;

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", "one");
    CHECK_OK(snapshot_create(&s.task, "data", &first, &snapshot, &s.err), &s.err);
    CHECK_OK(pool_get(&s.task, "default", &pool, &s.err), &s.err);
    const char *before = read_all(&s, pool.id, &rows);
    CHECK(db_exec(s.task.db, "DELETE FROM snapshot", NO_ARGS, &s.err) == 1);
    CHECK(db_exec(s.task.db, "DELETE FROM volume", NO_ARGS, &s.err) == 1);
    CHECK(db_exec(s.task.db, "DELETE FROM pool", NO_ARGS, &s.err) == 1);
    for (size_t i = json_array_size(rows); i-- > 0;) { /* what refers was read before */
        const json_t *line = json_array_get(rows, i);
        CHECK_OK(store_mirror_insert(s.task.db, json_string_value(json_object_get(line, "t")),
                                     json_object_get(line, "r"), &s.err),
                 &s.err);
    }
    CHECK_STR(read_all(&s, pool.id, &again), before);
    json_decref(rows);
    json_decref(again);
}

TEST(what_a_row_lacks_or_has_too_much_is_no_obstacle_but_nonsense_is)
{
    cleanup_storage struct storage s;
    struct pool pool;

    if (!storage_enter(&s, "tmpfs"))
        return;
    CHECK_OK(pool_get(&s.task, "default", &pool, &s.err), &s.err);
    cleanup_json json_t *row = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "id", "11111111-2222-4333-8444-555555555555",
        "name", "new", "pool_id", pool.id, "data_id", "21111111-2222-4333-8444-555555555555",
        "state", "ready", "driver", "local", "created_ms", 1, "of_another_version", "x");
    CHECK_OK(store_mirror_insert(s.task.db, "volume", row, &s.err), &s.err);
    CHECK(store_mirror_insert(s.task.db, "volume", row, &s.err) < 0);
    CHECK_INT(s.err.code, ERR_EXISTS);
    json_object_set_new(row, "id", json_string("31111111-2222-4333-8444-555555555555"));
    json_object_set_new(row, "pool_id", json_string("41111111-2222-4333-8444-555555555555"));
    json_object_set_new(row, "name", json_string("newer"));
    json_object_set_new(row, "data_id", json_string("51111111-2222-4333-8444-555555555555"));
    CHECK(store_mirror_insert(s.task.db, "volume", row, &s.err) < 0);
    CHECK_INT(s.err.code, ERR_CONFLICT);
    json_object_set_new(row, "labels", json_array());
    CHECK(store_mirror_insert(s.task.db, "volume", row, &s.err) < 0);
    CHECK_INT(s.err.code, ERR_INVALID);
    CHECK(store_mirror_insert(s.task.db, "container; DROP TABLE pool", row, &s.err) < 0);
    CHECK_INT(s.err.code, ERR_INVALID);
}
