/* SPDX-License-Identifier: Apache-2.0 */
/* Making, listing and removing policies, and when they are due. */
#include "core/snapshot/policy.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "core/container/container.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/service.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "model/name.h"
#include "model/schedule.h"
#include "store/policy.h"

#define KEEP_DEFAULT "24h,7d,4w"

static int read_target(struct task *task, const struct policy_spec *spec, struct policy *policy,
                       struct error *err);
static int find_volume(struct task *task, const char *ref, struct policy *policy,
                       struct error *err);
static int find_container(struct task *task, const char *ref, struct policy *policy,
                          struct error *err);
static int complete(struct task *task, struct policy *policy, struct error *err);
static int create_finish(struct task *task, struct op *op, struct error *err);
static void create_after(struct task *task, struct op *op, bool is_done);
static int remove_finish(struct task *task, struct op *op, struct error *err);
static int32_t local_offset(void *context, int64_t utc_s);
static int64_t share_of_jitter(const struct policy *policy);

const struct zone policy_zone = { local_offset, NULL };

static const struct op_kind create_kind = {
    .name = "policy.create",
    .finish = create_finish,
    .after = create_after,
};

static const struct op_kind remove_kind = { .name = "policy.remove", .finish = remove_finish };

int policy_create(struct task *task, const struct policy_spec *spec, struct policy *policy,
                  struct error *err)
{
    struct policy made = {
        .name = spec->name,
        .schedule = spec->schedule,
        .keep = spec->keep != NULL ? spec->keep : KEEP_DEFAULT,
        .jitter_ms = spec->jitter_ms,
    };

