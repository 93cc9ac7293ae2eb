/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that can be known to be wrong is found here, before anything is touched. */
#include "core/recreate/recreate_plan.h"

#include <string.h>

#include "core/container/container.h"
#include "core/image/image.h"
#include "core/volume/volume_data.h"
#include "store/attachment.h"
#include "store/generation.h"
#include "store/recreation.h"
#include "store/volume.h"

static int add_member(struct task *task, const struct recreate_target *target,
                      struct recreation *recreation, struct recreate_plan *plan, struct error *err);
static int check_container(const struct container *container, struct error *err);
static int check_alone(struct task *task, const struct recreation *recreation, const char *name,
                       struct error *err);
static int check_image(struct task *task, const struct recreate_target *target,
                       const struct container *container, struct error *err);
static int find_generation(struct task *task, const struct recreate_target *target,
                           struct generation *found, struct error *err);
static int gather_volumes(struct task *task, const struct recreation *recreation,
                          struct recreate_plan *plan, struct error *err);
static int add_volume(struct task *task, const struct recreation *recreation,
                      const struct attachment *attachment, const char **ids, struct error *err);
static bool is_member(const struct recreation *recreation, const char *container_id);
static int check_strangers(struct task *task, const struct recreation *recreation,
                           const struct volume *volume, struct error *err);

json_t *recreate_plan_json(const struct recreate_plan *plan)
{
    json_t *json = json_object();

    json_set(json, "probation_ms", json_integer(plan->probation_ms));
    json_set(json, "keep", json_integer(plan->keep));
    json_set(json, "has_snapshot", json_boolean(plan->has_snapshot));
    json_set(json, "is_rollback", json_boolean(plan->is_rollback));
    json_set(json, "is_rehearsal", json_boolean(plan->is_rehearsal));
    json_set(json, "is_kept", json_boolean(plan->is_kept));
    json_set(json, "probe", json_text(plan->probe));
    json_set(json, "keep_new_data_as", json_text(plan->keep_new_data_as));
    json_set(json, "target_set", json_text(plan->target_set));
    json_set(json, "volumes", json_list(plan->volumes));
    return json;
}

int recreate_plan_read(struct task *task, const char *text, struct recreate_plan *plan,
                       struct error *err)
{
    cleanup_json json_t *json = json_read(text, strlen(text), err);

    *plan = (struct recreate_plan){ 0 };
    if (json == NULL || json_get_int(json, "probation_ms", &plan->probation_ms, err) < 0 ||
        json_get_int(json, "keep", &plan->keep, err) < 0 ||
        json_get_bool(json, "has_snapshot", &plan->has_snapshot, err) < 0 ||
        json_get_bool(json, "is_rollback", &plan->is_rollback, err) < 0 ||
        json_get_bool(json, "is_rehearsal", &plan->is_rehearsal, err) < 0 ||
        json_get_bool(json, "is_kept", &plan->is_kept, err) < 0 ||
        json_get_text(json, "probe", task->mem, &plan->probe, err) < 0 ||
        json_get_text(json, "keep_new_data_as", task->mem, &plan->keep_new_data_as, err) < 0 ||
        json_get_text(json, "target_set", task->mem, &plan->target_set, err) < 0)
        return -1;
    return json_get_list(json, "volumes", task->mem, &plan->volumes, err);
}

int recreate_plan_make(struct task *task, const struct recreate_request *request,
                       struct recreation *recreation, struct recreate_plan *plan, struct error *err)
{
    *plan = (struct recreate_plan){
        .probation_ms = request->probation_ms,
        .keep = request->keep,
        .has_snapshot = !request->has_no_snapshot,
        .probe = request->probe,
        .keep_new_data_as = request->keep_new_data_as,
    };
    recreation->members = arena_array(task->mem, request->count + 1, sizeof(*recreation->members));
    for (size_t i = 0; i < request->count; i++)
        if (add_member(task, &request->targets[i], recreation, plan, err) < 0)
            return -1;
    if (plan->keep_new_data_as != NULL && !plan->has_snapshot)
        return fail(err, ERR_INVALID, "without a snapshot there is no new data to keep");
    return gather_volumes(task, recreation, plan, err);
}

static int add_member(struct task *task, const struct recreate_target *target,
                      struct recreation *recreation, struct recreate_plan *plan, struct error *err)
{
    cleanup_container struct container container = { 0 };
    struct generation generation = { 0 };

    if (container_get(task, target->name, &container, err) < 0 ||
        check_container(&container, err) < 0 ||
        check_alone(task, recreation, container.name, err) < 0)
        return -1;
    if (target->generation == 0 && check_image(task, target, &container, err) < 0)
        return -1;
    if (target->generation != 0) {
        plan->is_rollback = true;
        if (find_generation(task,
                            &(struct recreate_target){ .name = container.name,
                                                       .generation = target->generation },
                            &generation, err) < 0)
            return -1;
        if (plan->has_snapshot && generation.set_name != NULL && *generation.set_name != '\0')
            plan->target_set = generation.set_name;
    }
    recreation->members[recreation->count++] = (struct recreation_member){
        .name = arena_strdup(task->mem, container.name),
        .old_id = arena_strdup(task->mem, container.id),
        .new_id = generation.container_id != NULL ? generation.container_id : "",
        .was_running = container_is_live(&container) || strcmp(container.state, "restarting") == 0,
    };
    return 0;
}

