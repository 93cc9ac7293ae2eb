/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of scalings. */
#include "core/replica/scale_plan.h"

#include <string.h>

#include "base/path.h"
#include "core/replica/replica.h"
#include "store/replica.h"

json_t *scale_plan_json(const struct scale_plan *plan)
{
    json_t *json = json_object();

    json_set(json, "replicas", json_integer(plan->replicas));
    json_set(json, "refresh", json_boolean(plan->is_refresh));
    json_set(json, "keep", json_list(plan->keep));
    return json;
}

int scale_plan_read(struct task *task, const char *text, struct scale_plan *plan, struct error *err)
{
    cleanup_json json_t *json = json_read(text, strlen(text), err);
    const char *const *keep = NULL;

    *plan = (struct scale_plan){ 0 };
    if (json == NULL || json_get_int(json, "replicas", &plan->replicas, err) < 0 ||
        json_get_bool(json, "refresh", &plan->is_refresh, err) < 0 ||
        json_get_list(json, "keep", task->mem, &keep, err) < 0)
        return -1;
    plan->keep = keep != NULL ? keep : arena_array(task->mem, 1, sizeof(*keep));
    return 0;
}

int scale_check_template(const struct container *template, const struct golden *golden,
                         struct error *err)
{
    bool has_any = false;

    for (size_t i = 0; i < template->attachment_count; i++) {
        const struct attachment *attachment = &template->attachments[i];
        if (attachment->snapshot != NULL) /* each sees the same, and has its own scratch */
            continue;
        bool is_golden = golden_of_volume(golden, attachment->volume_id) != NULL;
        has_any = has_any || is_golden;
        if (!is_golden && !attachment->is_anonymous && attachment->mode != ACCESS_RO)
            return fail(err, ERR_CONFLICT,
                        "volume '%s' of container %s is not in the golden state '%s', and replicas"
                        " cannot share what they write; cut a set with it, or attach it read-only",
                        attachment->volume_name, template->name, golden->name);
    }
    if (!has_any)
        return fail(err, ERR_CONFLICT, "container %s has no volume of the golden state '%s'",
                    template->name, golden->name);
    return 0;
}

json_t *scale_preview(struct task *task, const char *group, const struct scale_plan *plan,
                      struct error *err)
{
    struct replica *list = NULL;
    int count = store_replica_list(task->db, task->mem, group, &list, err);

    if (count < 0)
        return NULL;
    json_t *add = json_array();
    json_t *gone = json_array();
    json_t *refresh = json_array();
    for (int i = count; i-- > 0;)
        if (list[i].number > plan->replicas)
            json_add(gone, json_text(replica_name(task->mem, group, list[i].number)));
    for (int64_t number = 1, i = 0; number <= plan->replicas; number++) {
        while (i < count && list[i].number < number)
            i++;
        bool is_there = i < count && list[i].number == number && replica_is_whole(task, &list[i]);
        if (!is_there)
            json_add(add, json_text(replica_name(task->mem, group, number)));
        else if (plan->is_refresh)
            json_add(refresh, json_text(replica_name(task->mem, group, number)));
    }
    return json_pack("{so so so}", "add", add, "remove", gone, "refresh", refresh);
}
