/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of attachments.  Rare properties are a JSON map, so that they need no migration. */
#include "store/attachment.h"

#include <string.h>

struct reader {
    struct arena *mem;
    struct attachment *items;
    size_t count;
    size_t capacity;
};

struct user_reader {
    struct arena *mem;
    struct attachment_user *items;
    size_t count;
    size_t capacity;
};

struct pin_reader {
    struct arena *mem;
    const char *id;
    const char *name;
};

static char *options_text(const struct attachment *attachment, struct arena *mem);
static int options_read(struct attachment *attachment, struct arena *mem, const char *text,
                        struct error *err);
static int read_row(const struct row *row, void *context, struct error *err);
static int read_user(const struct row *row, void *context, struct error *err);
static int read_pin(const struct row *row, void *context, struct error *err);
static bool is_held(const char *lease);

int store_attachment_insert(struct db *db, const struct attachment *attachment, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();

    if (db_exec(db,
                "INSERT INTO attachment (container_id, destination, volume_id, mode, subpath,"
                " options, is_anonymous) VALUES (?, ?, ?, ?, ?, ?, ?)",
                ARGS(TEXT(attachment->container_id), TEXT(attachment->destination),
                     TEXT(attachment->volume_id), TEXT(access_mode_name(attachment->mode)),
                     TEXT(attachment->subpath != NULL ? attachment->subpath : ""),
                     TEXT(options_text(attachment, mem)), I64(attachment->is_anonymous)),
                err) < 0)
        return -1;
    if (attachment->snapshot_id == NULL)
        return 0;
    return db_exec(db,
                   "INSERT INTO attachment_snapshot (container_id, destination, snapshot_id,"
                   " scratch_id, is_own) VALUES (?, ?, ?, ?, ?)",
                   ARGS(TEXT(attachment->container_id), TEXT(attachment->destination),
                        TEXT(attachment->snapshot_id), TEXT(attachment->scratch_id),
                        I64(attachment->is_snapshot_own)),
                   err) < 0
               ? -1
               : 0;
}

