/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who must stand still: containers that run (by their rows) and may write (by their attachments),
 * in the order of their ids, so that two fences never hold one each and wait for the other.  Who
 * cannot be made to: mounts of a volume in namespaces that are no container of ours; then the cut
 * is honest about it.
 */
#include "core/fence/fence.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "core/fence/freezer.h"
#include "core/fence/liveness.h"
#include "core/pool/pool.h"
#include "core/service.h"
#include "core/volume/volume_data.h"
#include "store/attachment.h"

#define SYNC_ROUNDS_MAX 3
#define SYNC_LONG_MS    50

static int find_strangers(struct fence *fence, struct error *err);
static int find_writers(const struct fence *fence, struct attachment_user **writers,
                        struct error *err);
static bool is_writer(const struct attachment_user *user);
static int compare_users(const void *a, const void *b);
static bool is_known(const struct fence *fence, const char *container_id);
static void add_text(struct arena *mem, const char ***list, const char *text);
static size_t list_length(const char *const *list);
static int sync_all(const struct fence *fence, struct error *err);
static int sync_once(const struct fence *fence, struct error *err);
static bool has_own_filesystem(struct task *task, const struct fence_target *target);
static int sync_data(struct task *task, const struct fence_target *target, struct error *err);
static int hold_all(struct fence *fence, struct attachment_user *writers, int count,
                    struct error *err);
static int hold(struct fence *fence, const struct attachment_user *user, struct error *err);
static void *make_groups(struct fence *fence);
static int hold_groups(struct fence *fence, void *groups, struct error *err);
static int thaw(const struct fence *fence, const struct fence_lease *lease, struct error *err);
static void add_lease(struct fence *fence, const struct fence_lease *lease, int64_t since_ns);

int fence_raise(struct task *task, const struct fence_target *targets, size_t count,
                int64_t timeout_ms, struct fence *fence, struct error *err)
{
    cleanup_fence struct fence raised = { .task = task, .targets = targets, .target_count = count };
    struct attachment_user *writers = NULL;

    if (find_strangers(&raised, err) < 0)
        return -1;
    int writer_count = find_writers(&raised, &writers, err);
    if (writer_count < 0)
        return -1;
    bool is_used =
        writer_count > 0 || list_length(raised.unfenced) > 0 || raised.strangers.group_count > 0;
    if (is_used && sync_all(&raised, err) < 0)
        return -1;
    void *groups = make_groups(&raised);
    raised.deadline_ms = clock_mono_ms() + (timeout_ms > 0 ? timeout_ms : FENCE_TIMEOUT_MS_DEFAULT);
    if ((groups != NULL && hold_groups(&raised, groups, err) < 0) ||
        hold_all(&raised, writers, writer_count, err) < 0)
        return -1;
    raised.kind = raised.count > 0 ? "frozen" : "idle";
    if (list_length(raised.unfenced) > 0)
        raised.kind = "partial";
    if (raised.count == 0)
        raised.deadline_ms = 0;
    *fence = raised;
    raised.count = 0;
    raised.rests = NULL;
    return 0;
}

int fence_lower(struct fence *fence, int64_t *pause_ns, struct error *err)
{
    bool was_raised = fence->count > 0;
    int rc = 0;

    while (fence->count > 0) {
        const struct fence_lease *lease = &fence->leases[--fence->count];
        struct error failure;
        if (thaw(fence, lease, &failure) == 0)
            continue;
        if (rc == 0)
            *err = failure;
        (void)error_prefix(err, "%s", lease->who);
        rc = -1;
    }
    fence_wake_views(fence);
    if (rc == 0)
        *pause_ns = was_raised ? clock_mono_ns() - fence->raised_ns : 0;
    return rc;
}

static int thaw(const struct fence *fence, const struct fence_lease *lease, struct error *err)
{
    const struct freezer *freezer = fence->task->service->freezer;
    int64_t own_pause_ns = 0;

    return lease->is_groups ? freezer->thaw_groups(fence->task, lease->lease, &own_pause_ns, err)
                            : freezer->thaw(fence->task, lease->lease, &own_pause_ns, err);
}

int fence_check_whole(const struct fence *fence, struct error *err)
{
    struct attachment_user *writers = NULL;
    int count = find_writers(fence, &writers, err);

    for (int i = 0; i < count; i++)
        if (!is_known(fence, writers[i].container_id) &&
            strcmp(writers[i].state, "restarting") != 0)
            return fail(err, ERR_BUSY,
                        "container '%s' was started while its volumes were cut; try"
                        " again",
                        writers[i].container_name);
    return count < 0 ? -1 : 0;
}

