/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the pools and has no row. */
#include "base/dir.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile_check.h"
#include "core/volume/volume_view.h"
#include "driver/driver.h"

struct place {
    const struct driver_pool *pool;
    const char *directory; /* in the pool */
    const char *kind;      /* of what has no row there */
    enum tree_place tree_place;
    int fd;
    bool is_repair;
};

struct names {
    const char **items;
    size_t count;
    size_t capacity;
};

static int check_pools(struct task *task, bool is_repair, struct findings *findings,
                       struct error *err);
static int check_pool(struct task *task, const struct driver_pool *pool, bool is_repair,
                      struct findings *findings, struct error *err);
static int check_place(struct task *task, const struct place *place, struct findings *findings,
                       struct error *err);
static int check_entry(struct task *task, const struct place *place, const char *name,
                       struct finding *finding, struct error *err);
static void remove_entry(struct task *task, const struct place *place, const char *name,
                         struct finding *finding);
static int read_names(struct task *task, int dirfd, struct names *names, struct error *err);

const struct reconcile_check reconcile_pools = { "pools", check_pools };

static int check_pools(struct task *task, bool is_repair, struct findings *findings,
                       struct error *err)
{
    struct pool *list = NULL;
    int count = pool_list(task, &list, err);

    for (int i = 0; i < count; i++) {
        const struct driver_pool *pool = NULL;
        struct error reason;
        if (pool_open(task, list[i].id, &pool, &reason) < 0)
            finding_add(task, findings,
                        &(struct finding){ .kind = "refused-pool",
                                           .object = list[i].name,
                                           .text = arena_strdup(task->mem, reason.message) });
        else if (check_pool(task, pool, is_repair, findings, err) < 0)
            return -1;
    }
    return count < 0 ? -1 : 0;
}

static int check_pool(struct task *task, const struct driver_pool *pool, bool is_repair,
                      struct findings *findings, struct error *err)
{
    const struct place places[] = {
        { pool, "volumes", "orphan-volume-data", TREE_IN_VOLUMES, pool->volumes_fd, is_repair },
        { pool, "snapshots", "orphan-snapshot-data", TREE_IN_SNAPSHOTS, pool->snapshots_fd,
          is_repair },
        { pool, "trash", "orphan-trash-data", TREE_IN_TRASH, pool->trash_fd, is_repair },
        { pool, "tmp", "leftover", TREE_IN_TMP, pool->tmp_fd, is_repair },
    };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (check_place(task, &places[i], findings, err) < 0)
            return -1;
    return 0;
}

/* The names are read first: what is made meanwhile is not looked at. */
static int check_place(struct task *task, const struct place *place, struct findings *findings,
                       struct error *err)
{
    struct names names = { 0 };

    if (read_names(task, place->fd, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        struct finding finding = { 0 };
        int found = check_entry(task, place, names.items[i], &finding, err);
        if (found < 0)
            return -1;
        if (found == 0)
            continue;
        if (place->is_repair && finding.can_repair)
            remove_entry(task, place, names.items[i], &finding);
        finding_add(task, findings, &finding);
    }
    return 0;
}

/* 1: a finding.  Only names of our own making are ever removed. */
static int check_entry(struct task *task, const struct place *place, const char *name,
                       struct finding *finding, struct error *err)
{
    *finding = (struct finding){
        .kind = place->kind,
        .object = arena_printf(task->mem, "%s/%s/%s", place->pool->path, place->directory, name),
    };
    if (!uuid_is_valid(name)) {
        finding->kind = "unknown-file";
        finding->text = "volumed did not make it and leaves it alone";
        return 1;
    }
    int is_garbage = reconcile_is_garbage(task, place->pool->id, name, err);
    if (is_garbage <= 0)
        return is_garbage;
    if (view_tree_is_empty(place->pool, place->tree_place, name)) {
        struct error ignored; /* else the next time */
        /* A spare of a process that was killed: not worth a word. */
        if (place->is_repair)
            (void)view_tree_remove(place->pool, place->tree_place, name, &ignored);
        return 0;
    }
    finding->text = "no volume and no snapshot has its data there";
    finding->can_repair = true;
    return 1;
}

static void remove_entry(struct task *task, const struct place *place, const char *name,
                         struct finding *finding)
{
    struct error reason;

    finding->is_repaired = view_tree_remove(place->pool, place->tree_place, name, &reason) == 0;
    if (!finding->is_repaired)
        finding->text =
            arena_printf(task->mem, "%s; it cannot be removed: %s", finding->text, reason.message);
}

static int read_names(struct task *task, int dirfd, struct names *names, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(dirfd, ".", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read a pool's directory");
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        if (names->count == names->capacity)
            names->items =
                arena_grow(task->mem, names->items, &names->capacity, sizeof(*names->items));
        names->items[names->count++] = arena_strdup(task->mem, entry->d_name);
    }
    return 0;
}
