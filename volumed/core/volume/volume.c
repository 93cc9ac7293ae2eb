/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at volumes: get, list, path, references.  Changing them is volume_*.c's. */
#include "core/volume/volume.h"

#include <string.h>

#include "base/sys.h"
#include "core/fence/liveness.h"
#include "core/pool/pool.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_foreign.h"
#include "core/volume/volume_view.h"
#include "store/attachment.h"
#include "store/volume.h"

const char *const volume_filters[] = {
    "name", "label", "label!", "driver", "dangling", "pool", NULL
};

static bool is_wanted(const struct filter *filter, const struct volume *volume);
static int keep_dangling(struct task *task, struct volume *list, int count, bool is_dangling,
                         struct error *err);

int volume_get(struct task *task, const char *ref, struct volume *volume, struct error *err)
{
    int found = store_volume_find(task->db, task->mem, ref, volume, err);

    if (found < 0)
        return -1;
    return found > 0 ? 0 : fail(err, ERR_NOT_FOUND, "get %s: no such volume", ref);
}

int volume_list(struct task *task, const struct filter *filter, struct volume **list,
                struct error *err)
{
    bool is_dangling = false;
    struct volume *all = NULL;
    int kept = 0;

    if (filter_get_bool(filter, "dangling", &is_dangling, err) < 0)
        return -1;
    int count = store_volume_list(task->db, task->mem, &all, err);
    for (int i = 0; i < count; i++)
        if (is_wanted(filter, &all[i]))
            all[kept++] = all[i];
    if (count >= 0 && filter_has(filter, "dangling"))
        kept = keep_dangling(task, all, kept, is_dangling, err);
    if (count < 0 || kept < 0)
        return -1;
    *list = all;
    return kept;
}

const char *volume_path(struct task *task, const struct volume *volume)
{
    const struct driver_pool *pool = NULL;
    struct error ignored; /* a pool that is not there has no path */

    if (pool_open(task, volume->pool_id, &pool, &ignored) < 0)
        return "";
    if (volume_is_foreign(volume))
        return arena_printf(task->mem, "%s/volumes/%s", pool->path, volume->data_id);
    /* Whoever is told the path is to find the contents there. */
    cleanup_fd int fd =
        view_is_needed(pool) ? view_open(pool, TREE_IN_VOLUMES, volume->data_id, &ignored) : -1;
    return view_path(task->mem, pool, TREE_IN_VOLUMES, volume->data_id);
}

int volume_open(struct task *task, const struct volume *volume, struct error *err)
{
    const struct driver_pool *pool = NULL;

    if (volume_is_foreign(volume))
        return volume_foreign_open(task, volume, err);
    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    return volume_data_open(pool, volume, err);
}

int volume_references(struct task *task, const char *volume_id, const char *const **ids,
                      struct error *err)
{
    struct attachment_user *users = NULL;
    int count = store_attachment_users(task->db, task->mem, volume_id, &users, err);

    if (count < 0)
        return -1;
    const char **list = arena_array(task->mem, (size_t)count + 1, sizeof(*list));
    int used = 0;
    for (int i = 0; i < count; i++)
        if (used == 0 || strcmp(list[used - 1], users[i].container_id) != 0)
            list[used++] = users[i].container_id;
    *ids = list;
    return used;
}

int volume_is_mounted(struct task *task, const struct volume *volume, bool *is_mounted,
                      struct error *err)
{
    struct error busy;

    if (liveness_check_idle(task, volume, &busy) == 0) {
        *is_mounted = false;
        return 0;
    }
    if (busy.code != ERR_BUSY) {
        *err = busy;
        return -1;
    }
    *is_mounted = true;
    return 0;
}

static bool is_wanted(const struct filter *filter, const struct volume *volume)
{
    return filter_match_part(filter, "name", volume->name) &&
           filter_match(filter, "driver", volume->driver) &&
           filter_match(filter, "pool", volume->pool_name) &&
           filter_match_labels(filter, &volume->labels);
}

/* Both lists are ordered by name. */
static int keep_dangling(struct task *task, struct volume *list, int count, bool is_dangling,
                         struct error *err)
{
    struct volume *dangling = NULL;
    int dangling_count = store_volume_list_dangling(task->db, task->mem, &dangling, err);
    int next = 0;
    int kept = 0;

    if (dangling_count < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        while (next < dangling_count && strcmp(dangling[next].name, list[i].name) < 0)
            next++;
        bool is_free = next < dangling_count && strcmp(dangling[next].name, list[i].name) == 0;
        if (is_free == is_dangling)
            list[kept++] = list[i];
    }
    return kept;
}