void fence_cleanup(struct fence *fence)
{
    struct error ignored; /* another error is on its way */
    int64_t pause_ns = 0;

    if (fence->count > 0)
        (void)fence_lower(fence, &pause_ns, &ignored);
    fence_wake_views(fence);
}

static int find_strangers(struct fence *fence, struct error *err)
{
    struct mount_table table = { 0 };
    struct task *task = fence->task;

    const char **names = arena_array(task->mem, fence->target_count, sizeof(*names));
    for (size_t i = 0; i < fence->target_count; i++)
        names[i] = fence->targets[i].volume->data_id;
    if (mount_table_read_for(task->mem, "volumes", names, fence->target_count, &table, err) < 0 ||
        fence_rest_views(fence, &table, err) < 0)
        return -1;
    for (size_t i = 0; i < fence->target_count; i++) {
        const struct volume *volume = fence->targets[i].volume;
        struct live_user *users = NULL;
        int count = liveness_find(task, &table, volume, &users, err);
        if (count < 0 ||
            strangers_add(task, volume->name, users, count, &fence->strangers, err) < 0)
            return -1;
    }
    fence->unfenced = fence->strangers.unfenced;
    return 0;
}

/* All that may write to any of the volumes, each container once. */
static int find_writers(const struct fence *fence, struct attachment_user **writers,
                        struct error *err)
{
    struct attachment_user *all = NULL;
    size_t capacity = 0;
    size_t count = 0;
    int kept = 0;

    for (size_t i = 0; i < fence->target_count; i++) {
        struct attachment_user *users = NULL;
        int user_count = store_attachment_users(fence->task->db, fence->task->mem,
                                                fence->targets[i].volume->id, &users, err);
        if (user_count < 0)
            return -1;
        for (int u = 0; u < user_count; u++) {
            if (count == capacity)
                all = arena_grow(fence->task->mem, all, &capacity, sizeof(*all));
            all[count++] = users[u];
        }
    }
    if (count > 0)
        qsort(all, count, sizeof(*all), compare_users);
    for (size_t i = 0; i < count; i++) {
        bool is_other = kept == 0 || strcmp(all[kept - 1].container_id, all[i].container_id) != 0;
        if (is_writer(&all[i]) && is_other)
            all[kept++] = all[i];
    }
    *writers = all;
    return kept;
}

/* A paused container stands still already, but whoever unpauses it does not ask us. */
static bool is_writer(const struct attachment_user *user)
{
    return user->mode != ACCESS_RO && attachment_user_is_live(user);
}

static int compare_users(const void *a, const void *b)
{
    const struct attachment_user *left = a;
    const struct attachment_user *right = b;

    return strcmp(left->container_id, right->container_id);
}

static bool is_known(const struct fence *fence, const char *container_id)
{
    for (size_t i = 0; fence->known != NULL && fence->known[i] != NULL; i++)
        if (strcmp(fence->known[i], container_id) == 0)
            return true;
    return false;
}

static size_t list_length(const char *const *list)
{
    size_t length = 0;

    while (list != NULL && list[length] != NULL)
        length++;
    return length;
}

static void add_text(struct arena *mem, const char ***list, const char *text)
{
    size_t length = list_length(*list);
    const char **longer = arena_array(mem, length + 2, sizeof(*longer));

    for (size_t i = 0; *list != NULL && i < length; i++)
        longer[i] = (*list)[i];
    longer[length] = text;
    *list = longer;
}

/* What is written during a long sync would be written back under the freeze. */
static int sync_all(const struct fence *fence, struct error *err)
{
    for (int round = 0; round < SYNC_ROUNDS_MAX; round++) {
        int64_t begun_ms = clock_mono_ms();
        if (sync_once(fence, err) < 0)
            return -1;
        if (clock_mono_ms() - begun_ms < SYNC_LONG_MS)
            break;
    }
    return 0;
}

/* A sync is of the whole filesystem: one for each pool, unless each volume is one. */
static int sync_once(const struct fence *fence, struct error *err)
{
    for (size_t i = 0; i < fence->target_count; i++) {
        const struct fence_target *target = &fence->targets[i];
        size_t first = 0;
        while (strcmp(fence->targets[first].volume->pool_id, target->volume->pool_id) != 0)
            first++;
        if ((first == i || has_own_filesystem(fence->task, target)) &&
            sync_data(fence->task, target, err) < 0)
            return -1;
    }
    return 0;
}

