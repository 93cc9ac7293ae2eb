/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refreshing one replica: new clones beside the old, the container stops, what is to be kept is
 * carried over, one transaction exchanges them, the container starts, the old ones go to the trash.
 * Clones in waiting are called VOLUME.next-<scaling>, exchanged ones VOLUME.old-<scaling>.
 */
#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "core/container/container.h"
#include "core/pool/pool.h"
#include "core/replica/replica_keep.h"
#include "core/replica/replica_switch.h"
#include "core/volume/volume.h"
#include "driver/driver.h"

#define NEXT "next"
#define OLD  "old"

static int prepare(struct scale_run *run, const struct replica *replica,
                   const struct container *container, struct replica_swaps *swaps,
                   struct error *err);
static int is_own(struct task *task, const struct attachment *attachment, const char *name,
                  struct volume *volume, struct error *err);
static bool is_known(const struct replica_swaps *swaps, const char *volume_id);
static int exchange(struct task *task, struct replica *replica, const char *container_id,
                    const struct replica_swaps *swaps, const char *state, struct error *err);
static int clone_next(struct scale_run *run, const struct replica *replica,
                      const struct volume *has, const struct snapshot *source,
                      struct replica_swap *swap, struct error *err);
static int find_source(struct scale_run *run, const struct container *template,
                       const struct attachment *attachment, const struct snapshot **source,
                       struct error *err);
static int keep_all(struct scale_run *run, const struct container *container,
                    const struct replica_swaps *swaps, struct error *err);
static int keep_one(struct task *task, const struct replica_swap *swap, const char *inside,
                    struct error *err);
static int sync_new(struct task *task, const struct replica_swap *swap, struct error *err);
static int finish(struct scale_run *run, struct replica *replica, const char *container_id,
                  struct error *err);
static int find_aside(struct scale_run *run, const char *name, const char *which,
                      struct volume **list, struct error *err);
static int switch_back(struct scale_run *run, struct replica *replica, const char *container_id,
                       struct error *err);
static int drop_next(struct scale_run *run, const char *name, struct error *err);
static int stop(struct task *task, const char *container_id, struct error *err);
static const char *aside_name(struct scale_run *run, const char *volume, const char *which);
static const char *without_aside(struct scale_run *run, const char *volume, const char *which);

int replica_refresh(struct scale_run *run, struct replica *replica, struct error *err)
{
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    cleanup_container struct container container = { 0 };
    struct replica_swaps swaps = { .source_name = run->group.source_name };

    if (container_get(task, name, &container, err) < 0)
        return -1;
    if (strcmp(replica->state, "switched") == 0)
        return finish(run, replica, container.id, err);
    if (strcmp(replica->state, "ready") == 0)
        replica->was_running = container_is_live(&container);
    if (replica_save(run, replica, "refreshing", err) < 0 || drop_next(run, name, err) < 0 ||
        prepare(run, replica, &container, &swaps, err) < 0 || stop(task, container.id, err) < 0 ||
        keep_all(run, &container, &swaps, err) < 0 ||
        exchange(task, replica, container.id, &swaps, "switched", err) < 0)
        return -1;
    return finish(run, replica, container.id, err);
}

int replica_unrefresh(struct scale_run *run, struct replica *replica, struct error *err)
{
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    cleanup_container struct container container = { 0 };

    if (container_get(task, name, &container, err) < 0)
        return err->code == ERR_NOT_FOUND ? replica_save(run, replica, "ready", err) : -1;
    if (strcmp(replica->state, "switched") == 0 &&
        (stop(task, container.id, err) < 0 || switch_back(run, replica, container.id, err) < 0))
        return -1;
    if (drop_next(run, name, err) < 0)
        return -1;
    /* That it does not start is no reason to try all again: it is as it was, and stopped. */
    struct error ignored;
    if (replica->was_running)
        (void)replica_start(task, container.id, &ignored);
    return replica_save(run, replica, "ready", err);
}

/* The new clones.  Each volume once, though it may be attached at several places. */
static int prepare(struct scale_run *run, const struct replica *replica,
                   const struct container *container, struct replica_swaps *swaps,
                   struct error *err)
{
    struct task *task = run->task;
    cleanup_container struct container template = { 0 };
    const char *name = replica_name(task->mem, replica->group_name, replica->number);

