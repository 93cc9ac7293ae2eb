/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a container that leave its contents alone: its name, its limits, its policy. */
#include <string.h>

#include "core/box/box_control.h"
#include "core/container/container.h"
#include "core/container/container_event.h"
#include "core/container/container_host.h"
#include "core/container/container_resources.h"
#include "core/operation/container_kinds.h"
#include "core/operation/op.h"
#include "model/name.h"
#include "store/container.h"
#include "store/generation.h"

struct change {
    struct container container;
    const char *name;    /* rename: the new one */
    json_t *host_config; /* update: the new one, owned */
};

static int rename_finish(struct task *task, struct op *op, struct error *err);
static int update_apply(struct task *task, struct op *op, struct error *err);
static int update_finish(struct task *task, struct op *op, struct error *err);
static int update_revert(struct task *task, struct op *op, struct error *err);
static int run(struct task *task, const struct op_kind *kind, struct change *change,
               struct error *err);
static int apply_limits(struct task *task, const struct container *container,
                        const json_t *host_config, struct error *err);
static int check_holder(struct task *task, const char *id, struct error *err);

const struct op_kind container_rename_kind = {
    .name = "container.rename",
    .finish = rename_finish,
};

const struct op_kind container_update_kind = {
    .name = "container.update",
    .apply = update_apply,
    .finish = update_finish,
    .revert = update_revert,
};

int container_rename(struct task *task, const char *ref, const char *name, struct error *err)
{
    struct change change = { .name = name[0] == '/' ? name + 1 : name };

    if (change.name[0] == '\0')
        return fail(err, ERR_INVALID, "Neither old nor new names may be empty");
    if (name_check("container", change.name, err) < 0 ||
        container_get(task, ref, &change.container, err) < 0)
        return -1;
    int rc =
        strcmp(change.container.name, change.name) == 0
            ? fail(err, ERR_INVALID, "Renaming a container with the same name as its current name")
            : run(task, &container_rename_kind, &change, err);
    container_done(&change.container);
    return rc;
}

int container_update(struct task *task, const char *ref, const json_t *update, struct error *err)
{
    struct change change = { 0 };

    if (container_get(task, ref, &change.container, err) < 0)
        return -1;
    change.host_config = json_deep_copy(change.container.host_config);
    int rc = host_config_update(change.host_config, update, err);
    if (rc == 0)
        rc = run(task, &container_update_kind, &change, err);
    json_decref(change.host_config);
    container_done(&change.container);
    return rc;
}

static int run(struct task *task, const struct op_kind *kind, struct change *change,
               struct error *err)
{
    cleanup_op struct op op = { .kind = kind, .data = change };

    op.subject = arena_printf(task->mem, "container '%s'", change->container.name);
    return op_run(task, &op, err);
}

static int rename_finish(struct task *task, struct op *op, struct error *err)
{
    struct change *change = op->data;
    struct container *container = &change->container;
    const char *old_name = arena_printf(task->mem, "/%s", container->name);
    const char *holder = NULL;

    if (store_container_find_name(task->db, task->mem, change->name, &holder, err) < 0)
        return -1;
    if (holder != NULL)
        return fail(err, ERR_CONFLICT,
                    "Error when allocating new name: Conflict. The container name \"/%s\" is"
                    " already in use by container \"%s\". You have to remove (or rename) that"
                    " container to be able to reuse that name.",
                    change->name, holder);
    int changed = store_container_set_name(task->db, container->id, change->name, err);
    if (changed < 0)
        return -1;
    if (changed == 0)
        return fail(err, ERR_NOT_FOUND, "No such container: %s", container->id);
    if (store_generation_rename(task->db, container->name, change->name, err) < 0)
        return -1;
    container->name = change->name;
    return container_emit_with(task, container, "rename", "oldName", old_name, err);
}

static int update_apply(struct task *task, struct op *op, struct error *err)
{
    const struct change *change = op->data;

    return apply_limits(task, &change->container, change->host_config, err);
}

static int update_finish(struct task *task, struct op *op, struct error *err)
{
    const struct change *change = op->data;
    const char *id = change->container.id;

    if (check_holder(task, id, err) < 0)
        return -1;
    int changed = store_container_set_host_config(task->db, id,
                                                  json_write(task->mem, change->host_config), err);
    if (changed < 0)
        return -1;
    if (changed == 0)
        return fail(err, ERR_NOT_FOUND, "No such container: %s", id);
    return container_emit(task, &change->container, "update", NULL, err);
}

static int update_revert(struct task *task, struct op *op, struct error *err)
{
    const struct change *change = op->data;

    return apply_limits(task, &change->container, change->container.host_config, err);
}

static int apply_limits(struct task *task, const struct container *container,
                        const json_t *host_config, struct error *err)
{
    cleanup_json json_t *resources = NULL;

    if (!container_is_live(container))
        return 0;
    resources = resources_json(host_config, err);
    if (resources == NULL)
        return -1;
    const char *request = arena_printf(task->mem, "update %s", json_write(task->mem, resources));
    if (box_ask(task, container->id, request, NULL, err) < 0 && err->code != ERR_CONFLICT)
        return error_prefix(err, "Cannot update container %s", container->id);
    return 0;
}

static int check_holder(struct task *task, const char *id, struct error *err)
{
    const char *holder = NULL;

    if (store_container_holder(task->db, task->mem, id, &holder, err) < 0)
        return -1;
    return holder == NULL ? 0
                          : fail(err, ERR_BUSY, "container %s is held by operation %s", id, holder);
}