static bool has_own_filesystem(struct task *task, const struct fence_target *target)
{
    const struct driver_pool *pool = NULL;
    struct error ignored; /* the sync will tell */

    return pool_open(task, target->volume->pool_id, &pool, &ignored) == 0 &&
           pool->driver->image != NULL;
}

static int sync_data(struct task *task, const struct fence_target *target, struct error *err)
{
    const struct driver_pool *pool = NULL;

    if (pool_open(task, target->volume->pool_id, &pool, err) < 0)
        return -1;
    if (pool->driver->sync != NULL)
        return pool->driver->sync(target->data_fd, err);
    int rc = sys_syncfs(target->data_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync volume '%s'", target->volume->name) : 0;
}

/* Whoever was started while others were frozen is found by looking again. */
static int hold_all(struct fence *fence, struct attachment_user *writers, int count,
                    struct error *err)
{
    size_t held = 0;

    do {
        held = fence->count;
        for (int i = 0; i < count; i++)
            if (!is_known(fence, writers[i].container_id) && hold(fence, &writers[i], err) < 0)
                return -1;
        if (held != fence->count)
            count = find_writers(fence, &writers, err);
    } while (held != fence->count && count >= 0);
    return count < 0 ? -1 : 0;
}

static int hold(struct fence *fence, const struct attachment_user *user, struct error *err)
{
    const struct freezer *freezer = fence->task->service->freezer;
    struct arena *mem = fence->task->mem;
    int64_t left_ms = fence->deadline_ms - clock_mono_ms();
    int64_t started_ns = clock_mono_ns();
    struct fence_lease lease = {
        .who = arena_printf(mem, "container '%s'", user->container_name),
    };

    if (left_ms <= 0)
        return fail(err, ERR_TIMEOUT, "no time was left to freeze %s", lease.who);
    int rc = freezer == NULL
                 ? fail(err, ERR_UNSUPPORTED, "containers cannot be frozen here")
                 : freezer->freeze(fence->task, user->container_id, left_ms, &lease.lease, err);
    if (rc < 0 && err->code == ERR_NOT_FOUND) /* it ended: nobody to hold */
        return 0;
    if (rc < 0 && err->code != ERR_UNSUPPORTED)
        return error_prefix(err, "cannot freeze %s", lease.who);
    add_text(mem, &fence->known, user->container_id);
    if (rc < 0)
        add_text(mem, &fence->unfenced, arena_printf(mem, "%s: %s", lease.who, err->message));
    else
        add_lease(fence, &lease, started_ns);
    return 0;
}

/* The lease on what other engines run; NULL: there is nothing, or it cannot be held. */
static void *make_groups(struct fence *fence)
{
    const struct freezer *freezer = fence->task->service->freezer;
    const struct strangers *strangers = &fence->strangers;
    struct error err = { .message = "control groups cannot be frozen here" };
    void *lease = NULL;

    if (strangers->group_count == 0)
        return NULL;
    if (freezer != NULL && freezer->make_groups != NULL &&
        freezer->make_groups(fence->task, strangers->groups, &lease, &err) == 0)
        return lease;
    for (size_t i = 0; i < strangers->group_count; i++)
        add_text(fence->task->mem, &fence->unfenced,
                 arena_printf(fence->task->mem, "control group '%s': %s", strangers->groups[i],
                              err.message));
    return NULL;
}

static int hold_groups(struct fence *fence, void *groups, struct error *err)
{
    const struct freezer *freezer = fence->task->service->freezer;
    const struct strangers *strangers = &fence->strangers;
    int64_t started_ns = clock_mono_ns();
    const struct fence_lease lease = {
        .who = arena_printf(fence->task->mem, "control group '%s'%s", strangers->groups[0],
                            strangers->group_count > 1 ? " or another engine's others" : ""),
        .is_groups = true,
        .lease = groups,
    };

    add_lease(fence, &lease, started_ns); /* to be thawed in any case */
    int64_t left_ms = fence->deadline_ms - clock_mono_ms();
    if (freezer->freeze_groups(fence->task, groups, left_ms > 0 ? left_ms : 1, err) < 0)
        return error_prefix(err, "cannot freeze %s", lease.who);
    return 0;
}

static void add_lease(struct fence *fence, const struct fence_lease *lease, int64_t since_ns)
{
    if (fence->count == 0)
        fence->raised_ns = since_ns;
    if (fence->count == fence->capacity)
        fence->leases =
            arena_grow(fence->task->mem, fence->leases, &fence->capacity, sizeof(*fence->leases));
    fence->leases[fence->count++] = *lease;
}
