/* SPDX-License-Identifier: Apache-2.0 */
/* The operations in a refresh that touch rows alone. */
#include "core/replica/replica_switch.h"

#include "core/container/container.h"
#include "core/operation/op.h"
#include "core/volume/trash.h"
#include "core/volume/volume_event.h"
#include "core/volume/volume_remove.h"
#include "store/container.h"
#include "store/replica.h"
#include "store/volume.h"

struct switching {
    struct replica *replica;
    const char *container_id;
    const struct replica_swaps *swaps;
};

struct putting {
    struct volume_removal removal;
    const char *volume_id;
    const char *name;
};

static int switch_finish(struct task *task, struct op *op, struct error *err);
static int check_stopped(struct task *task, const char *container_id, struct error *err);
static int label(struct task *task, const char *container_id, const char *source_name,
                 struct error *err);
static int swap(struct task *task, const char *container_id, const struct replica_swap *swap,
                struct error *err);
static int rename_volume(struct task *task, const struct volume *volume, const char *name,
                         struct error *err);
static int put_finish(struct task *task, struct op *op, struct error *err);
static void put_after(struct task *task, struct op *op, bool is_done);

static const struct op_kind switch_kind = { .name = "replica.switch", .finish = switch_finish };
static const struct op_kind put_kind = {
    .name = "replica.put-away",
    .finish = put_finish,
    .after = put_after,
};

int replica_switch(struct task *task, struct replica *replica, const char *container_id,
                   const struct replica_swaps *swaps, struct error *err)
{
    struct switching switching = { replica, container_id, swaps };
    cleanup_op struct op op = {
        .kind = &switch_kind,
        .subject = arena_printf(task->mem, "replica '%s'",
                                replica_name(task->mem, replica->group_name, replica->number)),
        .data = &switching,
    };

    return op_run(task, &op, err);
}

int replica_put_away(struct task *task, const struct volume *volume, const char *name,
                     struct error *err)
{
    struct putting putting = { .volume_id = volume->id, .name = name };
    cleanup_op struct op op = {
        .kind = &put_kind,
        .subject = arena_printf(task->mem, "volume '%s'", volume->name),
        .data = &putting,
    };

    putting.removal.is_for_trash = trash_is_on(task);
    return op_run(task, &op, err);
}

static int switch_finish(struct task *task, struct op *op, struct error *err)
{
    const struct switching *switching = op->data;

    if (check_stopped(task, switching->container_id, err) < 0 ||
        label(task, switching->container_id, switching->swaps->source_name, err) < 0)
        return -1;
    for (size_t i = 0; i < switching->swaps->count; i++)
        if (swap(task, switching->container_id, &switching->swaps->items[i], err) < 0)
            return -1;
    return store_replica_put(task->db, switching->replica, err);
}

static int check_stopped(struct task *task, const char *container_id, struct error *err)
{
    cleanup_container struct container container = { 0 };
    const char *holder = NULL;

    if (container_get(task, container_id, &container, err) < 0 ||
        store_container_holder(task->db, task->mem, container_id, &holder, err) < 0)
        return -1;
    if (holder != NULL)
        return fail(err, ERR_BUSY, "container %s is held by operation %s", container.name, holder);
    if (container_is_live(&container))
        return fail(err, ERR_CONFLICT, "container %s was started meanwhile", container.name);
    return 0;
}

static int label(struct task *task, const char *container_id, const char *source_name,
                 struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, container_id, &container, err) < 0)
        return -1;
    json_set(json_object_get(container.config, "Labels"), REPLICA_SOURCE_LABEL,
             json_text(source_name));
    return store_container_set_config(task->db, container_id,
                                      json_write(task->mem, container.config), err);
}

static int swap(struct task *task, const char *container_id, const struct replica_swap *swap,
                struct error *err)
{
    if (store_volume_check_free(task->db, &swap->has, err) < 0 ||
        store_volume_check_free(task->db, &swap->gets, err) < 0 ||
        rename_volume(task, &swap->has, swap->aside, err) < 0 ||
        rename_volume(task, &swap->gets, swap->has.name, err) < 0)
        return -1;
    return store_replica_switch(task->db, container_id, swap->has.id, swap->gets.id, err);
}

static int rename_volume(struct task *task, const struct volume *volume, const char *name,
                         struct error *err)
{
    struct pair old = { "old_name", volume->name };
    struct volume renamed = *volume;

    renamed.name = name;
    if (store_volume_set_name(task->db, volume->id, name, err) < 0)
        return error_prefix(err, "cannot call volume '%s' '%s'", volume->name, name);
    return volume_event(task, "rename", &renamed, &(struct pairs){ 1, &old }, err);
}

static int put_finish(struct task *task, struct op *op, struct error *err)
{
    struct putting *putting = op->data;

    if (volume_removal_check(task, putting->volume_id, true, &putting->removal, err) < 0)
        return -1;
    putting->removal.volume.name = putting->name;
    return volume_removal_delete(task, &putting->removal, err);
}

static void put_after(struct task *task, struct op *op, bool is_done)
{
    const struct putting *putting = op->data;

    if (is_done)
        volume_removal_discard(task, &putting->removal);
}
