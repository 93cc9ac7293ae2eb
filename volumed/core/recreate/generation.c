/* SPDX-License-Identifier: Apache-2.0 */
/* Giving containers up to being generations, taking them back, and removing old ones. */
#include "core/recreate/generation.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/attachment/attachment.h"
#include "core/container/container.h"
#include "core/container/container_event.h"
#include "core/recreate/recreate_data.h"
#include "core/volume/volume.h"
#include "store/container.h"
#include "store/generation.h"
#include "store/recreation.h"

static int take_name(struct task *task, const struct container *container, const char *name,
                     struct error *err);
static const char *kept_name(struct task *task, const struct generation *generation);
static void drop_beyond(struct task *task, const char *name, int64_t keep, bool with_volumes);
static void drop_lost_sets(struct task *task, const char *name, bool with_failed, int64_t keep);
static void drop(struct task *task, const struct generation *generation, bool with_volumes);
static int drop_rows(struct task *task, const struct generation *generation, struct error *err);
static void drop_volumes(struct task *task, const struct attachment *list, size_t count);

int generation_next(struct task *task, const struct container *container, int64_t *number,
                    struct error *err)
{
    struct generation *list = NULL;
    int count = store_generation_list(task->db, task->mem, container->name, &list, err);

    *number = container->generation;
    if (count > 0 && list[0].number > *number)
        *number = list[0].number;
    *number += 1;
    return count < 0 ? -1 : 0;
}

int generation_retire(struct task *task, const struct container *container,
                      const struct generation *generation, struct error *err)
{
    struct generation kept = *generation;

    kept.container_id = container->id;
    kept.retired_ms = clock_now_ms();
    if (take_name(task, container, kept_name(task, &kept), err) < 0)
        return -1;
    return store_generation_insert(task->db, &kept, err);
}

int generation_restore(struct task *task, const struct container *container, const char *name,
                       struct error *err)
{
    if (store_generation_delete(task->db, container->id, err) < 0)
        return -1;
    return take_name(task, container, name, err);
}

int generation_list(struct task *task, const char *name, struct generation **list,
                    struct error *err)
{
    return store_generation_list(task->db, task->mem, name, list, err);
}

void generation_prune(struct task *task, const struct recreation *recreation, int64_t keep)
{
    for (size_t i = 0; i < recreation->count; i++)
        drop_beyond(task, recreation->members[i].name, keep, true);
}

void generation_drop_all(struct task *task, const char *name, bool with_volumes)
{
    const char *recreation = NULL;
    struct error err;

    /* One under way may be about to go back to one of them. */
    if (store_recreation_find_running(task->db, task->mem, name, &recreation, &err) < 0 ||
        recreation != NULL)
        return;
    drop_beyond(task, name, 0, with_volumes);
}

void generation_tidy(struct task *task)
{
    drop_lost_sets(task, NULL, false, 0);
}

int generation_set_drop(struct task *task, const char *set_name, struct error *err)
{
    bool is_kept = false;

    if (set_name == NULL || *set_name == '\0' ||
        store_generation_has_set(task->db, set_name, &is_kept, err) < 0)
        return set_name == NULL || *set_name == '\0' ? 0 : -1;
    return is_kept ? 0 : recreate_data_drop(task, set_name, err);
}

static int take_name(struct task *task, const struct container *container, const char *name,
                     struct error *err)
{
    if (strcmp(container->name, name) == 0)
        return 0;
    const char *old_name = arena_printf(task->mem, "/%s", container->name);
    struct container renamed = *container;
    renamed.name = name;
    if (store_container_set_name(task->db, container->id, name, err) < 0)
        return error_prefix(err, "cannot call container %s '%s'", container->name, name);
    return container_emit_with(task, &renamed, "rename", "oldName", old_name, err);
}

/* Somebody may have a container of that very name. */
static const char *kept_name(struct task *task, const struct generation *generation)
{
    const char *name =
        arena_printf(task->mem, "%s.gen-%lld", generation->name, (long long)generation->number);
    const char *holder = NULL;
    struct error ignored; /* if it cannot be asked, the update will tell */

    if (store_container_find_name(task->db, task->mem, name, &holder, &ignored) == 0 &&
        holder != NULL && strcmp(holder, generation->container_id) != 0)
        return arena_printf(task->mem, "%s-%.8s", name, generation->container_id);
    return name;
}

static void drop_beyond(struct task *task, const char *name, int64_t keep, bool with_volumes)
{
    struct generation *list = NULL;
    struct error err;
    int count = store_generation_list(task->db, task->mem, name, &list, &err);

    if (count < 0)
        log_warn("cannot list generations container=%s error=\"%s\"", name, err.message);
    drop_lost_sets(task, name, true, keep); /* or volumes would stay for them */
    for (int64_t i = keep; i < count; i++)
        drop(task, &list[i], with_volumes);
}

static void drop_lost_sets(struct task *task, const char *name, bool with_failed, int64_t keep)
{
    const char **names = NULL;
    struct error err;
    int count = store_generation_lost_sets(task->db, task->mem, name, with_failed, &names, &err);

    if (count < 0)
        log_warn("cannot list sets that no generation has error=\"%s\"", err.message);
    for (int64_t i = keep; i < count; i++)
        if (recreate_data_drop(task, names[i], &err) < 0)
            log_warn("a set stays set=%s error=\"%s\"", names[i], err.message);
}

/* Its anonymous volumes last: while its set is there, they have snapshots. */
static void drop(struct task *task, const struct generation *generation, bool with_volumes)
{
    struct attachment *list = NULL;
    size_t count = 0;
    struct error err;

    if (attachment_list(task, generation->container_id, &list, &count, &err) < 0 ||
        drop_rows(task, generation, &err) < 0)
        log_warn("a generation stays container=%s number=%lld error=\"%s\"", generation->name,
                 (long long)generation->number, err.message);
    else if (with_volumes)
        drop_volumes(task, list, count);
}

/* The container first: while it is there, its set can still be gone back to. */
static int drop_rows(struct task *task, const struct generation *generation, struct error *err)
{
    static const struct container_remove_spec removal = { .force = true };

    if (container_remove(task, generation->container_id, &removal, err) < 0 &&
        err->code != ERR_NOT_FOUND)
        return -1;
    return generation_set_drop(task, generation->set_name, err);
}

static void drop_volumes(struct task *task, const struct attachment *list, size_t count)
{
    static const struct volume_remove_spec removal = { .is_now = true };
    struct error reason; /* one that others have, or that has snapshots, stays without a word */

    for (size_t i = 0; i < count; i++)
        if (list[i].is_anonymous)
            (void)volume_remove(task, list[i].volume_id, &removal, &reason);
}
