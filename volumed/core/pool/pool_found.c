/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three passes over a pool's own copy: rows of volumes whose data is there, rows of snapshots and
 * the rest that belong to those, then trees that are left over.
 */
#include "core/pool/pool_found.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/fs.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/pool/pool_disk.h"
#include "core/pool/pool_identity.h"
#include "core/pool/pool_mirror.h"
#include "core/volume/volume_view.h"
#include "store/mirror.h"
#include "store/volume.h"

#define SHORT_ID 13 /* of a UUID: what tells one from another that was made at another time */

struct reading {
    struct task *task;
    const struct driver_pool *open;
    struct found *found;
    json_t *lines;   /* by rank: [[row, …], …] */
    json_t *known;   /* trees that a row has: {name: true} */
    json_t *volumes; /* that come back: {id: name} */
    json_t *names;   /* given to volumes here: {name: true} */
};

static void reading_done(struct reading *reading);
static int take_pool_line(void *context, const json_t *line, struct error *err);
static int take_line(void *context, const json_t *line, struct error *err);
static int place_rows(struct reading *reading, struct error *err);
static int place_volume(struct reading *reading, json_t *row, struct error *err);
static int place_snapshot(struct reading *reading, json_t *row);
static void place_other(struct reading *reading, const char *table, json_t *row);
static int find_strays(struct reading *reading, int fd, bool is_snapshot, struct error *err);
static int add_stray(struct reading *reading, int fd, const char *name, bool is_snapshot,
                     struct error *err);
static int choose_name(struct reading *reading, const char *wanted, const char *id,
                       const char **name, struct error *err);
static int is_taken(struct reading *reading, const char *name, struct error *err);
static bool has_tree(int fd, const char *name);
static const char *text_of(const json_t *row, const char *column);
static void add_row(struct found *found, const char *table, json_t *row);
static void report(struct found *found, const char *kind, const char *id, const char *name,
                   const char *was, const char *state);

void found_done(struct found *found)
{
    json_decref(found->rows);
    json_decref(found->report);
    found->rows = NULL;
    found->report = NULL;
}

