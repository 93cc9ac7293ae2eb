/* SPDX-License-Identifier: Apache-2.0 */
/* Who may write beside whom: every access with every mode, epochs, and what a change of access
 * finds. */
#include "core/attachment/attachment.h"
#include "core/attachment/lease.h"
#include "lib/storage.h"
#include "store/lease.h"
#include "store/plugin_mount.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct use {
    enum access_mode mode;
    bool is_standby;
};

static void add_container(struct storage *s, const char *id, struct use use)
{
    cleanup_tx struct tx tx = { 0 };
    struct attachment_set set = { 0 };
    const struct attachment wanted = {
        .volume_name = "data",
        .destination = "/d",
        .mode = use.mode,
        .is_standby = use.is_standby,
    };

    CHECK_OK(attachment_set_plan(&s->task, &wanted, 1, &set, &s->err), &s->err);
    CHECK_OK(tx_begin(&tx, s->task.db, &s->err), &s->err);
    CHECK(db_exec(s->task.db,
                  "INSERT INTO container (id, name, image_id, image_name, state, config,"
                  " host_config, path, created_ns) VALUES (?1, substr(?1, 1, 2), 'i', 'i',"
                  " 'created', '{}', '{}', 'p', 1)",
                  ARGS(TEXT(id)), &s->err) == 1);
    CHECK_OK(attachment_set_insert(&s->task, &set, id, &s->err), &s->err);
    CHECK_OK(tx_commit(&tx, &s->err), &s->err);
    attachment_set_done(&s->task, &set, true);
}

/* As container_start() does in its transaction. */
static int start(struct storage *s, const char *id)
{
    cleanup_tx struct tx tx = { 0 };

    CHECK_OK(tx_begin(&tx, s->task.db, &s->err), &s->err);
    if (attachment_check_start(&s->task, id, &s->err) < 0)
        return -1;
    CHECK(db_exec(s->task.db, "UPDATE container SET state = 'running' WHERE id = ?", ARGS(TEXT(id)),
                  &s->err) == 1);
    return tx_commit(&tx, &s->err);
}

static void stop(struct storage *s, const char *id)
{
    CHECK_OK(lease_end(&s->task, id, &s->err), &s->err);
    CHECK(db_exec(s->task.db, "UPDATE container SET state = 'exited' WHERE id = ?", ARGS(TEXT(id)),
                  &s->err) == 1);
}

/* "" where there is no lease. */
static const char *lease_of(struct storage *s, const char *id, int64_t *epoch)
{
    struct volume_rule rule;
    struct lease *list = NULL;
    size_t count = 0;

    CHECK_OK(lease_list(&s->task, "data", &rule, &list, &count, &s->err), &s->err);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].container_id, id) != 0)
            continue;
        *epoch = list[i].epoch;
        return list[i].state;
    }
    return "";
}

TEST(every_access_says_who_may_be_beside_whom)
{
    static const struct {
        const char *access;
        struct use first;
        struct use second;
        bool is_allowed;
        const char *lease; /* of the second */
    } rows[] = {
        { "shared", { ACCESS_RW, false }, { ACCESS_RW, false }, true, "writer" },
        { "shared", { ACCESS_EXCLUSIVE, false }, { ACCESS_RW, false }, false, "" },
        { "shared", { ACCESS_RW, false }, { ACCESS_EXCLUSIVE, false }, false, "" },
        { "shared", { ACCESS_EXCLUSIVE, false }, { ACCESS_RO, false }, true, "" },
        { "shared", { ACCESS_RW, false }, { ACCESS_RW, true }, true, "standby" },
        { "shared", { ACCESS_RO, false }, { ACCESS_RW, true }, true, "writer" },
        { "single-writer", { ACCESS_RW, false }, { ACCESS_RW, false }, false, "" },
        { "single-writer", { ACCESS_RW, false }, { ACCESS_RO, false }, true, "" },
        { "single-writer", { ACCESS_RO, false }, { ACCESS_RW, false }, true, "writer" },
        { "single-writer", { ACCESS_RW, false }, { ACCESS_RW, true }, true, "standby" },
        { "exclusive", { ACCESS_RO, false }, { ACCESS_RO, false }, false, "" },
        { "exclusive", { ACCESS_RW, false }, { ACCESS_RW, true }, false, "" },
        { "read-only", { ACCESS_RO, false }, { ACCESS_RO, false }, true, "" },
        { "read-only", { ACCESS_RO, false }, { ACCESS_RW, false }, false, "" },
        { "read-only", { ACCESS_RO, false }, { ACCESS_RW, true }, false, "" },
    };
    cleanup_storage struct storage s = { 0 };

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", NULL);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t epoch = 0;
        CHECK_OK(volume_set_access(&s.task, "data", rows[i].access, NULL, &s.err), &s.err);
        add_container(&s, ID_A, rows[i].first);
        add_container(&s, ID_B, rows[i].second);
        CHECK_OK(start(&s, ID_A), &s.err);
        if (rows[i].is_allowed) {
            CHECK_OK(start(&s, ID_B), &s.err);
        } else {
            CHECK_FAILS(start(&s, ID_B), &s.err, ERR_CONFLICT);
            CHECK(strstr(s.err.message, "'data'") != NULL);
        }
        ck_assert_msg(strcmp(lease_of(&s, ID_B, &epoch), rows[i].lease) == 0, "row %zu: '%s'", i,
                      lease_of(&s, ID_B, &epoch));
        CHECK(db_exec(s.task.db, "DELETE FROM container", NO_ARGS, &s.err) >= 0);
    }
}

