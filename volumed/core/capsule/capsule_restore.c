/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest is a stranger's: everything is read with its type, and most of it twice. */
#include "core/capsule/capsule_restore.h"

#include <string.h>

#include "base/clock.h"
#include "core/snapshot/policy.h"
#include "model/lease.h"
#include "model/lineage.h"
#include "model/name.h"
#include "store/lease.h"
#include "store/lineage.h"
#include "store/policy.h"
#include "store/snapshot.h"
#include "store/snapshot_hold.h"
#include "store/volume.h"

#define POLICIES_MAX 100

static int relabel(struct task *task, const struct capsule_volume *volume, struct pairs *labels,
                   struct error *err);
static int check_volume(struct task *task, const struct capsule_volume *volume, struct error *err);
static int check_snapshots(struct task *task, const json_t *list, struct error *err);
static int read_rule(struct task *task, const json_t *item, struct volume_rule *rule,
                     struct error *err);
static int read_policy(struct task *task, const json_t *item, const char *owner,
                       struct policy *policy, struct error *err);
static int check_policies(struct task *task, const json_t *owner, struct error *err);
static int insert_policies(struct task *task, const json_t *owner, struct policy *like,
                           struct error *err);
static int drop_policies(struct task *task, const char *volume, struct error *err);
static int read_snapshot(struct task *task, const json_t *item, struct snapshot *snapshot,
                         struct error *err);
static int restore_snapshots(struct task *task, const struct capsule_volume *volume,
                             struct error *err);
static int restore_holds(struct task *task, const json_t *item, const char *snapshot,
                         struct error *err);
static int restore_lineage(struct task *task, const struct capsule_plan *plan,
                           const struct capsule_volume *volume, struct error *err);
static int restore_edge(struct task *task, const json_t *item, struct error *err);

int capsule_restore_check(struct task *task, const struct capsule_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++)
        if (check_volume(task, &plan->volumes[i], err) < 0)
            return error_prefix(err, "the capsule's volume '%s'", plan->volumes[i].old_name);
    return check_policies(task, json_member(plan->manifest, "container"), err);
}

int capsule_restore_spec(struct task *task, const struct capsule_volume *volume, const char *name,
                         struct snapshot_spec *spec, struct error *err)
{
    struct snapshot snapshot = { 0 };
    size_t i;
    json_t *item;

    json_array_foreach(json_member(volume->item, "snapshots"), i, item)
    {
        if (read_snapshot(task, item, &snapshot, err) < 0)
            return -1;
        if (strcmp(snapshot.name, name) != 0)
            continue;
        spec->name = snapshot.name;
        spec->reason = snapshot.reason;
        spec->labels = snapshot.labels;
        return relabel(task, volume, &spec->labels, err);
    }
    return fail(err, ERR_CORRUPT, "the capsule does not say what snapshot '%s@%s' is",
                volume->old_name, name);
}

/* The policy that made it may be called otherwise here. */
static int relabel(struct task *task, const struct capsule_volume *volume, struct pairs *labels,
                   struct error *err)
{
    const char *owner = pairs_get(labels, POLICY_LABEL);
    struct policy policy = { 0 };
    size_t i;
    json_t *item;

    json_array_foreach(json_member(volume->item, "policies"), i, item)
    {
        const char *name = json_string_value(json_member(item, "name"));
        if (owner == NULL || name == NULL || strcmp(name, owner) != 0)
            continue;
        if (read_policy(task, item, volume->name, &policy, err) < 0)
            return -1;
        pairs_set(labels, task->mem, POLICY_LABEL, policy.name);
    }
    return 0;
}

int capsule_restore_volume(struct task *task, const struct capsule_plan *plan,
                           const struct capsule_volume *volume, struct error *err)
{
    struct policy like = { .target_kind = "volume",
                           .target = volume->name,
                           .volume_id = volume->id };
    struct volume made;
    struct volume_rule rule = { 0 };
    bool is_protected = false;

    if (store_volume_find_id(task->db, task->mem, volume->id, &made, err) <= 0)
        return fail(err, ERR_CONFLICT, "volume '%s' was removed meanwhile", volume->name);
    if (json_get_bool(volume->item, "protected", &is_protected, err) < 0 ||
        (is_protected && store_volume_set_protected(task->db, volume->id, true, err) < 0))
        return -1;
    int has_rule = read_rule(task, volume->item, &rule, err);
    if (has_rule < 0 || (has_rule > 0 && store_rule_set(task->db, volume->id, &rule, err) < 0) ||
        drop_policies(task, volume->id, err) < 0)
        return -1;
    made.name = volume->name;
    /* The first format knew policies by the volume's options alone. */
    int rc = json_member(volume->item, "policies") == NULL
                 ? policy_insert_of_volume(task, &made, err)
                 : insert_policies(task, volume->item, &like, err);
    if (rc < 0 || restore_snapshots(task, volume, err) < 0)
        return -1;
    return restore_lineage(task, plan, volume, err);
}