int found_identify(struct task *task, int fd, struct found *found, struct error *err)
{
    struct error absent;

    if (pool_identity_read(task->mem, fd, &found->pool, err) < 0)
        return -1;
    cleanup_fd int meta = sys_openat(fd, "meta", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    struct reading reading = { .task = task, .found = found };
    if (meta >= 0 && pool_mirror_read(meta, take_pool_line, &reading, &absent) < 0 &&
        absent.code != ERR_NOT_FOUND) {
        *err = absent;
        return -1;
    }
    return 0;
}

int found_read(struct task *task, const struct driver_pool *open, struct found *found,
               struct error *err)
{
    CLEANUP(reading_done)
    struct reading reading = {
        .task = task,
        .open = open,
        .found = found,
        .lines = json_array(),
        .known = json_object(),
        .volumes = json_object(),
        .names = json_object(),
    };

    found->rows = json_array();
    found->report = json_array();
    for (int i = 0; i < store_mirror_rank_count(); i++)
        json_add(reading.lines, json_array());
    if (pool_mirror_read(open->meta_fd, take_line, &reading, err) < 0 && err->code != ERR_NOT_FOUND)
        return -1;
    if (place_rows(&reading, err) < 0 || find_strays(&reading, open->volumes_fd, false, err) < 0)
        return -1;
    return find_strays(&reading, open->snapshots_fd, true, err);
}

static void reading_done(struct reading *reading)
{
    json_decref(reading->lines);
    json_decref(reading->known);
    json_decref(reading->volumes);
    json_decref(reading->names);
}

/* The pool's name, and its disk. */
static int take_pool_line(void *context, const json_t *line, struct error *err)
{
    struct reading *reading = context;
    struct found *found = reading->found;
    const json_t *row = json_object_get(line, "r");
    const char *table = text_of(line, "t");

    if (strcmp(table, "pool") == 0 && strcmp(text_of(row, "id"), found->pool.id) == 0)
        found->pool.name = arena_strdup(reading->task->mem, text_of(row, "name"));
    if (strcmp(table, "pool") == 0) {
        found->was_default = json_integer_value(json_object_get(row, "is_default")) != 0;
        return json_get_int(row, "created_ms", &found->pool.created_ms, err);
    }
    if (strcmp(table, "pool_disk") != 0)
        return 0;
    int64_t is_device = 0;
    found->disk = (struct pool_disk){
        .pool_id = found->pool.id,
        .path = arena_strdup(reading->task->mem, text_of(row, "path")),
        .filesystem = arena_strdup(reading->task->mem, text_of(row, "filesystem")),
    };
    if (json_get_int(row, "is_device", &is_device, err) < 0 ||
        json_get_int(row, "size_bytes", &found->disk.size_bytes, err) < 0 ||
        json_get_int(row, "max_bytes", &found->disk.max_bytes, err) < 0)
        return -1;
    found->disk.is_device = is_device != 0;
    return 0;
}

static int take_line(void *context, const json_t *line, struct error *err)
{
    struct reading *reading = context;
    const char *table = text_of(line, "t");
    json_t *row = json_object_get(line, "r");
    int rank = store_mirror_rank(table);

    (void)err;
    /* The pool itself is not what was, but what it is to be; its disk too. */
    if (rank < 0 || !json_is_object(row) || strcmp(table, "pool") == 0 ||
        strcmp(table, "pool_disk") == 0)
        return 0;
    json_add(json_array_get(reading->lines, (size_t)rank),
             json_pack("{s:s, s:O}", "t", table, "r", row));
    return 0;
}

static int place_rows(struct reading *reading, struct error *err)
{
    size_t rank;
    size_t i;
    json_t *lines;
    json_t *line;

    json_array_foreach(reading->lines, rank, lines)
    {
        json_array_foreach(lines, i, line)
        {
            const char *table = text_of(line, "t");
            json_t *row = json_object_get(line, "r");
            int rc = 0;
            if (strcmp(table, "volume") == 0)
                rc = place_volume(reading, row, err);
            else if (strcmp(table, "snapshot") == 0)
                rc = place_snapshot(reading, row);
            else
                place_other(reading, table, row);
            if (rc < 0)
                return -1;
        }
    }
    return 0;
}

static int place_volume(struct reading *reading, json_t *row, struct error *err)
{
    const struct driver_pool *open = reading->open;
    const char *id = text_of(row, "id");
    const char *was = text_of(row, "name");
    const char *data_id = text_of(row, "data_id");
    const char *name = was;

    if (!uuid_is_valid(id) || !uuid_is_valid(data_id))
        return 0;
    if (!has_tree(open->volumes_fd, data_id) && !has_tree(open->trash_fd, data_id)) {
        report(reading->found, "volume", id, was, was, FOUND_MISSING);
        return 0;
    }
    if (choose_name(reading, was, id, &name, err) < 0)
        return -1;
    bool is_renamed = strcmp(name, was) != 0;
    json_set(reading->known, data_id, json_true());
    json_set(reading->volumes, id, json_text(name));
    report(reading->found, "volume", id, name, was, is_renamed ? FOUND_RENAMED : FOUND_ADOPTED);
    reading->found->volume_count++;
    if (is_renamed)
        json_set(row, "name", json_text(name)); /* 'was' is gone with it */
    json_set(row, "pool_id", json_text(reading->found->pool.id));
    add_row(reading->found, "volume", row);
    return 0;
}

static int place_snapshot(struct reading *reading, json_t *row)
{
    const char *id = text_of(row, "id");
    const char *volume =
        json_string_value(json_object_get(reading->volumes, text_of(row, "volume_id")));
    struct task *task = reading->task;

    if (!uuid_is_valid(id))
        return 0;
    bool is_there = has_tree(reading->open->snapshots_fd, id);
    if (volume == NULL) /* its data, if any, becomes a volume */
        return 0;
    const char *name = arena_printf(task->mem, "%s@%s", volume, text_of(row, "name"));
    report(reading->found, "snapshot", id, name, name, is_there ? FOUND_ADOPTED : FOUND_MISSING);
    if (!is_there)
        return 0;
    json_set(reading->known, id, json_true());
    reading->found->snapshot_count++;
    json_set(row, "pool_id", json_text(reading->found->pool.id));
    add_row(reading->found, "snapshot", row);
    return 0;
}

/* Whose volume or snapshot is missing is refused by its foreign key, when it is inserted. */
static void place_other(struct reading *reading, const char *table, json_t *row)
{
    if (json_object_get(row, "pool_id") != NULL)
        json_set(row, "pool_id", json_text(reading->found->pool.id));
    add_row(reading->found, table, row);
}

static int find_strays(struct reading *reading, int fd, bool is_snapshot, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(fd, ".", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read a pool's directory");
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;)
        if (uuid_is_valid(entry->d_name) &&
            json_object_get(reading->known, entry->d_name) == NULL &&
            add_stray(reading, fd, entry->d_name, is_snapshot, err) < 0)
            return -1;
    return 0;
}

/* Empty ones are spares, or say nothing. */
static int add_stray(struct reading *reading, int fd, const char *name, bool is_snapshot,
                     struct error *err)
{
    struct arena *mem = reading->task->mem;
    struct found *found = reading->found;
    const char *given = NULL;
    enum tree_place place = is_snapshot ? TREE_IN_SNAPSHOTS : TREE_IN_VOLUMES;
    char id[UUID_SIZE];
    cleanup_fd int tree = sys_openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (tree == -ENOTDIR || tree == -ELOOP)
        return 0;
    if (tree < 0)
        return fail_sys(err, tree, "cannot open '%s'", name);
    if (view_tree_is_empty(reading->open, place, name))
        return 0;
    const char *kept = arena_strdup(mem, name);
    const char *wanted = arena_printf(mem, "found-%.*s", SHORT_ID, kept);
    if (choose_name(reading, wanted, kept, &given, err) < 0)
        return -1;
    if (is_snapshot) {
        if (found->stray_count == found->stray_capacity)
            found->strays =
                arena_grow(mem, found->strays, &found->stray_capacity, sizeof(*found->strays));
        found->strays[found->stray_count++] = kept;
    }
    uuid_make(id);
    cleanup_json json_t *row =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id", id, "name", given, "pool_id",
                  found->pool.id, "data_id", kept, "state", "ready", "driver", "local",
                  "created_ms", (json_int_t)clock_now_ms());
    report(found, is_snapshot ? "snapshot" : "volume", id, given, "", FOUND_UNKNOWN);
    found->volume_count++;
    add_row(found, "volume", row);
    return 0;
}

