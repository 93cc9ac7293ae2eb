/* SPDX-License-Identifier: Apache-2.0 */
/* Which volumes a policy is for, and what would become of its snapshots and sets. */
#include <string.h>

#include "base/clock.h"
#include "core/attachment/attachment_snapshot.h"
#include "core/pool/pool.h"
#include "core/snapshot/policy.h"
#include "core/snapshot/set.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume_data.h"
#include "store/snapshot_hold.h"
#include "store/volume.h"

static int volumes_by_label(struct task *task, const char *label, struct volume **list,
                            struct error *err);
static bool has_label(const struct volume *volume, const char *label);
static int collect_snapshots(struct task *task, const struct policy *policy,
                             const struct retention *rules, struct policy_verdicts *verdicts,
                             struct error *err);
static int collect_sets(struct task *task, const struct policy *policy,
                        const struct retention *rules, struct policy_verdicts *verdicts,
                        struct error *err);
static bool is_its_business(const struct policy *policy, const struct retention *rules,
                            const char *reason, const struct pairs *labels);
static int add_uses(struct task *task, const struct snapshot *snapshot,
                    struct retention_item *facts, struct error *err);
static void judge(struct task *task, const struct retention *rules,
                  struct policy_verdicts *verdicts);

int policy_volumes(struct task *task, const struct policy *policy, struct volume **list,
                   struct error *err)
{
    if (policy_targets(policy, "container"))
        return 0;
    if (policy_targets(policy, "label"))
        return volumes_by_label(task, policy->target, list, err);
    *list = arena_alloc(task->mem, sizeof(**list));
    return store_volume_find_id(task->db, task->mem, policy->volume_id, *list, err);
}

int policy_judge(struct task *task, const struct policy *policy, const struct volume *volume,
                 struct policy_verdicts *verdicts, struct error *err)
{
    struct retention rules;

    if (retention_parse(policy->keep, task->mem, &rules, err) < 0)
        return -1;
    *verdicts = (struct policy_verdicts){ .name = policy->target };
    if (volume != NULL) {
        verdicts->name = volume->name;
        verdicts->pool_id = volume->pool_id;
        verdicts->volume_id = volume->id;
    }
    int rc = volume != NULL ? collect_snapshots(task, policy, &rules, verdicts, err)
                            : collect_sets(task, policy, &rules, verdicts, err);
    if (rc < 0)
        return -1;
    judge(task, &rules, verdicts);
    return 0;
}

int policy_plan(struct task *task, const char *ref, struct policy_verdicts **list,
                struct error *err)
{
    struct volume *volumes = NULL;
    struct policy policy;

    if (policy_get(task, ref, &policy, err) < 0)
        return -1;
    bool has_sets = policy_targets(&policy, "container");
    int count = policy_volumes(task, &policy, &volumes, err);
    if (count < 0)
        return -1;
    *list = arena_array(task->mem, (size_t)count + 1, sizeof(**list));
    if (has_sets)
        return policy_judge(task, &policy, NULL, &(*list)[0], err) < 0 ? -1 : 1;
    for (int i = 0; i < count; i++)
        if (policy_judge(task, &policy, &volumes[i], &(*list)[i], err) < 0)
            return -1;
    return count;
}

static int volumes_by_label(struct task *task, const char *label, struct volume **list,
                            struct error *err)
{
    int count = store_volume_list(task->db, task->mem, list, err);
    int kept = 0;

    for (int i = 0; i < count; i++)
        if (has_label(&(*list)[i], label) && !volume_is_foreign(&(*list)[i]))
            (*list)[kept++] = (*list)[i];
    return count < 0 ? -1 : kept;
}

static bool has_label(const struct volume *volume, const char *label)
{
    size_t length = strcspn(label, "=");

    for (size_t i = 0; i < volume->labels.count; i++) {
        const struct pair *pair = &volume->labels.items[i];
        if (strlen(pair->key) == length && strncmp(pair->key, label, length) == 0)
            return label[length] == '\0' || strcmp(pair->value, label + length + 1) == 0;
    }
    return false;
}

/* Members of sets go with their sets. */
static int collect_snapshots(struct task *task, const struct policy *policy,
                             const struct retention *rules, struct policy_verdicts *verdicts,
                             struct error *err)
{
    struct snapshot *list = NULL;
    int count = snapshot_list(task, verdicts->volume_id, &list, err);