int capsule_restore_container(struct task *task, const struct capsule_plan *plan, struct error *err)
{
    struct policy like = { .target_kind = "container", .target = plan->name };

    return insert_policies(task, json_member(plan->manifest, "container"), &like, err);
}

static int check_volume(struct task *task, const struct capsule_volume *volume, struct error *err)
{
    struct volume_rule rule = { 0 };
    bool is_protected = false;

    if (json_get_bool(volume->item, "protected", &is_protected, err) < 0 ||
        read_rule(task, volume->item, &rule, err) < 0 ||
        check_policies(task, volume->item, err) < 0)
        return -1;
    return check_snapshots(task, json_member(volume->item, "snapshots"), err);
}

static int check_snapshots(struct task *task, const json_t *list, struct error *err)
{
    struct snapshot snapshot = { 0 };
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        if (read_snapshot(task, item, &snapshot, err) < 0 ||
            name_check("snapshot", snapshot.name, err) < 0)
            return -1;
    }
    return 0;
}

/* 1: it has one. */
static int read_rule(struct task *task, const json_t *item, struct volume_rule *rule,
                     struct error *err)
{
    const char *access = NULL;
    const char *succession = "none";

    if (json_get_text(item, "access", task->mem, &access, err) < 0 ||
        json_get_text(item, "succession", task->mem, &succession, err) < 0)
        return -1;
    if (access == NULL)
        return 0;
    return volume_access_find(access, &rule->access, err) < 0 ||
                   lease_succession_find(succession, &rule->succession, err) < 0
               ? -1
               : 1;
}

/* 'owner' is the volume or container that it is for. */
static int read_policy(struct task *task, const json_t *item, const char *owner,
                       struct policy *policy, struct error *err)
{
    struct policy taken;
    struct pairs options = { 0 };

    policy->name = policy->schedule = policy->keep = "";
    if (json_get_text(item, "name", task->mem, &policy->name, err) < 0 ||
        json_get_text(item, "schedule", task->mem, &policy->schedule, err) < 0 ||
        json_get_text(item, "keep", task->mem, &policy->keep, err) < 0 ||
        json_get_int(item, "jitter_ms", &policy->jitter_ms, err) < 0 ||
        name_check("policy", policy->name, err) < 0)
        return -1;
    if (policy->jitter_ms < 0)
        return fail(err, ERR_INVALID, "policy '%s' has a jitter below 0", policy->name);
    pairs_set(&options, task->mem, "snapshots", policy->schedule);
    pairs_set(&options, task->mem, "keep", policy->keep);
    int found = policy_check_options(&options, err) < 0
                    ? -1
                    : store_policy_find(task->db, task->mem, policy->name, &taken, err);
    if (found > 0)
        policy->name = arena_printf(task->mem, "%s.%s", policy->name, owner);
    return found < 0 ? -1 : name_check("policy", policy->name, err);
}

static int check_policies(struct task *task, const json_t *owner, struct error *err)
{
    const json_t *list = json_member(owner, "policies");
    size_t i;
    json_t *item;

    if (json_array_size(list) > POLICIES_MAX)
        return fail(err, ERR_INVALID, "it has more than %d policies", POLICIES_MAX);
    json_array_foreach(list, i, item)
    {
        struct policy policy = { 0 };
        if (read_policy(task, item, "", &policy, err) < 0)
            return -1;
    }
    return 0;
}

static int insert_policies(struct task *task, const json_t *owner, struct policy *like,
                           struct error *err)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_member(owner, "policies"), i, item)
    {
        struct policy policy = *like;
        if (read_policy(task, item, like->target, &policy, err) < 0 ||
            policy_insert(task, &policy, err) < 0)
            return -1;
    }
    return 0;
}

/* What its options made when it had another name. */
static int drop_policies(struct task *task, const char *volume, struct error *err)
{
    struct policy *list = NULL;
    int count = store_policy_list(task->db, task->mem, &list, err);

    for (int i = 0; i < count; i++)
        if (list[i].volume_id != NULL && strcmp(list[i].volume_id, volume) == 0 &&
            store_policy_delete(task->db, list[i].id, err) < 0)
            return -1;
    return count < 0 ? -1 : 0;
}

static int read_snapshot(struct task *task, const json_t *item, struct snapshot *snapshot,
                         struct error *err)
{
    *snapshot = (struct snapshot){ .name = "", .reason = "user", .fence = "idle" };
    if (json_get_text(item, "name", task->mem, &snapshot->name, err) < 0 ||
        json_get_text(item, "reason", task->mem, &snapshot->reason, err) < 0 ||
        json_get_text(item, "fence", task->mem, &snapshot->fence, err) < 0 ||
        json_get_int(item, "pause_ns", &snapshot->pause_ns, err) < 0 ||
        json_get_int(item, "created_ms", &snapshot->created_ms, err) < 0 ||
        pairs_from_json(&snapshot->labels, task->mem, json_member(item, "labels"), err) < 0)
        return -1;
    bool is_known =
        (strcmp(snapshot->reason, "user") == 0 || strcmp(snapshot->reason, "policy") == 0) &&
        (strcmp(snapshot->fence, "idle") == 0 || strcmp(snapshot->fence, "frozen") == 0 ||
         strcmp(snapshot->fence, "partial") == 0);
    return is_known && snapshot->pause_ns >= 0 && snapshot->created_ms >= 0
               ? 0
               : fail(err, ERR_CORRUPT, "snapshot '%s' is not described as one", snapshot->name);
}

