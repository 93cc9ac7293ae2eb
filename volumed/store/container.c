/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of containers. */
#include "store/container.h"

#include <string.h>

#define COLUMNS                                                                                 \
    "id, name, image_id, image_name, chain_id, state, config, host_config, networking, mounts," \
    " path, args, pid, exit_code, error, is_oom_killed, is_stop_wanted, is_auto_remove,"        \
    " restart_count, generation, health, created_ns, started_ns, finished_ns"
#define SELECTED COLUMNS ", EXISTS (SELECT 1 FROM generation g WHERE g.container_id = container.id)"

struct reader {
    struct arena *mem;
    struct container *items;
    size_t count;
    size_t capacity;
};

struct id_reader {
    struct arena *mem;
    const char *id;
};

static int read_container(const struct row *row, void *context, struct error *err);
static int read_json(const struct row *row, struct arena *mem, struct container *container,
                     struct error *err);
static json_t *column_json(const struct row *row, int column, struct arena *mem, struct error *err);
static int read_id(const struct row *row, void *context, struct error *err);
static int find_prefix(struct db *db, const char *prefix, struct id_reader *reader,
                       struct error *err);
static bool is_hex(const char *text);

int store_container_insert(struct db *db, const struct container *container, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    json_t *args = json_list(container->args);
    const char *args_text = json_write(mem, args);

    json_decref(args);
    return db_exec(
        db,
        "INSERT INTO container (" COLUMNS ")"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ARGS(TEXT(container->id), TEXT(container->name), TEXT(container->image_id),
             TEXT(container->image_name), TEXT(container->chain_id), TEXT(container->state),
             TEXT(json_write(mem, container->config)),
             TEXT(json_write(mem, container->host_config)),
             TEXT(json_write(mem, container->networking)), TEXT(json_write(mem, container->mounts)),
             TEXT(container->path), TEXT(args_text), I64(container->pid), I64(container->exit_code),
             TEXT(container->error), I64(container->is_oom_killed), I64(container->is_stop_wanted),
             I64(container->is_auto_remove), I64(container->restart_count),
             I64(container->generation), TEXT(container->health), I64(container->created_ns),
             I64(container->started_ns), I64(container->finished_ns)),
        err);
}

int store_container_find(struct db *db, struct arena *mem, const char *id,
                         struct container *container, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " SELECTED " FROM container WHERE id = ?", ARGS(TEXT(id)),
                         read_container, &reader, err);

    if (count > 0)
        *container = reader.items[0];
    return count;
}

int store_container_find_id(struct db *db, struct arena *mem, const char *ref, const char **id,
                            struct error *err)
{
    struct id_reader reader = { .mem = mem };
    const char *name = ref[0] == '/' ? ref + 1 : ref;
    int count;

    /* A full id comes before a name that looks like one. */
    count = db_query(db, "SELECT id FROM container WHERE id = ? OR name = ? ORDER BY id = ? DESC",
                     ARGS(TEXT(ref), TEXT(name), TEXT(ref)), read_id, &reader, err);
    if (count > 1)
        count = 1;
    if (count == 0 && is_hex(ref))
        count = find_prefix(db, ref, &reader, err);
    if (count > 0)
        *id = reader.id;
    return count;
}

int store_container_find_name(struct db *db, struct arena *mem, const char *name, const char **id,
                              struct error *err)
{
    return db_query_text(db, mem, "SELECT id FROM container WHERE name = ?", ARGS(TEXT(name)), id,
                         err);
}

int store_container_list(struct db *db, struct arena *mem, bool is_live_only,
                         struct container **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    const char *sql =
        is_live_only
            ? "SELECT " SELECTED " FROM container"
              " WHERE state IN ('running', 'paused', 'restarting') ORDER BY created_ns DESC, id"
            : "SELECT " SELECTED " FROM container ORDER BY created_ns DESC, id";
    int count = db_query(db, sql, NO_ARGS, read_container, &reader, err);

    if (count >= 0)
        *list = reader.items;
    for (size_t i = 0; count < 0 && i < reader.count; i++)
        container_done(&reader.items[i]);
    return count;
}

int store_container_update(struct db *db, const struct container *container, struct error *err)
{
    return db_exec(
        db,
        "UPDATE container SET state = ?, pid = ?, exit_code = ?, error = ?,"
        " is_oom_killed = ?, is_stop_wanted = ?, restart_count = ?, generation = ?,"
        " health = ?, started_ns = ?, finished_ns = ? WHERE id = ?",
        ARGS(TEXT(container->state), I64(container->pid), I64(container->exit_code),
             TEXT(container->error), I64(container->is_oom_killed), I64(container->is_stop_wanted),
             I64(container->restart_count), I64(container->generation), TEXT(container->health),
             I64(container->started_ns), I64(container->finished_ns), TEXT(container->id)),
        err);
}

int store_container_set_name(struct db *db, const char *id, const char *name, struct error *err)
{
    return db_exec(db, "UPDATE container SET name = ? WHERE id = ?", ARGS(TEXT(name), TEXT(id)),
                   err);
}

int store_container_set_host_config(struct db *db, const char *id, const char *host_config,
                                    struct error *err)
{
    return db_exec(db, "UPDATE container SET host_config = ? WHERE id = ?",
                   ARGS(TEXT(host_config), TEXT(id)), err);
}