    swaps->items = arena_array(task->mem, container->attachment_count + 1, sizeof(*swaps->items));
    if (container_get(task, run->group.name, &template, err) < 0)
        return -1;
    for (size_t i = 0; i < container->attachment_count; i++) {
        const struct attachment *attachment = &container->attachments[i];
        const struct snapshot *source = NULL;
        struct volume has;
        int own =
            is_known(swaps, attachment->volume_id) ? 0 : is_own(task, attachment, name, &has, err);
        if (own == 0)
            continue;
        if (own < 0 || find_source(run, &template, attachment, &source, err) < 0 ||
            clone_next(run, replica, &has, source, &swaps->items[swaps->count], err) < 0)
            return -1;
        swaps->count++;
    }
    return swaps->count > 0 ? 0 : fail(err, ERR_CONFLICT, "it has no clone of the golden state");
}

/* 1, or 0 for one that is shared, and for an anonymous one that began empty. */
static int is_own(struct task *task, const struct attachment *attachment, const char *name,
                  struct volume *volume, struct error *err)
{
    if (attachment->snapshot != NULL)
        return 0;
    if (volume_get(task, attachment->volume_id, volume, err) < 0)
        return -1;
    const char *label = pairs_get(&volume->labels, REPLICA_LABEL);
    return label != NULL && strcmp(label, name) == 0;
}

static bool is_known(const struct replica_swaps *swaps, const char *volume_id)
{
    for (size_t i = 0; i < swaps->count; i++)
        if (strcmp(swaps->items[i].has.id, volume_id) == 0)
            return true;
    return false;
}

static int exchange(struct task *task, struct replica *replica, const char *container_id,
                    const struct replica_swaps *swaps, const char *state, struct error *err)
{
    const char *before = replica->state;

    replica->state = state;
    if (replica_switch(task, replica, container_id, swaps, err) == 0)
        return 0;
    replica->state = before;
    return -1;
}

/* The limit that it has by now stays. */
static int clone_next(struct scale_run *run, const struct replica *replica,
                      const struct volume *has, const struct snapshot *source,
                      struct replica_swap *swap, struct error *err)
{
    const char *size = pairs_get(&has->options, "size");
    const char *inodes = pairs_get(&has->options, "inodes");
    const struct replica_clone clone = {
        .source = source,
        .name = aside_name(run, has->name, NEXT),
        .size = size != NULL ? size : "none",
        .inodes = inodes != NULL ? inodes : "none",
    };

    swap->has = *has;
    swap->aside = aside_name(run, has->name, OLD);
    return replica_clone(run, replica, &clone, &swap->gets, err);
}

/* What the template has at the place tells which member of the golden state it is. */
static int find_source(struct scale_run *run, const struct container *template,
                       const struct attachment *attachment, const struct snapshot **source,
                       struct error *err)
{
    for (size_t i = 0; i < template->attachment_count; i++) {
        const struct attachment *of = &template->attachments[i];
        if (strcmp(of->destination, attachment->destination) != 0)
            continue;
        *source = golden_of_volume(&run->golden, of->volume_id);
        if (*source != NULL)
            return 0;
    }
    return fail(err, ERR_CONFLICT, "the golden state '%s' has nothing for '%s'", run->golden.name,
                attachment->destination);
}

static int keep_all(struct scale_run *run, const struct container *container,
                    const struct replica_swaps *swaps, struct error *err)
{
    struct task *task = run->task;

    for (size_t i = 0; run->plan.keep[i] != NULL; i++) {
        const char *inside = NULL;
        size_t k = 0;
        const struct attachment *place =
            replica_keep_place(task, container, run->plan.keep[i], &inside);
        while (place != NULL && k < swaps->count &&
               strcmp(swaps->items[k].has.id, place->volume_id) != 0)
            k++;
        if (place == NULL || k == swaps->count)
            return fail(err, ERR_INVALID, "'%s' is not inside a volume of the golden state",
                        run->plan.keep[i]);
        if (keep_one(task, &swaps->items[k], inside, err) < 0)
            return -1;
    }
    for (size_t k = 0; run->plan.keep[0] != NULL && k < swaps->count; k++)
        if (sync_new(task, &swaps->items[k], err) < 0)
            return -1;
    return 0;
}

static int keep_one(struct task *task, const struct replica_swap *swap, const char *inside,
                    struct error *err)
{
    const struct driver_pool *pool = NULL;

