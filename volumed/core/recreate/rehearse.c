/* SPDX-License-Identifier: Apache-2.0 */
/* Making a rehearsal, running it, throwing it away.  What it has shown is rehearse_report.c's. */
#include "core/recreate/rehearse.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "core/container/container.h"
#include "core/recreate/recreate_data.h"
#include "core/recreate/recreate_spec.h"
#include "core/recreate/recreator.h"
#include "core/recreate/rehearse_report.h"
#include "core/service.h"
#include "core/snapshot/set.h"
#include "store/recreation.h"

static int insert(struct task *task, const struct rehearse_request *request,
                  struct container *original, struct recreation *recreation, struct error *err);
static int prepare(struct task *task, const struct rehearse_request *request,
                   struct container *original, struct recreation *recreation, struct error *err);
static int clone_volumes(struct task *task, const struct rehearse_request *request,
                         struct container *original, const struct recreation *recreation,
                         struct error *err);
static int make_container(struct task *task, const struct rehearse_request *request,
                          const struct container *original, struct recreation *recreation,
                          struct error *err);
static void shut_in(json_t *host, bool has_network);
static void make_binds_read_only(struct arena *mem, json_t *host);
static int discard(struct task *task, const struct recreation *recreation, struct error *err);
static int start(struct recreate_run *run, struct error *err);

int rehearse_begin(struct task *task, const struct rehearse_request *request,
                   struct recreation *recreation, struct error *err)
{
    cleanup_container struct container original = { 0 };
    struct error cause;

    if (container_get(task, request->container, &original, err) < 0 ||
        insert(task, request, &original, recreation, err) < 0)
        return -1;
    if (prepare(task, request, &original, recreation, err) == 0)
        return recreator_begin(task->service->recreator, recreate_run, recreation->id, false, err);
    cause = *err;
    if (discard(task, recreation, err) == 0)
        (void)store_recreation_delete(task->db, recreation->id, err); /* or the next start does */
    *err = cause;
    return error_prefix(err, "cannot rehearse container %s", original.name);
}

int rehearse_run(struct recreate_run *run, bool is_resumed, struct error *err)
{
    struct recreation *recreation = run->recreation;
    struct error cause;
    int verdict = -1;

    if (is_resumed) {
        recreation->reason = "volumed ended meanwhile";
    } else {
        verdict = start(run, &cause) < 0 ? -1 : recreate_watch(run, &cause);
        if (verdict == 0) /* we end: the next start throws it away */
            return 0;
        if (verdict < 0)
            recreation->reason = arena_strdup(run->task->mem, cause.message);
        rehearse_report(run);
    }
    if ((is_resumed || !run->plan.is_kept) && discard(run->task, recreation, err) < 0)
        return -1;
    return recreate_end(run, verdict > 0 ? "committed" : "rolled_back", err);
}

static int insert(struct task *task, const struct rehearse_request *request,
                  struct container *original, struct recreation *recreation, struct error *err)
{
    const struct recreate_plan plan = {
        .probation_ms = request->probation_ms,
        .probe = request->probe,
        .is_rehearsal = true,
        .is_kept = request->is_kept,
    };
    struct recreation_member *member = arena_alloc(task->mem, sizeof(*member));
    char id[UUID_SIZE];

    uuid_make(id);
    const char *name =
        arena_printf(task->mem, "%s.rehearsal-%s", original->name, id + strlen(id) - 8);
    *member = (struct recreation_member){
        .name = name, .old_id = original->id, .new_id = "", .was_running = true
    };
    cleanup_json json_t *json = recreate_plan_json(&plan);
    *recreation = (struct recreation){
        .id = arena_strdup(task->mem, id),
        .state = "preparing",
        .plan = json_write(task->mem, json),
        .set_name = original->attachment_count > 0 ? name : "",
        .failed_set = "",
        .reason = "",
        .report = "{}",
        .decision = "",
        .actor = task->actor,
        .started_ms = clock_now_ms(),
        .members = member,
        .count = 1,
    };
    return store_recreation_insert(task->db, recreation, err);
}

static int prepare(struct task *task, const struct rehearse_request *request,
                   struct container *original, struct recreation *recreation, struct error *err)
{
    if (original->attachment_count > 0 &&
        clone_volumes(task, request, original, recreation, err) < 0)
        return -1;
    return make_container(task, request, original, recreation, err);
}

/* Afterwards the original's attachments, here alone, are to the clones. */
static int clone_volumes(struct task *task, const struct rehearse_request *request,
                         struct container *original, const struct recreation *recreation,
                         struct error *err)
{
    const char *const containers[] = { original->id, NULL };
    const char *prefix = arena_printf(task->mem, "%s.", recreation->set_name);
    const struct set_spec spec = {
        .name = recreation->set_name,
        .containers = containers,
        .reason = "safety",
        .freeze_timeout_ms = request->freeze_timeout_ms,
    };
    const struct set_clone_spec clone = { .prefix = prefix };
    struct snapshot_set set;
    struct volume *volumes = NULL;