    if (count < 0)
        return -1;
    verdicts->items = arena_array(task->mem, (size_t)count + 1, sizeof(*verdicts->items));
    for (int i = 0; i < count; i++) {
        const struct snapshot *snapshot = &list[i];
        if (snapshot->set_id != NULL ||
            !is_its_business(policy, rules, snapshot->reason, &snapshot->labels))
            continue;
        struct policy_item *item = &verdicts->items[verdicts->count++];
        *item = (struct policy_item){
            .id = snapshot->id,
            .name = arena_printf(task->mem, "%s@%s", snapshot->volume_name, snapshot->name),
            .volume_id = snapshot->volume_id,
            .facts = { .created_ms = snapshot->created_ms,
                       .is_safety = strcmp(snapshot->reason, "safety") == 0,
                       .is_whole = strcmp(snapshot->fence, "partial") != 0,
                       .labels = &snapshot->labels },
        };
        if (add_uses(task, snapshot, &item->facts, err) < 0)
            return -1;
    }
    return 0;
}

/* A container's safety sets cannot be told from others': rollbacks of sets do not know it. */
static int collect_sets(struct task *task, const struct policy *policy,
                        const struct retention *rules, struct policy_verdicts *verdicts,
                        struct error *err)
{
    struct snapshot_set *list = NULL;
    int count = set_list(task, &list, err);

    if (count < 0)
        return -1;
    verdicts->items = arena_array(task->mem, (size_t)count + 1, sizeof(*verdicts->items));
    for (int i = 0; i < count; i++) {
        const struct snapshot_set *set = &list[i];
        if (strcmp(set->reason, "policy") != 0 ||
            !is_its_business(policy, rules, set->reason, &set->labels))
            continue;
        struct policy_item *item = &verdicts->items[verdicts->count++];
        *item = (struct policy_item){
            .id = set->id,
            .name = set->name,
            .facts = { .created_ms = set->created_ms,
                       .is_whole = strcmp(set->fence, "partial") != 0,
                       .labels = &set->labels },
        };
        for (size_t m = 0; m < set->member_count; m++) {
            verdicts->pool_id = set->members[m].pool_id;
            if (add_uses(task, &set->members[m], &item->facts, err) < 0)
                return -1;
        }
    }
    return 0;
}

static bool is_its_business(const struct policy *policy, const struct retention *rules,
                            const char *reason, const struct pairs *labels)
{
    const char *owner = pairs_get(labels, POLICY_LABEL);

    if (strcmp(reason, "safety") == 0)
        return rules->safety_ms > 0;
    return strcmp(reason, "policy") == 0 && owner != NULL && strcmp(owner, policy->name) == 0;
}

static int add_uses(struct task *task, const struct snapshot *snapshot,
                    struct retention_item *facts, struct error *err)
{
    struct hold *holds = NULL;
    struct error pinned;
    int count = store_hold_list(task->db, task->mem, snapshot->id, &holds, err);

    for (int i = 0; i < count; i++)
        *(strcmp(holds[i].kind, "base") == 0 ? &facts->is_base : &facts->is_held) = true;
    if (count == 0 && snapshot_check_unpinned(task, snapshot, &pinned) < 0)
        facts->is_attached = true;
    return count < 0 ? -1 : 0;
}

static void judge(struct task *task, const struct retention *rules,
                  struct policy_verdicts *verdicts)
{
    size_t count = (size_t)verdicts->count;
    struct retention_item *facts = arena_array(task->mem, count + 1, sizeof(*facts));
    struct retention_verdict *judged = arena_array(task->mem, count + 1, sizeof(*judged));
    struct pool_space space = { 0 };
    struct error ignored; /* space that is not known asks for nothing */

    if (verdicts->pool_id != NULL)
        (void)pool_space(task, verdicts->pool_id, &space, &ignored);
    for (size_t i = 0; i < count; i++)
        facts[i] = verdicts->items[i].facts;
    retention_judge(&(struct retention_question){ .rules = rules,
                                                  .zone = &policy_zone,
                                                  .now_ms = clock_now_ms(),
                                                  .space = { space.size_bytes, space.free_bytes },
                                                  .items = facts,
                                                  .count = count },
                    task->mem, judged);
    for (size_t i = 0; i < count; i++)
        verdicts->items[i].verdict = judged[i];
}