int store_container_set_config(struct db *db, const char *id, const char *config, struct error *err)
{
    return db_exec(db, "UPDATE container SET config = ? WHERE id = ?", ARGS(TEXT(config), TEXT(id)),
                   err) < 0
               ? -1
               : 0;
}

int store_container_set_health(struct db *db, const char *id, const char *health, struct error *err)
{
    return db_exec(db, "UPDATE container SET health = ? WHERE id = ?", ARGS(TEXT(health), TEXT(id)),
                   err);
}

int store_container_delete(struct db *db, const char *id, struct error *err)
{
    return db_exec(db, "DELETE FROM container WHERE id = ?", ARGS(TEXT(id)), err);
}

int store_container_holder(struct db *db, struct arena *mem, const char *id,
                           const char **operation_id, struct error *err)
{
    return db_query_text(db, mem, "SELECT operation_id FROM intent WHERE object = ?",
                         ARGS(TEXT(arena_printf(mem, "container:%s", id))), operation_id, err);
}

int store_container_has_image(struct db *db, const char *image_id, bool *has_image,
                              struct error *err)
{
    int64_t count;

    if (db_query_i64(db, "SELECT count(*) FROM image WHERE id = ?", ARGS(TEXT(image_id)), &count,
                     err) < 0)
        return -1;
    *has_image = count > 0;
    return 0;
}

int store_container_count(struct db *db, struct container_counts *counts, struct error *err)
{
    static const char all[] = "SELECT count(*) FROM container";
    static const char in_state[] = "SELECT count(*) FROM container WHERE state = ?";

    *counts = (struct container_counts){ 0 };
    if (db_query_i64(db, all, NO_ARGS, &counts->total, err) < 0 ||
        db_query_i64(db, in_state, ARGS(TEXT("running")), &counts->running, err) < 0 ||
        db_query_i64(db, in_state, ARGS(TEXT("paused")), &counts->paused, err) < 0)
        return -1;
    return 0;
}

/* Ids are hex digits, so the prefix with a 'g' after it is above all that begin with the prefix. */
static int find_prefix(struct db *db, const char *prefix, struct id_reader *reader,
                       struct error *err)
{
    return db_query(db, "SELECT id FROM container WHERE id >= ? AND id < ? LIMIT 2",
                    ARGS(TEXT(prefix), TEXT(arena_printf(reader->mem, "%sg", prefix))), read_id,
                    reader, err);
}

static bool is_hex(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789abcdef")] == '\0';
}

static int read_id(const struct row *row, void *context, struct error *err)
{
    struct id_reader *reader = context;

    (void)err;
    if (reader->id == NULL)
        reader->id = row_text(row, 0, reader->mem);
    return 0;
}

static int read_container(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    if (reader->count == reader->capacity) {
        struct container *old = reader->items;
        reader->capacity = reader->capacity == 0 ? 1 : reader->capacity * 4;
        reader->items = arena_array(mem, reader->capacity, sizeof(*old));
        if (old != NULL)
            memcpy(reader->items, old, reader->count * sizeof(*old));
    }
    struct container *container = &reader->items[reader->count];
    *container = (struct container){
        .id = row_text(row, 0, mem),
        .name = row_text(row, 1, mem),
        .image_id = row_text(row, 2, mem),
        .image_name = row_text(row, 3, mem),
        .chain_id = row_text(row, 4, mem),
        .state = row_text(row, 5, mem),
        .path = row_text(row, 10, mem),
        .pid = row_i64(row, 12),
        .exit_code = (int)row_i64(row, 13),
        .error = row_text(row, 14, mem),
        .is_oom_killed = row_bool(row, 15),
        .is_stop_wanted = row_bool(row, 16),
        .is_auto_remove = row_bool(row, 17),
        .restart_count = row_i64(row, 18),
        .generation = row_i64(row, 19),
        .health = row_text(row, 20, mem),
        .created_ns = row_i64(row, 21),
        .started_ns = row_i64(row, 22),
        .finished_ns = row_i64(row, 23),
        .is_retired = row_bool(row, 24),
    };
    if (read_json(row, mem, container, err) < 0) {
        container_done(container);
        return -1;
    }
    reader->count++;
    return 0;
}

static int read_json(const struct row *row, struct arena *mem, struct container *container,
                     struct error *err)
{
    cleanup_json json_t *args = column_json(row, 11, mem, err);
    cleanup_json json_t *holder = json_object();

    json_object_set(holder, "args", args);
    container->config = column_json(row, 6, mem, err);
    container->host_config = column_json(row, 7, mem, err);
    container->networking = column_json(row, 8, mem, err);
    container->mounts = column_json(row, 9, mem, err);
    if (args == NULL || container->config == NULL || container->host_config == NULL ||
        container->networking == NULL || container->mounts == NULL)
        return -1;
    return json_get_list(holder, "args", mem, &container->args, err);
}

/* What we wrote ourselves: anything unreadable is corruption. */
static json_t *column_json(const struct row *row, int column, struct arena *mem, struct error *err)
{
    const char *text = row_text(row, column, mem);
    json_t *json = text == NULL ? NULL : json_read(text, strlen(text), err);

    if (json == NULL)
        (void)fail(err, ERR_CORRUPT, "container '%s' has an unreadable row", row_text(row, 0, mem));
    return json;
}
