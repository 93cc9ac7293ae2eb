/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing containers.  The rows go in one transaction, the directory after it: until then a crash
 * leaves the container whole, afterwards only garbage that reconcile knows.
 */
#include "core/container/container_remove.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "core/box/box.h"
#include "core/box/monitor.h"
#include "core/container/attach.h"
#include "core/container/container.h"
#include "core/container/container_event.h"
#include "core/container/container_stop.h"
#include "core/container/wait.h"
#include "core/image/image.h"
#include "core/operation/container_kinds.h"
#include "core/operation/op.h"
#include "core/recreate/carry.h"
#include "core/recreate/generation.h"
#include "core/service.h"
#include "core/volume/trash.h"
#include "store/container.h"

#define KILL_TIMEOUT_MS 10000
#define RETRY_MS        10

struct removal {
    const char *id;
    bool with_volumes;
    struct container container;
    struct attachment_garbage garbage;
};

static int remove_finish(struct task *task, struct op *op, struct error *err);
static void remove_after(struct task *task, struct op *op, bool is_done);
static int refuse_live(const struct container *container, struct error *err);
static int remove_forced(struct task *task, const char *id, bool with_volumes, struct error *err);
static int remove_stopped(struct task *task, const struct container *container, bool with_volumes,
                          struct error *err);
static void clear_box(struct task *task, const char *id);
static int until_parse(const char *text, int64_t *time_ns, struct error *err);
static bool is_prunable(const struct container *container);
static int prune_one(struct task *task, const struct container *container, bool is_dry_run,
                     struct prune_result *result, struct error *err);

const struct op_kind container_remove_kind = {
    .name = "container.remove",
    .finish = remove_finish,
    .after = remove_after,
};

int container_remove(struct task *task, const char *ref, const struct container_remove_spec *spec,
                     struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (spec->is_link)
        return fail(err, ERR_CONFLICT, "Conflict, cannot remove a link: there are none");
    if (container_get(task, ref, &container, err) < 0)
        return -1;
    if (spec->force)
        return remove_forced(task, container.id, spec->with_volumes, err);
    if (refuse_live(&container, err) < 0)
        return -1;
    return remove_stopped(task, &container, spec->with_volumes, err);
}

int container_prune(struct task *task, const struct filter *filter, bool is_dry_run,
                    struct prune_result *result, struct error *err)
{
    struct container *list = NULL;
    const char *until = filter_get(filter, "until");
    int64_t until_ns = INT64_MAX;
    int rc = 0;

    if (until != NULL && until_parse(until, &until_ns, err) < 0)
        return -1;
    int count = store_container_list(task->db, task->mem, false, &list, err);
    if (count < 0)
        return -1;
    result->names = arena_array(task->mem, (size_t)count + 1, sizeof(*result->names));
    for (int i = 0; i < count; i++) {
        struct pairs labels = { 0 };
        if (rc == 0 && is_prunable(&list[i]) && list[i].created_ns < until_ns &&
            pairs_from_json(&labels, task->mem, json_object_get(list[i].config, "Labels"), err) ==
                0 &&
            filter_match_labels(filter, &labels))
            rc = prune_one(task, &list[i], is_dry_run, result, err);
        container_done(&list[i]);
    }
    return rc;
}

int container_forget(struct task *task, const struct container *container, bool with_volumes,
                     struct attachment_garbage *garbage, struct error *err)
{
    enum attachment_fate fate = ATTACHMENT_VOLUMES_STAY;

    if (with_volumes)
        fate = carry_is_wanted(container) && trash_is_on(task) ? ATTACHMENT_VOLUMES_TO_TRASH
                                                               : ATTACHMENT_VOLUMES_GO;
    if (carry_note(task, container, err) < 0 ||
        attachment_delete(task, container->id, fate, garbage, err) < 0 ||
        store_container_delete(task->db, container->id, err) < 0)
        return -1;
    return container_emit(task, container, "destroy", NULL, err);
}

void container_clear_away(struct task *task, const struct container *container,
                          const struct attachment_garbage *garbage)
{
    bool has_image = true;
    struct error err;

    monitor_forget_restart(task->service->monitor, container->id);
    wait_wake_removed(container->id);
    attach_drop(container->id);
    attachment_garbage_remove(task, garbage);
    monitor_defer(task->service->monitor, clear_box, container->id);
    if (store_container_has_image(task->db, container->image_id, &has_image, &err) < 0 ||
        (!has_image && image_collect_layers(task, &err) < 0))
        log_warn("cannot collect layers error=\"%s\"", err.message);
}

