/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs on groups of replicas: what a door asks for becomes a row, and a row gets its thread.
 */
#include "core/replica/scale.h"

#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/uuid.h"
#include "core/container/container.h"
#include "core/recreate/recreator.h"
#include "core/replica/golden.h"
#include "core/replica/replica.h"
#include "core/replica/replica_keep.h"
#include "core/replica/scale_plan.h"
#include "core/replica/scale_run.h"
#include "core/service.h"
#include "core/volume/volume_limit.h"
#include "store/replica.h"

static int plan(struct task *task, const struct scale_request *request, struct scale_plan *plan,
                struct replica_group *group, struct error *err);
static int read_keep(struct task *task, const struct scale_request *request,
                     struct scale_plan *plan, struct error *err);
static int fill_group(struct task *task, const struct scale_request *request,
                      struct replica_group *group, struct error *err);
static int find_group(struct task *task, const char *ref, const char **name,
                      struct replica_group *group, struct error *err);
static int check_new(struct task *task, const struct replica_group *group,
                     const struct scale_plan *plan, struct golden *golden, struct error *err);
static int check_keep(struct task *task, const struct container *template,
                      const struct golden *golden, const char *path, struct error *err);
static void begin_row(struct task *task, const char *group, struct scaling *scaling);
static int write_rows(struct task *task, const struct replica_group *group,
                      const struct golden *golden, const struct scaling *scaling,
                      struct error *err);

int scale_begin(struct task *task, const struct scale_request *request, struct scaling *scaling,
                struct error *err)
{
    cleanup_tx struct tx tx = { 0 };
    struct replica_group group = { 0 };
    struct golden golden = { 0 };
    struct scale_plan wanted;

    /* The checks are made in the transaction that writes the row: two at once see each other. */
    if ((!request->is_dry_run && tx_begin(&tx, task->db, err) < 0) ||
        plan(task, request, &wanted, &group, err) < 0 ||
        check_new(task, &group, &wanted, &golden, err) < 0)
        return -1;
    begin_row(task, group.name, scaling);
    cleanup_json json_t *json = scale_plan_json(&wanted);
    cleanup_json json_t *preview = scale_preview(task, group.name, &wanted, err);
    if (preview == NULL)
        return -1;
    scaling->plan = json_write(task->mem, json);
    scaling->report = json_write(task->mem, preview);
    if (request->is_dry_run)
        return 0;
    if (write_rows(task, &group, &golden, scaling, err) < 0 || tx_commit(&tx, err) < 0)
        return -1;
    return recreator_begin(task->service->recreator, scale_run, scaling->id, false, err);
}

int scale_get(struct task *task, const char *id, struct scaling *scaling, struct error *err)
{
    int found = store_scaling_find(task->db, task->mem, id, scaling, err);

    if (found < 0)
        return -1;
    return found > 0 ? 0 : fail(err, ERR_NOT_FOUND, "no such scaling: %s", id);
}

int scale_list(struct task *task, const char *container, struct replica_group *group,
               struct replica **list, struct error *err)
{
    const char *name = "";
    int found = find_group(task, container, &name, group, err);

    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "container %s has no replicas", name);
    return store_replica_list(task->db, task->mem, group->name, list, err);
}

int scale_resume_all(struct task *task, struct error *err)
{
    struct scaling *list = NULL;
    int count = store_scaling_list(task->db, task->mem, NULL, true, &list, err);

    for (int i = 0; i < count; i++)
        if (recreator_begin(task->service->recreator, scale_run, list[i].id, true, err) < 0)
            return -1;
    return count < 0 ? -1 : 0;
}

static int plan(struct task *task, const struct scale_request *request, struct scale_plan *plan,
                struct replica_group *group, struct error *err)
{
    struct pair size = { "size", request->size };
    const struct pairs options = { request->size != NULL ? 1 : 0, &size };
    struct volume_limit limit;

    *plan = (struct scale_plan){ .replicas = request->replicas, .is_refresh = request->is_refresh };
    if (request->replicas < 0 || request->replicas > REPLICAS_MAX)
        return fail(err, ERR_INVALID, "a container can have 0 to %d replicas", REPLICAS_MAX);
    if (volume_limit_read(&options, &limit, err) < 0 || read_keep(task, request, plan, err) < 0)
        return -1;
    return fill_group(task, request, group, err);
}