/* When they were cut, and what holds them. */
static int restore_snapshots(struct task *task, const struct capsule_volume *volume,
                             struct error *err)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_member(volume->item, "snapshots"), i, item)
    {
        struct snapshot told = { 0 };
        struct snapshot made;
        if (read_snapshot(task, item, &told, err) < 0)
            return -1;
        int found = store_snapshot_find(task->db, task->mem, volume->id, told.name, &made, err);
        if (found == 0)
            return fail(err, ERR_CORRUPT, "the capsule has no contents of snapshot '%s@%s'",
                        volume->old_name, told.name);
        if (found < 0)
            return -1;
        told.id = made.id;
        if (told.created_ms > 0 && store_snapshot_set_past(task->db, &told, err) < 0)
            return -1;
        if (restore_holds(task, item, made.id, err) < 0)
            return -1;
    }
    return 0;
}

static int restore_holds(struct task *task, const json_t *item, const char *snapshot,
                         struct error *err)
{
    const char *const *tags = NULL;

    if (json_get_list(item, "holds", task->mem, &tags, err) < 0)
        return -1;
    for (size_t i = 0; tags != NULL && tags[i] != NULL; i++) {
        const struct hold hold = {
            .snapshot_id = snapshot,
            .tag = tags[i],
            .kind = "user",
            .actor = task->actor,
            .created_ms = clock_now_ms(),
        };
        if (name_check("tag", hold.tag, err) < 0 || store_hold_insert(task->db, &hold, err) < 0)
            return -1;
    }
    return 0;
}

/* An edge to what it was where the capsule was made, and what that came from. */
static int restore_lineage(struct task *task, const struct capsule_plan *plan,
                           const struct capsule_volume *volume, struct error *err)
{
    struct lineage_edge edge = {
        .child_id = volume->id,
        .child_name = volume->name,
        .relation = "imported",
        .parent_kind = "capsule",
        .parent_id = NULL,
        .time_ms = clock_now_ms(),
    };
    cleanup_json json_t *detail = json_object();
    size_t i;
    json_t *item;

    if (json_get_text(volume->item, "id", task->mem, &edge.parent_id, err) < 0)
        return -1;
    if (edge.parent_id == NULL) /* of the first format */
        return 0;
    edge.parent_name = arena_printf(task->mem, "%s of %s", volume->old_name, plan->old_name);
    json_t *capsule = json_member(plan->manifest, "id");
    json_t *created = json_member(plan->manifest, "created_ms");
    json_set(detail, "capsule", json_text(json_string_value(capsule)));
    json_set(detail, "exported_ms", json_integer(json_integer_value(created)));
    edge.detail = json_write(task->mem, detail);
    if (store_lineage_insert(task->db, &edge, err) < 0)
        return -1;
    json_array_foreach(json_member(volume->item, "lineage"), i, item)
    {
        if (restore_edge(task, item, err) < 0)
            return -1;
    }
    return 0;
}

/* A stranger has no say in where the volumes of this host come from. */
static int restore_edge(struct task *task, const json_t *item, struct error *err)
{
    struct lineage_edge edge = { .child_id = "",
                                 .child_name = "",
                                 .relation = "",
                                 .parent_kind = "",
                                 .parent_id = "",
                                 .parent_name = "",
                                 .detail = "{}" };
    cleanup_json json_t *detail = NULL;

    if (json_get_text(item, "child_id", task->mem, &edge.child_id, err) < 0 ||
        json_get_text(item, "child_name", task->mem, &edge.child_name, err) < 0 ||
        json_get_text(item, "relation", task->mem, &edge.relation, err) < 0 ||
        json_get_text(item, "parent_kind", task->mem, &edge.parent_kind, err) < 0 ||
        json_get_text(item, "parent_id", task->mem, &edge.parent_id, err) < 0 ||
        json_get_text(item, "parent_name", task->mem, &edge.parent_name, err) < 0 ||
        json_get_text(item, "detail", task->mem, &edge.detail, err) < 0 ||
        json_get_int(item, "time_ms", &edge.time_ms, err) < 0)
        return -1;
    detail = json_read(edge.detail, strlen(edge.detail), err);
    if (detail == NULL)
        return -1;
    return store_lineage_insert_foreign(task->db, &edge, err) < 0 ? -1 : 0;
}