/* Its policy may be starting it again this very moment: then it is tried again. */
static int remove_forced(struct task *task, const char *id, bool with_volumes, struct error *err)
{
    int64_t until_ms = clock_mono_ms() + KILL_TIMEOUT_MS;

    for (;;) {
        cleanup_container struct container now = { 0 };
        int rc = container_get(task, id, &now, err);
        if (rc == 0)
            rc = container_force_down(task, &now, KILL_TIMEOUT_MS, err);
        if (rc == 0)
            rc = remove_stopped(task, &now, with_volumes, err);
        if (rc == 0 || err->code == ERR_NOT_FOUND) /* one that removes itself was faster */
            return 0;
        if ((err->code != ERR_BUSY && err->code != ERR_CONFLICT) || clock_mono_ms() > until_ms)
            return -1;
        (void)poll(NULL, 0, RETRY_MS); /* sleeps */
    }
}

/* Its generations go first: what is cut off then is a container with fewer of them, and volumes
 * that they share with it go with it. */
static int remove_stopped(struct task *task, const struct container *container, bool with_volumes,
                          struct error *err)
{
    struct removal removal = { .id = container->id, .with_volumes = with_volumes };
    cleanup_op struct op op = { .kind = &container_remove_kind, .data = &removal };

    if (!container->is_retired)
        generation_drop_all(task, container->name, with_volumes);
    op.subject = arena_printf(task->mem, "container '%.12s'", container->id);
    int rc = op_run(task, &op, err);
    container_done(&removal.container);
    return rc;
}

static int remove_finish(struct task *task, struct op *op, struct error *err)
{
    struct removal *removal = op->data;
    const char *holder = NULL;
    int count = store_container_find(task->db, task->mem, removal->id, &removal->container, err);

    if (count < 0)
        return -1;
    if (count == 0)
        return fail(err, ERR_NOT_FOUND, "No such container: %s", removal->id);
    if (refuse_live(&removal->container, err) < 0 ||
        store_container_holder(task->db, task->mem, removal->id, &holder, err) < 0)
        return -1;
    if (holder != NULL)
        return fail(err, ERR_BUSY, "container %s is held by operation %s", removal->id, holder);
    return container_forget(task, &removal->container, removal->with_volumes, &removal->garbage,
                            err);
}

static void remove_after(struct task *task, struct op *op, bool is_done)
{
    const struct removal *removal = op->data;

    if (is_done)
        container_clear_away(task, &removal->container, &removal->garbage);
}

static int refuse_live(const struct container *container, struct error *err)
{
    if (strcmp(container->state, "paused") == 0)
        return fail(err, ERR_CONFLICT,
                    "You cannot remove a paused container %s. Unpause and then stop the container"
                    " before attempting removal or force remove",
                    container->id);
    if (container_is_live(container) || strcmp(container->state, "restarting") == 0)
        return fail(err, ERR_CONFLICT,
                    "You cannot remove a %s container %s. Stop the container before attempting"
                    " removal or force remove",
                    container->state, container->id);
    return 0;
}

static void clear_box(struct task *task, const char *id)
{
    struct error err;

    if (box_remove(task, id, &err) < 0)
        log_warn("cannot remove a container's directory id=%s error=\"%s\"", id, err.message);
}

/* A time, or a duration before now. */
static int until_parse(const char *text, int64_t *time_ns, struct error *err)
{
    int64_t duration_ns;

    if (units_parse_duration(text, &duration_ns) == 0 && strpbrk(text, "hms") != NULL)
        *time_ns = clock_now_ns() - duration_ns;
    else if (clock_parse_ns(text, time_ns) < 0)
        return fail(err, ERR_INVALID, "invalid filter 'until=%s'", text);
    return 0;
}

static bool is_prunable(const struct container *container)
{
    if (container->is_retired)
        return false;
    return strcmp(container->state, "created") == 0 || strcmp(container->state, "exited") == 0 ||
           strcmp(container->state, "dead") == 0;
}

/* One that something holds is passed over. */
static int prune_one(struct task *task, const struct container *container, bool is_dry_run,
                     struct prune_result *result, struct error *err)
{
    int64_t writable_bytes = 0;
    int64_t root_bytes = 0;

    if (container_sizes(task, container, &writable_bytes, &root_bytes, err) < 0)
        writable_bytes = 0; /* an estimate for people; the removal counts */
    if (!is_dry_run && remove_stopped(task, container, false, err) < 0)
        return err->code == ERR_BUSY || err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND
                   ? 0
                   : -1;
    result->names[result->count++] = container->id;
    result->reclaimed_bytes += writable_bytes;
    return 0;
}