static int read_keep(struct task *task, const struct scale_request *request,
                     struct scale_plan *plan, struct error *err)
{
    size_t count = 0;

    while (request->keep != NULL && request->keep[count] != NULL)
        count++;
    if (count > 0 && !request->is_refresh)
        return fail(err, ERR_INVALID, "what is to be kept belongs to a refresh");
    const char **keep = arena_array(task->mem, count + 1, sizeof(*keep));
    for (size_t i = 0; i < count; i++) {
        if (request->keep[i][0] != '/')
            return fail(err, ERR_INVALID, "'%s' is not an absolute path in the container",
                        request->keep[i]);
        keep[i] = path_clean(task->mem, request->keep[i]);
    }
    plan->keep = keep;
    return 0;
}

/* As it will be: what there is of it, and what the request says over it. */
static int fill_group(struct task *task, const struct scale_request *request,
                      struct replica_group *group, struct error *err)
{
    struct golden golden;
    const char *name = "";
    int found = find_group(task, request->container, &name, group, err);

    if (found < 0)
        return -1;
    if (found == 0 && request->from == NULL)
        return fail(err, ERR_INVALID,
                    "container %s has no replicas yet; say what they begin with (--from-snapshot)",
                    name);
    if (found == 0)
        *group = (struct replica_group){ .name = name, .size = "", .created_ms = clock_now_ms() };
    if (request->size != NULL)
        group->size = request->size;
    if (request->from == NULL)
        return 0;
    if (golden_find(task, request->from, &golden, err) < 0)
        return -1;
    group->source_id = golden.id;
    group->source_name = golden.name;
    return 0;
}

/* A group outlives its template: its name is asked first.  1, or 0 with the container's name. */
static int find_group(struct task *task, const char *ref, const char **name,
                      struct replica_group *group, struct error *err)
{
    cleanup_container struct container container = { 0 };
    int found = store_group_find(task->db, task->mem, ref, group, err);

    if (found != 0)
        return found;
    if (container_get(task, ref, &container, err) < 0)
        return -1;
    *name = arena_strdup(task->mem, container.name);
    return store_group_find(task->db, task->mem, *name, group, err);
}

/* To take replicas away neither the template nor the golden state is needed. */
static int check_new(struct task *task, const struct replica_group *group,
                     const struct scale_plan *plan, struct golden *golden, struct error *err)
{
    cleanup_container struct container template = { 0 };
    struct scaling *running = NULL;
    int count = store_scaling_list(task->db, task->mem, group->name, true, &running, err);

    if (count != 0)
        return count < 0 ? -1
                         : fail(err, ERR_BUSY, "container %s is being scaled (%s)", group->name,
                                running[0].id);
    if (plan->replicas == 0)
        return 0;
    if (container_get(task, group->name, &template, err) < 0 ||
        golden_find(task, group->source_id, golden, err) < 0)
        return -1;
    if (replica_is_one(&template))
        return fail(err, ERR_CONFLICT, "container %s is a replica itself", template.name);
    if (scale_check_template(&template, golden, err) < 0)
        return -1;
    for (size_t i = 0; plan->keep != NULL && plan->keep[i] != NULL; i++)
        if (check_keep(task, &template, golden, plan->keep[i], err) < 0)
            return -1;
    return 0;
}

static int check_keep(struct task *task, const struct container *template,
                      const struct golden *golden, const char *path, struct error *err)
{
    const char *inside = NULL;
    const struct attachment *place = replica_keep_place(task, template, path, &inside);

    if (place != NULL && golden_of_volume(golden, place->volume_id) != NULL)
        return 0;
    return fail(err, ERR_INVALID, "'%s' is not inside a volume of the golden state '%s'", path,
                golden->name);
}

static void begin_row(struct task *task, const char *group, struct scaling *scaling)
{
    char id[UUID_SIZE];

    uuid_make(id);
    *scaling = (struct scaling){
        .id = arena_strdup(task->mem, id),
        .group_name = group,
        .state = "running",
        .reason = "",
        .actor = task->actor,
        .started_ms = clock_now_ms(),
    };
}

static int write_rows(struct task *task, const struct replica_group *group,
                      const struct golden *golden, const struct scaling *scaling, struct error *err)
{
    if (store_group_put(task->db, group, err) < 0 ||
        golden_hold(task, group->name, golden, err) < 0)
        return -1;
    return store_scaling_insert(task->db, scaling, err);
}
