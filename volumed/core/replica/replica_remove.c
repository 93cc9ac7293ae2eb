/* SPDX-License-Identifier: Apache-2.0 */
/* Taking replicas away: for good when they could not be made, else with their data in the trash. */
#include <string.h>

#include "core/container/container.h"
#include "core/replica/replica.h"
#include "core/volume/volume.h"
#include "store/replica.h"
#include "store/snapshot_hold.h"

static int find_container(struct task *task, const char *name, const char *scaling, const char **id,
                          struct error *err);
static int check_volumes(struct task *task, const struct volume *list, int count,
                         const char *container_id, struct error *err);
static int remove_volumes(struct task *task, const struct volume *list, int count, bool is_now,
                          struct error *err);

int replica_remove(struct scale_run *run, struct replica *replica, struct error *err)
{
    static const struct container_remove_spec removal = { .force = true, .with_volumes = true };
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    struct volume *list = NULL;
    const char *id = NULL;
    bool changed;

    if (find_container(task, name, NULL, &id, err) < 0)
        return -1;
    int count = replica_volumes(task, name, NULL, &list, err);
    if (count < 0 || check_volumes(task, list, count, id, err) < 0 ||
        replica_save(run, replica, "removing", err) < 0)
        return -1;
    /* What does not stop in time is killed by the removal. */
    if (id != NULL &&
        ((container_stop(task, id, NULL, -1, &changed, err) < 0 && err->code == ERR_SYSTEM) ||
         container_remove(task, id, &removal, err) < 0))
        return -1;
    if (remove_volumes(task, list, count, false, err) < 0)
        return -1;
    return store_replica_delete(task->db, replica->group_name, replica->number, err);
}

int replica_unmake(struct scale_run *run, const struct replica *replica, struct error *err)
{
    static const struct container_remove_spec removal = { .force = true, .with_volumes = true };
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    struct replica kept = *replica;
    struct volume *list = NULL;
    const char *id = NULL;

    if (find_container(task, name, run->scaling->id, &id, err) < 0 ||
        (id != NULL && container_remove(task, id, &removal, err) < 0))
        return -1;
    int count = replica_volumes(task, name, run->scaling->id, &list, err);
    if (count < 0 || remove_volumes(task, list, count, true, err) < 0)
        return -1;
    /* What it had before stays, and so does the row that knows it. */
    count = replica_volumes(task, name, NULL, &list, err);
    if (count > 0)
        return replica_save(run, &kept, "ready", err);
    return count < 0 ? -1
                     : store_replica_delete(task->db, replica->group_name, replica->number, err);
}

/* The replica's container, or NULL; with 'scaling' if that made it. */
static int find_container(struct task *task, const char *name, const char *scaling, const char **id,
                          struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, name, &container, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    const json_t *labels = json_object_get(container.config, "Labels");
    const char *of = json_string_value(json_object_get(labels, REPLICA_LABEL));
    const char *by = json_string_value(json_object_get(labels, REPLICA_SCALING_LABEL));
    if (of != NULL && strcmp(of, name) == 0 && strcmp(container.name, name) == 0 &&
        (scaling == NULL || (by != NULL && strcmp(by, scaling) == 0)))
        *id = arena_strdup(task->mem, container.id);
    return 0;
}

/* Before anything goes: why one of them must stay. */
static int check_volumes(struct task *task, const struct volume *list, int count,
                         const char *container_id, struct error *err)
{
    for (int i = 0; i < count; i++) {
        const char *const *ids = NULL;
        if (list[i].is_protected)
            return fail(err, ERR_CONFLICT, "volume '%s' is protected", list[i].name);
        if (store_hold_check_none(task->db, list[i].id, err) < 0)
            return -1;
        int users = volume_references(task, list[i].id, &ids, err);
        for (int k = 0; k < users; k++)
            if (container_id == NULL || strcmp(ids[k], container_id) != 0)
                return fail(err, ERR_CONFLICT, "volume '%s' is in use by another container: %.12s",
                            list[i].name, ids[k]);
        if (users < 0)
            return -1;
    }
    return 0;
}

static int remove_volumes(struct task *task, const struct volume *list, int count, bool is_now,
                          struct error *err)
{
    const struct volume_remove_spec removal = { .force = true,
                                                .with_snapshots = true,
                                                .is_now = is_now };

    for (int i = 0; i < count; i++)
        if (volume_remove(task, list[i].id, &removal, err) < 0)
            return -1;
    return 0;
}
