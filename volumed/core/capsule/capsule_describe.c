/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows into JSON.  What belongs to a host and not to the application stays: pools, ids of policies,
 * leases, and of sets and generations all but what they were called.
 */
#include "core/capsule/capsule_describe.h"

#include <string.h>

#include "core/container/container.h"
#include "core/snapshot/policy.h"
#include "core/volume/lineage.h"
#include "store/generation.h"
#include "store/lease.h"
#include "store/policy.h"
#include "store/snapshot_hold.h"

#define EDGES_MAX 500 /* of a volume's lineage, the newest */

static json_t *describe_snapshots(const struct snapshot *snapshots, int count,
                                  const struct hold *holds, int hold_count);
static int add_rule(struct task *task, const char *volume, json_t *json, struct error *err);
static int add_policies(struct task *task, const char *volume, const char *container, json_t *json,
                        struct error *err);
static int add_lineage(struct task *task, const char *volume, json_t *json, struct error *err);
static int add_generations(struct task *task, const char *name, json_t *json, struct error *err);

json_t *capsule_describe_volume(struct task *task, const struct volume *volume,
                                const struct snapshot *snapshots, int count, struct error *err)
{
    cleanup_json json_t *json = json_object();
    struct hold *holds = NULL;
    int hold_count = store_hold_list_of_volume(task->db, task->mem, volume->id, &holds, err);

    if (hold_count < 0)
        return NULL;
    json_set(json, "id", json_text(volume->id));
    json_set(json, "name", json_text(volume->name));
    json_set(json, "labels", pairs_to_json(&volume->labels));
    json_set(json, "options", pairs_to_json(&volume->options));
    json_set(json, "anonymous", json_boolean(volume->is_anonymous));
    json_set(json, "protected", json_boolean(volume->is_protected));
    json_set(json, "created_ms", json_integer(volume->created_ms));
    json_set(json, "snapshots", describe_snapshots(snapshots, count, holds, hold_count));
    if (add_rule(task, volume->id, json, err) < 0 ||
        add_policies(task, volume->id, NULL, json, err) < 0 ||
        add_lineage(task, volume->id, json, err) < 0)
        return NULL;
    return json_incref(json);
}

json_t *capsule_describe_container(struct task *task, const struct container *container,
                                   struct error *err)
{
    cleanup_json json_t *json = json_pack(
        "{s:s, s:s, s:O, s:O, s:O, s:s, s:s}", "id", container->id, "name", container->name,
        "config", container->config, "host_config", container->host_config, "networking",
        container->networking, "image", container->image_name, "image_id", container->image_id);

    if (add_policies(task, NULL, container->name, json, err) < 0 ||
        add_generations(task, container->name, json, err) < 0)
        return NULL;
    return json_incref(json);
}

json_t *capsule_describe_attachments(const struct container *container)
{
    json_t *list = json_array();

    for (size_t i = 0; i < container->attachment_count; i++) {
        const struct attachment *attachment = &container->attachments[i];
        json_t *item = json_object();
        json_set(item, "volume", json_text(attachment->volume_name));
        json_set(item, "destination", json_text(attachment->destination));
        json_set(item, "mode", json_text(access_mode_name(attachment->mode)));
        json_set(item, "subpath", json_text(attachment->subpath));
        json_set(item, "anonymous", json_boolean(attachment->is_anonymous));
        json_set(item, "nocopy", json_boolean(attachment->is_nocopy));
        json_set(item, "nosuid", json_boolean(attachment->is_nosuid));
        json_set(item, "nodev", json_boolean(attachment->is_nodev));
        json_set(item, "noexec", json_boolean(attachment->is_noexec));
        json_set(item, "create_subpath", json_boolean(attachment->can_create_subpath));
        json_set(item, "standby", json_boolean(attachment->is_standby));
        json_set(item, "wait_ms", json_integer(attachment->wait_ms));
        json_set(item, "propagation", json_text_or_empty(attachment->propagation));
        json_set(item, "uid_map", json_text_or_empty(attachment->uid_map));
        json_set(item, "gid_map", json_text_or_empty(attachment->gid_map));
        json_add(list, item);
    }
    return list;
}

