/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of images and their names. */
#include "store/image.h"

#include <string.h>

#define COLUMNS                                             \
    "id, config, chain_id, parent, size_bytes, created_ms," \
    " (SELECT count(*) FROM container WHERE container.image_id = image.id)"

struct reader {
    struct arena *mem;
    void *items;
    size_t count;
    size_t capacity;
};

static int read_image(const struct row *row, void *context, struct error *err);
static int read_text(const struct row *row, void *context, struct error *err);
static int read_user(const struct row *row, void *context, struct error *err);
static void *add(struct reader *reader, size_t size);
static int read_tags(struct db *db, struct arena *mem, struct image *image, struct error *err);

int store_image_insert(struct db *db, const struct image *image, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO image (id, config, chain_id, parent, size_bytes, created_ms)"
                   " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                   ARGS(TEXT(image->id), TEXT(image->config), TEXT(image->chain_id),
                        TEXT(image->parent), I64(image->size_bytes), I64(image->created_ms)),
                   err);
}

int store_image_find(struct db *db, struct arena *mem, const char *id, struct image *image,
                     struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " COLUMNS " FROM image WHERE id = ?", ARGS(TEXT(id)),
                         read_image, &reader, err);

    if (count > 0) {
        struct image found = *(struct image *)reader.items;
        if (read_tags(db, mem, &found, err) < 0)
            return -1;
        *image = found;
    }
    return count;
}

int store_image_find_name(struct db *db, struct arena *mem, const char *name, const char **id,
                          struct error *err)
{
    return db_query_text(db, mem, "SELECT image_id FROM image_tag WHERE name = ?", ARGS(TEXT(name)),
                         id, err);
}

int store_image_find_prefix(struct db *db, struct arena *mem, const char *prefix, const char **id,
                            struct error *err)
{
    struct reader reader = { .mem = mem };
    /* A range, so that the index serves; '~' sorts after all digits. */
    int count = db_query(db, "SELECT id FROM image WHERE id >= ?1 AND id < ?1 || '~' LIMIT 2",
                         ARGS(TEXT(prefix)), read_text, &reader, err);

    if (count > 0)
        *id = *(const char **)reader.items;
    return count;
}

int store_image_list(struct db *db, struct arena *mem, struct image **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " COLUMNS " FROM image ORDER BY created_ms DESC, id", NO_ARGS,
                         read_image, &reader, err);
    struct image *images = reader.items;

    for (int i = 0; i < count; i++)
        if (read_tags(db, mem, &images[i], err) < 0)
            return -1;
    if (count >= 0)
        *list = images;
    return count;
}

int store_image_delete(struct db *db, const char *id, struct error *err)
{
    return db_exec(db, "DELETE FROM image WHERE id = ?", ARGS(TEXT(id)), err);
}

int store_image_tag(struct db *db, const char *name, const char *id, int64_t created_ms,
                    struct error *err)
{
    return db_exec(db,
                   "INSERT INTO image_tag (name, image_id, created_ms) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT (name) DO UPDATE SET image_id = ?2, created_ms = ?3",
                   ARGS(TEXT(name), TEXT(id), I64(created_ms)), err);
}

int store_image_untag(struct db *db, const char *name, struct error *err)
{
    return db_exec(db, "DELETE FROM image_tag WHERE name = ?", ARGS(TEXT(name)), err);
}

int store_image_count_children(struct db *db, const char *id, int64_t *count, struct error *err)
{
    return db_query_i64(db, "SELECT count(*) FROM image WHERE parent = ?", ARGS(TEXT(id)), count,
                        err);
}

int store_image_list_users(struct db *db, struct arena *mem, const char *id,
                           struct image_user **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT id, state IN ('starting', 'running', 'paused', 'restarting')"
                         " FROM container WHERE image_id = ? ORDER BY 2 DESC, created_ns",
                         ARGS(TEXT(id)), read_user, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

static int read_image(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct image *image = add(reader, sizeof(*image));

    (void)err; /* nothing here can fail */
    image->id = row_text(row, 0, reader->mem);
    image->config = row_text(row, 1, reader->mem);
    image->chain_id = row_text(row, 2, reader->mem);
    image->parent = row_text(row, 3, reader->mem);
    image->size_bytes = row_i64(row, 4);
    image->created_ms = row_i64(row, 5);
    image->container_count = row_i64(row, 6);
    return 0;
}

static int read_text(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    const char **text = add(reader, sizeof(*text));

    (void)err; /* nothing here can fail */
    *text = row_text(row, 0, reader->mem);
    return 0;
}

static int read_user(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct image_user *user = add(reader, sizeof(*user));

    (void)err; /* nothing here can fail */
    user->container_id = row_text(row, 0, reader->mem);
    user->is_running = row_bool(row, 1);
    return 0;
}

/* Room for one more, zeroed, with another after it: lists end in zero. */
static void *add(struct reader *reader, size_t size)
{
    if (reader->count + 1 >= reader->capacity) {
        size_t capacity = reader->capacity > 0 ? 2 * reader->capacity : 4;
        char *items = arena_array(reader->mem, capacity, size);
        if (reader->count > 0)
            memcpy(items, reader->items, reader->count * size);
        reader->items = items;
        reader->capacity = capacity;
    }
    return (char *)reader->items + size * reader->count++;
}

static int read_tags(struct db *db, struct arena *mem, struct image *image, struct error *err)
{
    struct reader reader = { .mem = mem };

    if (db_query(db, "SELECT name FROM image_tag WHERE image_id = ? ORDER BY name",
                 ARGS(TEXT(image->id)), read_text, &reader, err) < 0)
        return -1;
    image->tags = reader.items != NULL ? reader.items : arena_alloc(mem, sizeof(char *));
    return 0;
}