    if (pool_open(task, swap->gets.pool_id, &pool, err) < 0)
        return -1;
    cleanup_fd int old_fd = volume_open(task, &swap->has, err);
    cleanup_fd int new_fd = old_fd < 0 ? -1 : volume_open(task, &swap->gets, err);
    const struct replica_keep keep = {
        .old_fd = old_fd,
        .new_fd = new_fd,
        .path = inside,
        .is_shared = pool->driver->clone_cost != COST_BYTES &&
                     strcmp(swap->has.pool_id, swap->gets.pool_id) == 0,
    };
    return new_fd < 0 ? -1 : replica_keep(task, &keep, err);
}

static int sync_new(struct task *task, const struct replica_swap *swap, struct error *err)
{
    cleanup_fd int fd = volume_open(task, &swap->gets, err);
    int rc = fd < 0 ? 0 : sys_syncfs(fd);

    if (fd < 0)
        return -1;
    return rc < 0 ? fail_sys(err, rc, "cannot sync volume '%s'", swap->gets.name) : 0;
}

/* With the new data: it runs, and the old data may go. */
static int finish(struct scale_run *run, struct replica *replica, const char *container_id,
                  struct error *err)
{
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    struct volume *old = NULL;

    if (replica->was_running && replica_start(task, container_id, err) < 0)
        return -1;
    int rc = replica->was_running ? replica_await(run, name, err) : 0;
    if (rc != 0)
        return rc;
    int count = find_aside(run, name, OLD, &old, err);
    for (int i = 0; i < count; i++)
        if (replica_put_away(task, &old[i], without_aside(run, old[i].name, OLD), err) < 0)
            return -1;
    if (count < 0)
        return -1;
    replica->source_id = run->group.source_id;
    replica->source_name = run->group.source_name;
    replica->scaling_id = run->scaling->id;
    replica->refreshed_ms = clock_now_ms();
    return replica_save(run, replica, "ready", err);
}

/* The replica's volumes that wait, or were exchanged, in this scaling. */
static int find_aside(struct scale_run *run, const char *name, const char *which,
                      struct volume **list, struct error *err)
{
    int count = replica_volumes(run->task, name, NULL, list, err);
    int found = 0;

    for (int i = 0; i < count; i++)
        if (without_aside(run, (*list)[i].name, which) != NULL)
            (*list)[found++] = (*list)[i];
    return count < 0 ? -1 : found;
}

static int switch_back(struct scale_run *run, struct replica *replica, const char *container_id,
                       struct error *err)
{
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    struct volume *old = NULL;
    int count = find_aside(run, name, OLD, &old, err);

    if (count < 0)
        return -1;
    struct replica_swaps swaps = {
        .items = arena_array(task->mem, (size_t)count + 1, sizeof(*swaps.items)),
        .count = (size_t)count,
        .source_name = replica->source_name,
    };
    for (int i = 0; i < count; i++) {
        const char *volume = without_aside(run, old[i].name, OLD);
        if (volume_get(task, volume, &swaps.items[i].has, err) < 0)
            return -1;
        swaps.items[i].gets = old[i];
        swaps.items[i].aside = aside_name(run, volume, NEXT);
    }
    return exchange(task, replica, container_id, &swaps, "refreshing", err);
}

static int drop_next(struct scale_run *run, const char *name, struct error *err)
{
    static const struct volume_remove_spec removal = { .force = true,
                                                       .with_snapshots = true,
                                                       .is_now = true };
    struct volume *next = NULL;
    int count = find_aside(run, name, NEXT, &next, err);

    for (int i = 0; i < count; i++)
        if (volume_remove(run->task, next[i].id, &removal, err) < 0)
            return -1;
    return count < 0 ? -1 : 0;
}

static int stop(struct task *task, const char *container_id, struct error *err)
{
    bool changed;

    return container_stop(task, container_id, NULL, -1, &changed, err) < 0
               ? error_prefix(err, "cannot stop it")
               : 0;
}

/* The end of a UUID is its random part. */
static const char *aside_name(struct scale_run *run, const char *volume, const char *which)
{
    const char *id = run->scaling->id;

    return arena_printf(run->task->mem, "%s.%s-%s", volume, which, id + strlen(id) - 8);
}

/* NULL: it has no such name. */
static const char *without_aside(struct scale_run *run, const char *volume, const char *which)
{
    const char *end = aside_name(run, "", which);
    size_t length = strlen(volume);

    if (length <= strlen(end) || strcmp(volume + length - strlen(end), end) != 0)
        return NULL;
    return arena_strndup(run->task->mem, volume, length - strlen(end));
}