/* What is in the trash has a name that nobody else can have. */
static int choose_name(struct reading *reading, const char *wanted, const char *id,
                       const char **name, struct error *err)
{
    const char *candidate = arena_strdup(reading->task->mem, wanted);

    for (int number = 1;; number++) {
        int taken = is_taken(reading, candidate, err);
        if (taken < 0)
            return -1;
        if (taken == 0)
            break;
        candidate = number == 1 ? arena_printf(reading->task->mem, "%s-%.*s", wanted, SHORT_ID, id)
                                : arena_printf(reading->task->mem, "%s-%.*s-%d", wanted, SHORT_ID,
                                               id, number);
    }
    json_set(reading->names, candidate, json_true());
    *name = candidate;
    return 0;
}

static int is_taken(struct reading *reading, const char *name, struct error *err)
{
    struct volume other;

    if (json_object_get(reading->names, name) != NULL)
        return 1;
    return store_volume_find(reading->task->db, reading->task->mem, name, &other, err);
}

static bool has_tree(int fd, const char *name)
{
    struct stat st;

    return sys_fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static const char *text_of(const json_t *row, const char *column)
{
    const char *text = json_string_value(json_object_get(row, column));

    return text != NULL ? text : "";
}

static void add_row(struct found *found, const char *table, json_t *row)
{
    json_add(found->rows, json_pack("{s:s, s:O}", "t", table, "r", row));
}

static void report(struct found *found, const char *kind, const char *id, const char *name,
                   const char *was, const char *state)
{
    json_add(found->report, json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", kind, "id", id, "name",
                                      name, "was", was, "state", state));
}