static int check_container(const struct container *container, struct error *err)
{
    if (container->is_retired)
        return fail(err, ERR_CONFLICT, "container %s is itself a generation that was replaced",
                    container->name);
    if (container->is_auto_remove)
        return fail(err, ERR_CONFLICT,
                    "container %s is removed when it stops (--rm): there would be nothing to go"
                    " back to",
                    container->name);
    if (strcmp(container->state, "removing") == 0 || strcmp(container->state, "starting") == 0)
        return fail(err, ERR_BUSY, "container %s is %s", container->name, container->state);
    return 0;
}

static int check_alone(struct task *task, const struct recreation *recreation, const char *name,
                       struct error *err)
{
    const char *other = NULL;

    for (size_t i = 0; i < recreation->count; i++)
        if (strcmp(recreation->members[i].name, name) == 0)
            return fail(err, ERR_INVALID, "container %s is named twice", name);
    if (store_recreation_find_running(task->db, task->mem, name, &other, err) < 0)
        return -1;
    return other == NULL
               ? 0
               : fail(err, ERR_BUSY, "container %s is in recreation %s already", name, other);
}

static int check_image(struct task *task, const struct recreate_target *target,
                       const struct container *container, struct error *err)
{
    struct image image = { 0 };
    const char *name = container->image_name;

    if (json_get_text(target->change, "Image", task->mem, &name, err) < 0)
        return -1;
    return image_get(task, name, &image, err);
}

static int find_generation(struct task *task, const struct recreate_target *target,
                           struct generation *found, struct error *err)
{
    struct generation *list = NULL;
    int count = store_generation_list(task->db, task->mem, target->name, &list, err);

    for (int i = 0; i < count; i++) {
        bool is_it = target->generation > 0 ? list[i].number == target->generation
                                            : strcmp(list[i].outcome, "replaced") == 0;
        if (!is_it)
            continue;
        *found = list[i];
        return 0;
    }
    if (count < 0)
        return -1;
    return target->generation > 0
               ? fail(err, ERR_NOT_FOUND, "container %s has no generation %lld", target->name,
                      (long long)target->generation)
               : fail(err, ERR_NOT_FOUND, "container %s has no earlier generation", target->name);
}

static int gather_volumes(struct task *task, const struct recreation *recreation,
                          struct recreate_plan *plan, struct error *err)
{
    size_t total = 0;
    const char **ids;

    for (size_t i = 0; i < recreation->count; i++) {
        struct attachment *list = NULL;
        int count =
            store_attachment_list(task->db, task->mem, recreation->members[i].old_id, &list, err);
        if (count < 0)
            return -1;
        total += (size_t)count;
    }
    ids = arena_array(task->mem, total + 1, sizeof(*ids));
    plan->volumes = ids;
    for (size_t i = 0; plan->has_snapshot && i < recreation->count; i++) {
        struct attachment *list = NULL;
        int count =
            store_attachment_list(task->db, task->mem, recreation->members[i].old_id, &list, err);
        for (int k = 0; k < count; k++)
            if (add_volume(task, recreation, &list[k], ids, err) < 0)
                return -1;
        if (count < 0)
            return -1;
    }
    return 0;
}

/* Those that a member may write; what lies on a filesystem of its own has no snapshots. */
static int add_volume(struct task *task, const struct recreation *recreation,
                      const struct attachment *attachment, const char **ids, struct error *err)
{
    struct volume volume;
    size_t count = 0;

    if (attachment->mode == ACCESS_RO)
        return 0;
    for (; ids[count] != NULL; count++)
        if (strcmp(ids[count], attachment->volume_id) == 0)
            return 0;
    int found = store_volume_find_id(task->db, task->mem, attachment->volume_id, &volume, err);
    if (found <= 0 || volume_is_foreign(&volume))
        return found < 0 ? -1 : 0;
    if (volume.is_protected)
        return fail(err, ERR_CONFLICT,
                    "volume '%s' is protected, so it could not go back; use --no-snapshot to let it"
                    " stay as it is",
                    volume.name);
    if (check_strangers(task, recreation, &volume, err) < 0)
        return -1;
    ids[count] = volume.id;
    return 0;
}

static bool is_member(const struct recreation *recreation, const char *container_id)
{
    for (size_t i = 0; i < recreation->count; i++)
        if (strcmp(recreation->members[i].old_id, container_id) == 0)
            return true;
    return false;
}

/* To go back would take away what a stranger has written meanwhile. */
static int check_strangers(struct task *task, const struct recreation *recreation,
                           const struct volume *volume, struct error *err)
{
    struct attachment_user *users = NULL;
    int count = store_attachment_users(task->db, task->mem, volume->id, &users, err);

    for (int i = 0; i < count; i++) {
        struct generation generation;
        struct error ignored;
        bool is_old = store_generation_find(task->db, task->mem, users[i].container_id, &generation,
                                            &ignored) > 0;
        if (users[i].mode == ACCESS_RO || is_old || is_member(recreation, users[i].container_id))
            continue;
        return fail(err, ERR_CONFLICT,
                    "volume '%s' may be written by container '%s' too: recreate both at once, or"
                    " attach it there read-only, or use --no-snapshot",
                    volume->name, users[i].container_name);
    }
    return count < 0 ? -1 : 0;
}