    if (set_create(task, &spec, &set, err) < 0)
        return -1;
    int count = set_clone(task, set.name, &clone, &volumes, err);
    if (count < 0)
        return -1;
    for (size_t i = 0; i < original->attachment_count; i++) {
        struct attachment *attachment = &original->attachments[i];
        const char *name = arena_printf(task->mem, "%s%s", prefix, attachment->volume_name);
        int k = 0;
        while (k < count && strcmp(volumes[k].name, name) != 0)
            k++;
        if (k == count)
            return fail(err, ERR_UNSUPPORTED, "volume '%s' cannot be cloned",
                        attachment->volume_name);
        attachment->volume_id = volumes[k].id;
        attachment->volume_name = volumes[k].name;
    }
    return 0;
}

static int make_container(struct task *task, const struct rehearse_request *request,
                          const struct container *original, struct recreation *recreation,
                          struct error *err)
{
    cleanup_recreate_spec struct container_spec spec = { 0 };
    struct recreation_member *member = &recreation->members[0];
    const char *const *warnings;

    spec.name = member->name;
    if (recreate_spec_fill(task, original, request->change, &spec, err) < 0)
        return -1;
    shut_in(spec.host_config, request->has_network);
    make_binds_read_only(task->mem, spec.host_config);
    if (container_create(task, &spec, &member->new_id, &warnings, err) < 0)
        return -1;
    return store_recreation_set_new(task->db, recreation->id, 0, member->new_id, err);
}

/* It must neither be seen from outside nor come back by itself. */
static void shut_in(json_t *host, bool has_network)
{
    json_set(host, "AutoRemove", json_false());
    json_set(host, "RestartPolicy", json_pack("{s:s, s:i}", "Name", "no", "MaximumRetryCount", 0));
    json_set(host, "VolumesFrom", json_null());
    json_set(host, "PortBindings", json_object());
    if (!has_network)
        json_set(host, "NetworkMode", json_text("none"));
}

/* What is of the host has no clone. */
static void make_binds_read_only(struct arena *mem, json_t *host)
{
    json_t *binds = json_object_get(host, "Binds");
    size_t i;
    json_t *mount;

    for (i = 0; i < json_array_size(binds); i++) {
        const char *bind = json_string_value(json_array_get(binds, i));
        const char *colon = strchr(bind, ':');
        size_t length = colon == NULL ? 0 : strcspn(colon + 1, ":");
        if (bind[0] == '/' && colon != NULL)
            (void)json_array_set_new(
                binds, i,
                json_text(arena_printf(mem, "%.*s:ro", (int)(colon + 1 + length - bind), bind)));
    }
    json_array_foreach(json_object_get(host, "Mounts"), i, mount)
    {
        const char *type = json_string_value(json_member(mount, "Type"));
        if (type != NULL && strcmp(type, "bind") == 0)
            json_set(mount, "ReadOnly", json_true());
    }
}

/* Container, clones, set: in this order, since each holds the next. */
static int discard(struct task *task, const struct recreation *recreation, struct error *err)
{
    static const struct container_remove_spec removal = { .force = true, .with_volumes = true };
    static const struct volume_remove_spec gone = { .force = true,
                                                    .with_snapshots = true,
                                                    .is_now = true };
    const char *name = recreation->members[0].name;
    struct snapshot_set set;

    if (container_remove(task, name, &removal, err) < 0 && err->code != ERR_NOT_FOUND)
        return -1;
    if (recreation->set_name[0] == '\0')
        return 0;
    if (set_get(task, recreation->set_name, &set, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    for (size_t i = 0; i < set.member_count; i++) {
        const char *clone =
            arena_printf(task->mem, "%s.%s", recreation->set_name, set.members[i].volume_name);
        if (volume_remove(task, clone, &gone, err) < 0 && err->code != ERR_NOT_FOUND)
            return -1;
    }
    return recreate_data_drop(task, recreation->set_name, err);
}

static int start(struct recreate_run *run, struct error *err)
{
    struct recreation *recreation = run->recreation;
    bool changed;

    recreation->state = "starting";
    if (recreate_save(run, err) < 0)
        return -1;
    recreate_report(run, "running_ms", json_integer(clock_now_ms()));
    if (container_start(run->task, recreation->members[0].new_id, &changed, err) < 0)
        return -1;
    recreation->state = "probation";
    recreation->deadline_ms = clock_now_ms() + run->plan.probation_ms;
    return recreate_save(run, err);
}