TEST(each_writer_has_an_epoch_of_its_own)
{
    cleanup_storage struct storage s = { 0 };
    int64_t first = 0;
    int64_t second = 0;

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", NULL);
    CHECK_OK(volume_set_access(&s.task, "data", "single-writer", NULL, &s.err), &s.err);
    add_container(&s, ID_A, (struct use){ ACCESS_RW, false });
    add_container(&s, ID_B, (struct use){ ACCESS_RW, false });
    CHECK_OK(start(&s, ID_A), &s.err);
    CHECK_STR(lease_of(&s, ID_A, &first), "writer");
    CHECK_FAILS(start(&s, ID_B), &s.err, ERR_CONFLICT);
    stop(&s, ID_A);
    CHECK_STR(lease_of(&s, ID_A, &first), "");
    CHECK_OK(start(&s, ID_B), &s.err);
    CHECK_STR(lease_of(&s, ID_B, &second), "writer");
    CHECK(second > first);
}

TEST(an_access_that_its_users_break_is_refused)
{
    cleanup_storage struct storage s = { 0 };
    int64_t epoch = 0;

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", NULL);
    add_container(&s, ID_A, (struct use){ ACCESS_RW, false });
    add_container(&s, ID_B, (struct use){ ACCESS_RW, false });
    CHECK_OK(start(&s, ID_A), &s.err);
    CHECK_STR(lease_of(&s, ID_A, &epoch), ""); /* nothing to be kept of a volume without a rule */
    CHECK_OK(start(&s, ID_B), &s.err);
    CHECK_FAILS(volume_set_access(&s.task, "data", "single-writer", NULL, &s.err), &s.err,
                ERR_CONFLICT);
    CHECK_FAILS(volume_set_access(&s.task, "data", "read-only", NULL, &s.err), &s.err,
                ERR_CONFLICT);
    stop(&s, ID_B);
    CHECK_OK(volume_set_access(&s.task, "data", "exclusive", "none", &s.err), &s.err);
    CHECK_STR(lease_of(&s, ID_A, &epoch), "writer"); /* what it had, it holds from now on */
    CHECK_FAILS(volume_set_access(&s.task, "data", "open", NULL, &s.err), &s.err, ERR_INVALID);
    CHECK_FAILS(volume_set_access(&s.task, "data", "shared", "who", &s.err), &s.err, ERR_INVALID);
}

TEST(other_engines_count_as_writers)
{
    cleanup_storage struct storage s = { 0 };
    const char *path = NULL;

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", NULL);
    CHECK_OK(volume_set_access(&s.task, "data", "single-writer", NULL, &s.err), &s.err);
    add_container(&s, ID_A, (struct use){ ACCESS_RW, true });
    CHECK_OK(volume_plugin_mount(&s.task, "data", "engine", &path, &s.err), &s.err);
    CHECK_FAILS(start(&s, ID_A), &s.err, ERR_CONFLICT);
    CHECK_FAILS(volume_plugin_mount(&s.task, "data", "other", &path, &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(volume_plugin_mount(&s.task, "data", "engine", &path, &s.err), &s.err);
    CHECK_OK(volume_plugin_unmount(&s.task, "data", "engine", &s.err), &s.err);
    CHECK_OK(volume_plugin_unmount(&s.task, "data", "engine", &s.err), &s.err);
    CHECK_OK(start(&s, ID_A), &s.err);
    CHECK_FAILS(volume_plugin_mount(&s.task, "data", "engine", &path, &s.err), &s.err,
                ERR_CONFLICT);
}
