/* SPDX-License-Identifier: Apache-2.0 */
/* Taking replicas away: for good when they could not be made, else with their data in the trash. */
#include <string.h>

#include "core/container/container.h"
#include "core/container/container_remove.h"
#include "core/fence/liveness.h"
#include "core/operation/op.h"
#include "core/replica/replica.h"
#include "core/volume/trash.h"
#include "core/volume/volume.h"
#include "core/volume/volume_remove.h"
#include "store/container.h"
#include "store/replica.h"
#include "store/snapshot_hold.h"

/* One that goes, with all that goes with it. */
struct removing {
    struct replica *replica;
    const char *container_id; /* NULL: somebody has removed it */
    struct container container;
    struct attachment_garbage garbage;
    struct volume *volumes;
    struct volume_removal *removals; /* one for each */
    int count;
};

static int find_container(struct task *task, const char *name, const char *scaling, const char **id,
                          struct error *err);
static int check_volumes(struct task *task, const struct removing *removing, struct error *err);
static int bring_down(struct scale_run *run, struct replica *replica,
                      const struct removing *removing, struct error *err);
static int remove_finish(struct task *task, struct op *op, struct error *err);
static int forget_container(struct task *task, struct removing *removing, struct error *err);
static void remove_after(struct task *task, struct op *op, bool is_done);
static int remove_volumes(struct task *task, const struct volume *list, int count,
                          struct error *err);

/* One transaction: the container's rows, its volumes' way to the trash, the replica's row. */
static const struct op_kind remove_kind = {
    .name = "replica.remove",
    .finish = remove_finish,
    .after = remove_after,
};

int replica_remove(struct scale_run *run, struct replica *replica, struct error *err)
{
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    struct removing removing = { .replica = replica };

    if (find_container(task, name, NULL, &removing.container_id, err) < 0)
        return -1;
    removing.count = replica_volumes(task, name, NULL, &removing.volumes, err);
    if (removing.count < 0 || check_volumes(task, &removing, err) < 0 ||
        bring_down(run, replica, &removing, err) < 0)
        return -1;
    removing.removals =
        arena_array(task->mem, (size_t)removing.count + 1, sizeof(*removing.removals));
    cleanup_op struct op op = {
        .kind = &remove_kind,
        .subject = arena_printf(task->mem, "replica '%s'", name),
        .data = &removing,
    };
    int rc = op_run(task, &op, err);
    container_done(&removing.container);
    return rc;
}

int replica_unremove(struct scale_run *run, struct replica *replica, struct error *err)
{
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    struct error ignored; /* it is as it was, and stopped */

    if (strcmp(replica->state, "removing") != 0) /* it was not begun */
        return 0;
    if (replica->was_running)
        (void)replica_start(task, name, &ignored);
    return replica_save(run, replica, "ready", err);
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
    if (count < 0 || remove_volumes(task, list, count, err) < 0)
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

/* Before anything stops: why one of them must stay. */
static int check_volumes(struct task *task, const struct removing *removing, struct error *err)
{
    for (int i = 0; i < removing->count; i++) {
        const struct volume *volume = &removing->volumes[i];
        const char *const *ids = NULL;
        if (volume->is_protected)
            return fail(err, ERR_CONFLICT, "volume '%s' is protected", volume->name);
        if (store_hold_check_none(task->db, volume->id, err) < 0)
            return -1;
        int users = volume_references(task, volume->id, &ids, err);
        for (int k = 0; k < users; k++)
            if (removing->container_id == NULL || strcmp(ids[k], removing->container_id) != 0)
                return fail(err, ERR_CONFLICT, "volume '%s' is in use by another container: %.12s",
                            volume->name, ids[k]);
        if (users < 0)
            return -1;
    }
    return 0;
}

/* Afterwards nobody has the volumes mounted. */
static int bring_down(struct scale_run *run, struct replica *replica,
                      const struct removing *removing, struct error *err)
{
    cleanup_container struct container container = { 0 };
    struct task *task = run->task;
    const char *id = removing->container_id;
    bool changed;

    if (id != NULL && container_get(task, id, &container, err) < 0)
        return -1;
    if (strcmp(replica->state, "removing") != 0)
        replica->was_running = id != NULL && container_is_live(&container);
    if (replica_save(run, replica, "removing", err) < 0 ||
        (id != NULL && container_stop(task, id, NULL, -1, &changed, err) < 0))
        return -1;
    for (int i = 0; i < removing->count; i++)
        if (liveness_check_idle(task, &removing->volumes[i], err) < 0)
            return -1;
    return 0;
}

static int remove_finish(struct task *task, struct op *op, struct error *err)
{
    struct removing *removing = op->data;

    if (removing->container_id != NULL && forget_container(task, removing, err) < 0)
        return -1;
    for (int i = 0; i < removing->count; i++) {
        struct volume_removal *removal = &removing->removals[i];
        removal->is_for_trash = trash_is_on(task);
        if (volume_removal_check(task, removing->volumes[i].id, true, removal, err) < 0 ||
            volume_removal_delete(task, removal, err) < 0)
            return -1;
    }
    return store_replica_delete(task->db, removing->replica->group_name, removing->replica->number,
                                err);
}

static int forget_container(struct task *task, struct removing *removing, struct error *err)
{
    const char *holder = NULL;

    if (container_get(task, removing->container_id, &removing->container, err) < 0 ||
        store_container_holder(task->db, task->mem, removing->container_id, &holder, err) < 0)
        return -1;
    if (holder != NULL || container_is_live(&removing->container))
        return fail(err, ERR_BUSY, "container %s was started meanwhile", removing->container.name);
    return container_forget(task, &removing->container, true, &removing->garbage, err);
}

static void remove_after(struct task *task, struct op *op, bool is_done)
{
    const struct removing *removing = op->data;

    if (!is_done)
        return;
    if (removing->container_id != NULL)
        container_clear_away(task, &removing->container, &removing->garbage);
    for (int i = 0; i < removing->count; i++)
        volume_removal_discard(task, &removing->removals[i]);
}

static int remove_volumes(struct task *task, const struct volume *list, int count,
                          struct error *err)
{
    const struct volume_remove_spec removal = { .force = true,
                                                .with_snapshots = true,
                                                .is_now = true };

    for (int i = 0; i < count; i++)
        if (volume_remove(task, list[i].id, &removal, err) < 0)
            return -1;
    return 0;
}