int store_attachment_list(struct db *db, struct arena *mem, const char *container_id,
                          struct attachment **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    /* Parents have fewer slashes; the key's order makes equals stable. */
    int count = db_query(db,
                         "SELECT a.container_id, a.destination, a.volume_id, v.name, a.mode,"
                         " a.subpath, a.options, a.is_anonymous, v.driver, s.name, p.snapshot_id,"
                         " p.scratch_id, p.is_own, l.state"
                         " FROM attachment a JOIN volume v ON v.id = a.volume_id"
                         " LEFT JOIN attachment_snapshot p ON p.container_id = a.container_id"
                         " AND p.destination = a.destination"
                         " LEFT JOIN snapshot s ON s.id = p.snapshot_id"
                         " LEFT JOIN lease l ON l.volume_id = a.volume_id"
                         " AND l.container_id = a.container_id"
                         " WHERE a.container_id = ?"
                         " ORDER BY length(a.destination) -"
                         " length(replace(a.destination, '/', '')), a.destination",
                         ARGS(TEXT(container_id)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_attachment_delete(struct db *db, const char *container_id, struct error *err)
{
    return db_exec(db, "DELETE FROM attachment WHERE container_id = ?", ARGS(TEXT(container_id)),
                   err) < 0
               ? -1
               : 0;
}

int store_attachment_delete_one(struct db *db, const char *container_id, const char *destination,
                                struct error *err)
{
    int gone = db_exec(db, "DELETE FROM attachment WHERE container_id = ? AND destination = ?",
                       ARGS(TEXT(container_id), TEXT(destination)), err);

    return gone < 0 ? -1 : 0;
}

int store_attachment_pin(struct db *db, struct arena *mem, const char *snapshot_id,
                         const char **container_id, const char **container_name, struct error *err)
{
    struct pin_reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT c.id, c.name FROM attachment_snapshot p"
                         " JOIN container c ON c.id = p.container_id WHERE p.snapshot_id = ?"
                         " ORDER BY c.created_ns LIMIT 1",
                         ARGS(TEXT(snapshot_id)), read_pin, &reader, err);

    if (count > 0) {
        *container_id = reader.id;
        *container_name = reader.name;
    }
    return count;
}

int store_attachment_users(struct db *db, struct arena *mem, const char *volume_id,
                           struct attachment_user **list, struct error *err)
{
    struct user_reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT c.id, c.name, c.state, c.pid, a.mode, a.destination, l.state,"
                         " EXISTS (SELECT 1 FROM attachment_snapshot p"
                         " WHERE p.container_id = a.container_id"
                         " AND p.destination = a.destination)"
                         " FROM attachment a JOIN container c ON c.id = a.container_id"
                         " LEFT JOIN lease l ON l.volume_id = a.volume_id"
                         " AND l.container_id = a.container_id"
                         " WHERE a.volume_id = ? ORDER BY c.created_ns, c.id",
                         ARGS(TEXT(volume_id)), read_user, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

bool attachment_user_is_live(const struct attachment_user *user)
{
    static const char *const live[] = { "starting", "running", "paused", "restarting" };

    for (size_t i = 0; i < ARRAY_SIZE(live); i++)
        if (strcmp(user->state, live[i]) == 0)
            return true;
    return false;
}

static void set_flag(json_t *object, const char *key, bool is_set)
{
    if (is_set)
        json_set(object, key, json_true());
}

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value != NULL && *value != '\0')
        json_set(object, key, json_text(value));
}

static char *options_text(const struct attachment *attachment, struct arena *mem)
{
    cleanup_json json_t *object = json_object();

    set_flag(object, "nocopy", attachment->is_nocopy);
    set_flag(object, "create_subpath", attachment->can_create_subpath);
    set_flag(object, "nosuid", attachment->is_nosuid);
    set_flag(object, "nodev", attachment->is_nodev);
    set_flag(object, "noexec", attachment->is_noexec);
    set_text(object, "propagation", attachment->propagation);
    set_text(object, "uid_map", attachment->uid_map);
    set_text(object, "gid_map", attachment->gid_map);
    set_flag(object, "standby", attachment->is_standby);
    if (attachment->wait_ms > 0)
        json_set(object, "wait_ms", json_integer(attachment->wait_ms));
    return json_write(mem, object);
}

static int options_read(struct attachment *attachment, struct arena *mem, const char *text,
                        struct error *err)
{
    if (strcmp(text, "{}") == 0)
        return 0;
    cleanup_json json_t *object = json_read(text, strlen(text), err);
    if (object == NULL)
        return -1;
    if (json_get_bool(object, "nocopy", &attachment->is_nocopy, err) < 0 ||
        json_get_bool(object, "create_subpath", &attachment->can_create_subpath, err) < 0 ||
        json_get_bool(object, "nosuid", &attachment->is_nosuid, err) < 0 ||
        json_get_bool(object, "nodev", &attachment->is_nodev, err) < 0 ||
        json_get_bool(object, "noexec", &attachment->is_noexec, err) < 0 ||
        json_get_text(object, "propagation", mem, &attachment->propagation, err) < 0 ||
        json_get_text(object, "uid_map", mem, &attachment->uid_map, err) < 0 ||
        json_get_text(object, "gid_map", mem, &attachment->gid_map, err) < 0 ||
        json_get_bool(object, "standby", &attachment->is_standby, err) < 0 ||
        json_get_int(object, "wait_ms", &attachment->wait_ms, err) < 0)
        return -1;
    return 0;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    struct attachment *attachment = &reader->items[reader->count++];
    *attachment = (struct attachment){
        .container_id = row_text(row, 0, mem),
        .destination = row_text(row, 1, mem),
        .volume_id = row_text(row, 2, mem),
        .volume_name = row_text(row, 3, mem),
        .subpath = row_text(row, 5, mem),
        .is_anonymous = row_bool(row, 7),
        .propagation = "",
        .uid_map = "",
        .gid_map = "",
        .driver = row_text(row, 8, mem),
        .snapshot = row_text(row, 9, mem),
        .snapshot_id = row_text(row, 10, mem),
        .scratch_id = row_text(row, 11, mem),
        .is_snapshot_own = row_bool(row, 12),
        .is_held = is_held(row_text(row, 13, mem)),
    };
    attachment->is_scratch = attachment->scratch_id != NULL;
    if (access_mode_find(row_text(row, 4, mem), &attachment->mode, err) < 0)
        return -1;
    return options_read(attachment, mem, row_text(row, 6, mem), err);
}

static int read_user(const struct row *row, void *context, struct error *err)
{
    struct user_reader *reader = context;
    struct arena *mem = reader->mem;

    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    struct attachment_user *user = &reader->items[reader->count++];
    *user = (struct attachment_user){
        .container_id = row_text(row, 0, mem),
        .container_name = row_text(row, 1, mem),
        .state = row_text(row, 2, mem),
        .pid = row_i64(row, 3),
        .destination = row_text(row, 5, mem),
        .lease = row_text(row, 6, mem),
        .shows_snapshot = row_bool(row, 7),
    };
    if (access_mode_find(row_text(row, 4, mem), &user->mode, err) < 0)
        return -1;
    if (is_held(user->lease))
        user->mode = ACCESS_RO;
    return 0;
}

static bool is_held(const char *lease)
{
    return lease != NULL && strcmp(lease, "writer") != 0;
}

static int read_pin(const struct row *row, void *context, struct error *err)
{
    struct pin_reader *reader = context;

    (void)err;
    reader->id = row_text(row, 0, reader->mem);
    reader->name = row_text(row, 1, reader->mem);
    return 0;
}