static json_t *describe_snapshots(const struct snapshot *snapshots, int count,
                                  const struct hold *holds, int hold_count)
{
    json_t *list = json_array();

    for (int i = 0; i < count; i++) {
        const struct snapshot *snapshot = &snapshots[i];
        json_t *item = json_object();
        json_t *tags = json_array();
        json_set(item, "name", json_text(snapshot->name));
        json_set(item, "labels", pairs_to_json(&snapshot->labels));
        json_set(item, "reason", json_text(snapshot->reason));
        json_set(item, "fence", json_text(snapshot->fence));
        json_set(item, "pause_ns", json_integer(snapshot->pause_ns));
        json_set(item, "created_ms", json_integer(snapshot->created_ms));
        json_set(item, "set", json_text(snapshot->set_name));
        for (int k = 0; k < hold_count; k++)
            if (strcmp(holds[k].snapshot_id, snapshot->id) == 0 &&
                strcmp(holds[k].kind, "user") == 0)
                json_add(tags, json_text(holds[k].tag));
        json_set(item, "holds", tags);
        json_add(list, item);
    }
    return list;
}

static int add_rule(struct task *task, const char *volume, json_t *json, struct error *err)
{
    struct volume_rule rule = { 0 };
    int found = store_rule_find(task->db, volume, &rule, err);

    if (found <= 0)
        return found;
    json_set(json, "access", json_text(volume_access_name(rule.access)));
    json_set(json, "succession", json_text(lease_succession_name(rule.succession)));
    return 0;
}

static bool is_of_volume(const struct policy *policy, const char *volume)
{
    return policy->volume_id != NULL && strcmp(policy->volume_id, volume) == 0;
}

static bool is_of_container(const struct policy *policy, const char *container)
{
    return policy_targets(policy, "container") && strcmp(policy->target, container) == 0;
}

/* Of a volume or of a container; those of labels are the host's. */
static int add_policies(struct task *task, const char *volume, const char *container, json_t *json,
                        struct error *err)
{
    struct policy *policies = NULL;
    json_t *list = json_array();
    int count = store_policy_list(task->db, task->mem, &policies, err);

    json_set(json, "policies", list);
    for (int i = 0; i < count; i++) {
        const struct policy *policy = &policies[i];
        if (!(volume != NULL ? is_of_volume(policy, volume) : is_of_container(policy, container)))
            continue;
        json_t *item = json_object();
        json_set(item, "name", json_text(policy->name));
        json_set(item, "schedule", json_text(policy->schedule));
        json_set(item, "keep", json_text(policy->keep));
        json_set(item, "jitter_ms", json_integer(policy->jitter_ms));
        json_add(list, item);
    }
    return count < 0 ? -1 : 0;
}

static int add_lineage(struct task *task, const char *volume, json_t *json, struct error *err)
{
    struct lineage lineage = { 0 };
    json_t *list = json_array();

    json_set(json, "lineage", list);
    if (lineage_get(task, volume, NULL, &lineage, err) < 0)
        return -1;
    for (size_t i = 0; i < lineage.count && i < EDGES_MAX; i++) {
        const struct lineage_edge *edge = &lineage.edges[i];
        json_t *item = json_object();
        json_set(item, "child_id", json_text(edge->child_id));
        json_set(item, "child_name", json_text(edge->child_name));
        json_set(item, "relation", json_text(edge->relation));
        json_set(item, "parent_kind", json_text(edge->parent_kind));
        json_set(item, "parent_id", json_text(edge->parent_id));
        json_set(item, "parent_name", json_text(edge->parent_name));
        json_set(item, "detail", json_text(edge->detail));
        json_set(item, "time_ms", json_integer(edge->time_ms));
        json_add(list, item);
    }
    return 0;
}

static int add_generations(struct task *task, const char *name, json_t *json, struct error *err)
{
    struct generation *generations = NULL;
    json_t *list = json_array();
    int count = store_generation_list(task->db, task->mem, name, &generations, err);

    json_set(json, "generations", list);
    for (int i = 0; i < count; i++) {
        cleanup_container struct container container = { 0 };
        if (container_get(task, generations[i].container_id, &container, err) < 0)
            return -1;
        json_t *item = json_object();
        json_set(item, "number", json_integer(generations[i].number));
        json_set(item, "outcome", json_text(generations[i].outcome));
        json_set(item, "set", json_text(generations[i].set_name));
        json_set(item, "retired_ms", json_integer(generations[i].retired_ms));
        json_set(item, "image", json_text(container.image_name));
        json_set(item, "image_id", json_text(container.image_id));
        json_add(list, item);
    }
    return count < 0 ? -1 : 0;
}
