/* SPDX-License-Identifier: Apache-2.0 */
/* Noting what a container leaves, and finding it for its successor. */
#include "core/recreate/carry.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/attachment/attachment.h"
#include "core/service.h"
#include "core/volume/trash.h"
#include "core/volume/volume.h"
#include "store/departed.h"
#include "store/trash.h"
#include "store/volume.h"

#define WANTED   "anonymous"
#define REQUIRED "anonymous:required"

static const char *wish(const json_t *config);
static int is_anonymous(struct task *task, const struct attachment *attachment, struct error *err);
static int take_all(struct task *task, const struct departed *list, int count, struct carry *carry,
                    struct error *err);
static int take(struct task *task, const struct departed *departed, struct volume *volume,
                bool *is_restored, struct error *err);
static int restore(struct task *task, const char *volume_id, struct error *err);
static int64_t since_ms(const struct task *task);

int carry_note(struct task *task, const struct container *container, struct error *err)
{
    struct attachment *list = NULL;
    size_t count = 0;

    if (container->is_retired) /* a generation is no container of its name any more */
        return 0;
    if (attachment_list(task, container->id, &list, &count, err) < 0 ||
        store_departed_forget(task->db, container->name, since_ms(task), err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct departed departed = {
            .destination = list[i].destination,
            .volume_id = list[i].volume_id,
            .removed_ms = clock_now_ms(),
        };
        int rc = is_anonymous(task, &list[i], err);
        if (rc < 0 ||
            (rc > 0 && store_departed_insert(task->db, container->name, &departed, err) < 0))
            return -1;
    }
    return 0;
}

bool carry_is_wanted(const struct container *container)
{
    return wish(container->config) != NULL;
}

int carry_find(struct task *task, const char *name, const json_t *config, struct carry *carry,
               struct error *err)
{
    const char *wanted = wish(config);
    struct departed *list = NULL;

    *carry = (struct carry){ 0 };
    if (wanted == NULL)
        return 0;
    bool is_required = strcmp(wanted, REQUIRED) == 0;
    if (!is_required && strcmp(wanted, WANTED) != 0)
        return fail(err, ERR_INVALID,
                    "invalid label " CARRY_LABEL "=%s: it is '" WANTED "' or '" REQUIRED "'",
                    wanted);
    int count = store_departed_list(task->db, task->mem, name, since_ms(task), &list, err);
    if (count < 0 || take_all(task, list, count, carry, err) < 0)
        return -1;
    if (carry->count > 0 && carry->count == (size_t)count)
        return 0;
    if (is_required) {
        carry_undo(task, carry);
        return fail(err, ERR_CONFLICT,
                    "cannot carry over the anonymous volumes of a container %s: %s", name,
                    count == 0 ? "none of that name was removed within the window"
                               : "not all of them are there any more");
    }
    carry->warning =
        count == 0
            ? arena_printf(task->mem,
                           "No container %s with anonymous volumes was removed lately: it"
                           " begins with fresh ones.",
                           name)
            : arena_printf(task->mem,
                           "%d of the %d anonymous volumes of the last container %s are gone.",
                           count - (int)carry->count, count, name);
    return 0;
}

int carry_settle(struct task *task, const char *name, struct error *err)
{
    return store_departed_forget(task->db, name, since_ms(task), err);
}

void carry_undo(struct task *task, const struct carry *carry)
{
    static const struct volume_remove_spec removal = { .force = true, .with_snapshots = true };
    struct error err;

    for (size_t i = 0; carry->restored != NULL && carry->restored[i] != NULL; i++)
        if (volume_remove(task, carry->restored[i], &removal, &err) < 0)
            log_warn("a volume stays restored id=%s error=\"%s\"", carry->restored[i], err.message);
}

static const char *wish(const json_t *config)
{
    return json_string_value(json_object_get(json_member(config, "Labels"), CARRY_LABEL));
}

/* A successor that another client made gives the volume's name, and it is one all the same. */
static int is_anonymous(struct task *task, const struct attachment *attachment, struct error *err)
{
    struct volume volume;

    if (attachment->is_anonymous || attachment->snapshot != NULL)
        return attachment->snapshot == NULL;
    int found = store_volume_find_id(task->db, task->mem, attachment->volume_id, &volume, err);
    return found <= 0 ? found : volume.is_anonymous;
}

/* What is gone for good is left out. */
static int take_all(struct task *task, const struct departed *list, int count, struct carry *carry,
                    struct error *err)
{
    const char **restored = arena_array(task->mem, (size_t)count + 1, sizeof(*restored));
    size_t restored_count = 0;

    carry->items = arena_array(task->mem, (size_t)count + 1, sizeof(*carry->items));
    carry->restored = restored;
    for (int i = 0; i < count; i++) {
        struct volume volume;
        bool is_restored = false;
        int found = take(task, &list[i], &volume, &is_restored, err);
        if (is_restored)
            restored[restored_count++] = volume.id;
        if (found < 0) {
            carry_undo(task, carry);
            return -1;
        }
        if (found > 0)
            carry->items[carry->count++] = (struct attachment){
                .volume_id = volume.id,
                .volume_name = volume.name,
                .destination = list[i].destination,
                .subpath = "",
                .mode = ACCESS_RW,
                .is_anonymous = true,
                .is_nocopy = true,
                .is_nosuid = true,
                .is_nodev = true,
                .propagation = "",
                .uid_map = "",
                .gid_map = "",
            };
    }
    return 0;
}

/* 1, or 0 when it is neither among the volumes nor in the trash. */
static int take(struct task *task, const struct departed *departed, struct volume *volume,
                bool *is_restored, struct error *err)
{
    struct trash_entry entry;
    int found = store_trash_find(task->db, task->mem, departed->volume_id, &entry, err);

    if (found > 0 && strcmp(entry.id, departed->volume_id) == 0) {
        if (restore(task, entry.id, err) < 0)
            return -1;
        *is_restored = true;
    }
    if (found < 0)
        return -1;
    found = store_volume_find_id(task->db, task->mem, departed->volume_id, volume, err);
    if (found > 0 && strcmp(volume->state, "ready") != 0)
        return 0;
    return found;
}

/* The key of the request is the container's. */
static int restore(struct task *task, const char *volume_id, struct error *err)
{
    struct trash_entry entry;
    const char *key = task->idempotency_key;

    task->idempotency_key = NULL;
    int rc = trash_restore(task, volume_id, NULL, &entry, err);
    task->idempotency_key = key;
    return rc;
}

static int64_t since_ms(const struct task *task)
{
    return clock_now_ms() - task->service->carry_window_ms;
}