    if (name_check("policy", spec->name, err) < 0 || read_target(task, spec, &made, err) < 0 ||
        complete(task, &made, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = &create_kind,
        .subject = arena_printf(task->mem, "policy '%s'", made.name),
        .data = &made,
    };
    if (op_run(task, &op, err) < 0)
        return -1;
    return policy_get(task, made.name, policy, err);
}

int policy_get(struct task *task, const char *ref, struct policy *policy, struct error *err)
{
    int found = store_policy_find(task->db, task->mem, ref, policy, err);

    if (found < 0)
        return -1;
    return found > 0 ? 0 : fail(err, ERR_NOT_FOUND, "no such policy: %s", ref);
}

int policy_list(struct task *task, struct policy **list, struct error *err)
{
    return store_policy_list(task->db, task->mem, list, err);
}

int policy_remove(struct task *task, const char *ref, struct error *err)
{
    struct policy policy;

    if (policy_get(task, ref, &policy, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = &remove_kind,
        .subject = arena_printf(task->mem, "policy '%s'", policy.name),
        .data = &policy,
    };
    return op_run(task, &op, err);
}

int policy_check_options(const struct pairs *options, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *schedule_text = pairs_get(options, "snapshots");
    const char *keep = pairs_get(options, "keep");
    struct schedule schedule;
    struct retention rules;

    if (schedule_text == NULL)
        return keep == NULL ? 0
                            : fail(err, ERR_INVALID, "option 'keep' needs 'snapshots', a schedule");
    if (pairs_get(options, "type") != NULL)
        return fail(err, ERR_UNSUPPORTED,
                    "option 'snapshots': a filesystem of type '%s' has no snapshots here",
                    pairs_get(options, "type"));
    if (schedule_parse(schedule_text, &schedule, err) < 0)
        return -1;
    return keep == NULL ? 0 : retention_parse(keep, mem, &rules, err);
}

/* A name may be taken by the policy of a volume that was renamed, or lies in the trash. */
int policy_insert_of_volume(struct task *task, const struct volume *volume, struct error *err)
{
    const char *keep = pairs_get(&volume->options, "keep");
    struct policy policy = {
        .name = arena_printf(task->mem, "volume.%s", volume->name),
        .schedule = pairs_get(&volume->options, "snapshots"),
        .keep = keep != NULL ? keep : KEEP_DEFAULT,
        .target_kind = "volume",
        .target = volume->name,
        .volume_id = volume->id,
    };
    struct policy taken;

    if (policy.schedule == NULL)
        return 0;
    int found = store_policy_find(task->db, task->mem, policy.name, &taken, err);
    if (found > 0)
        policy.name = arena_printf(task->mem, "volume.%s.%s", volume->name, volume->id);
    return found < 0 ? -1 : policy_insert(task, &policy, err);
}

int policy_insert(struct task *task, struct policy *policy, struct error *err)
{
    if (complete(task, policy, err) < 0 || store_policy_insert(task->db, policy, err) < 0)
        return -1;
    return policy_event(task, "create", policy, NULL, err);
}

int policy_next_due(struct task *task, int64_t *due_ms, struct error *err)
{
    return store_policy_next(task->db, due_ms, err);
}

int policy_set_due(struct policy *policy, int64_t after_ms, struct error *err)
{
    int64_t share_ms = share_of_jitter(policy);
    struct schedule schedule;

    if (schedule_parse(policy->schedule, &schedule, err) < 0)
        return -1;
    policy->due_ms = schedule_next(&schedule, &policy_zone, after_ms - share_ms) + share_ms;
    policy->next_ms = policy->due_ms;
    return 0;
}

int policy_event(struct task *task, const char *action, const struct policy *policy,
                 const struct pairs *more, struct error *err)
{
    struct pairs attributes = { 0 };

    pairs_set(&attributes, task->mem, policy->target_kind, policy->target);
    for (size_t i = 0; more != NULL && i < more->count; i++)
        pairs_set(&attributes, task->mem, more->items[i].key, more->items[i].value);
    return event_emit(task, "policy", action, policy->name, &attributes, err);
}

static int read_target(struct task *task, const struct policy_spec *spec, struct policy *policy,
                       struct error *err)
{
    if ((spec->volume != NULL) + (spec->label != NULL) + (spec->container != NULL) != 1)
        return fail(err, ERR_INVALID, "a policy is for a volume, a label or a container");
    if (spec->volume != NULL)
        return find_volume(task, spec->volume, policy, err);
    if (spec->container != NULL)
        return find_container(task, spec->container, policy, err);
    if (spec->label[0] == '\0' || spec->label[0] == '=')
        return fail(err, ERR_INVALID, "label '%s' has no key", spec->label);
    policy->target_kind = "label";
    policy->target = spec->label;
    return 0;
}

static int find_volume(struct task *task, const char *ref, struct policy *policy, struct error *err)
{
    struct volume volume;

    if (volume_get(task, ref, &volume, err) < 0)
        return -1;
    if (volume_is_foreign(&volume))
        return fail(err, ERR_UNSUPPORTED,
                    "volume '%s' lies on a filesystem of type '%s', which has no snapshots here",
                    volume.name, pairs_get(&volume.options, "type"));
    policy->target_kind = "volume";
    policy->target = volume.name;
    policy->volume_id = volume.id;
    return 0;
}

/* By its name, which stays when the container is made again. */
static int find_container(struct task *task, const char *ref, struct policy *policy,
                          struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    policy->target_kind = "container";
    policy->target = arena_strdup(task->mem, container.name);
    return 0;
}

/* Checks the rest, and gives an id and a first time. */
static int complete(struct task *task, struct policy *policy, struct error *err)
{
    struct retention rules;
    char id[UUID_SIZE];

    uuid_make(id);
    policy->id = arena_strdup(task->mem, id);
    policy->created_ms = clock_now_ms();
    policy->error = "";
    if (retention_parse(policy->keep, task->mem, &rules, err) < 0)
        return -1;
    return policy_set_due(policy, policy->created_ms, err);
}

static int create_finish(struct task *task, struct op *op, struct error *err)
{
    const struct policy *policy = op->data;

    if (store_policy_insert(task->db, policy, err) < 0) {
        if (err->code == ERR_EXISTS)
            return fail(err, ERR_EXISTS, "policy '%s' exists already", policy->name);
        return -1;
    }
    return policy_event(task, "create", policy, NULL, err);
}

static void create_after(struct task *task, struct op *op, bool is_done)
{
    (void)op;
    if (is_done)
        alarm_ring(&task->service->alarm);
}

static int remove_finish(struct task *task, struct op *op, struct error *err)
{
    const struct policy *policy = op->data;

    if (store_policy_delete(task->db, policy->id, err) < 0)
        return -1;
    return policy_event(task, "destroy", policy, NULL, err);
}

static int32_t local_offset(void *context, int64_t utc_s)
{
    time_t time_s = (time_t)utc_s;
    struct tm tm = { 0 };

    (void)context;
    return localtime_r(&time_s, &tm) == NULL ? 0 : (int32_t)tm.tm_gmtoff;
}

/* The same for a policy each time: FNV-1a of its id. */
static int64_t share_of_jitter(const struct policy *policy)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *at = policy->id; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    return policy->jitter_ms > 0 ? (int64_t)(hash % (uint64_t)policy->jitter_ms) : 0;
}
