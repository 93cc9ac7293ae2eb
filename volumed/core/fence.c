/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who must stand still: containers that run (by their rows) and may write (by their attachments).
 * Who cannot be made to: mounts of the volume in namespaces that are no container of ours; then the
 * cut is honest about it.
 */
#include "core/fence.h"

#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "core/freezer.h"
#include "core/liveness.h"
#include "core/pool.h"
#include "core/service.h"
#include "core/volume_data.h"
#include "store/attachment.h"

static bool is_writer(const struct attachment_user *user);
static bool is_held(const struct fence *fence, const char *container_name);
static bool has_strangers(const struct live_user *users, int count);
static int sync_data(struct task *task, const struct volume *volume, int data_fd,
                     struct error *err);
static int hold(struct fence *fence, const struct attachment_user *user, struct error *err);
static int hold_all(struct fence *fence, const struct attachment_user *users, int count,
                    struct error *err);

int fence_raise(struct task *task, const struct volume *volume, int data_fd, int64_t timeout_ms,
                struct fence *fence, struct error *err)
{
    cleanup_fence struct fence raised = { .task = task, .kind = "idle" };
    struct attachment_user *users = NULL;
    struct mount_table table = { 0 };
    struct live_user *live = NULL;
    int count = store_attachment_users(task->db, task->mem, volume->id, &users, err);

    if (count < 0 || mount_table_read(task->mem, &table, err) < 0)
        return -1;
    int live_count = liveness_find(task, &table, volume, &live, err);
    if (live_count < 0)
        return -1;
    bool has_writers = has_strangers(live, live_count);
    for (int i = 0; i < count; i++)
        has_writers = has_writers || is_writer(&users[i]);
    if (has_writers && sync_data(task, volume, data_fd, err) < 0)
        return -1;
    raised.leases = arena_array(task->mem, (size_t)count + 1, sizeof(*raised.leases));
    raised.deadline_ms = clock_mono_ms() + (timeout_ms > 0 ? timeout_ms : FENCE_TIMEOUT_MS_DEFAULT);
    if (hold_all(&raised, users, count, err) < 0)
        return -1;
    if (raised.count == 0)
        raised.deadline_ms = 0;
    if (has_strangers(live, live_count))
        raised.kind = "partial";
    *fence = raised;
    raised.count = 0;
    return 0;
}

int fence_lower(struct fence *fence, int64_t *pause_ns, struct error *err)
{
    bool was_raised = fence->count > 0;
    int rc = 0;

    while (fence->count > 0) {
        const struct fence_lease *lease = &fence->leases[--fence->count];
        struct error failure;
        int64_t own_pause_ns = 0;
        if (fence->task->service->freezer->thaw(fence->task, lease->lease, &own_pause_ns,
                                                &failure) == 0)
            continue;
        if (rc == 0)
            *err = failure;
        (void)error_prefix(err, "container '%s'", lease->container_name);
        rc = -1;
    }
    if (rc == 0)
        *pause_ns = was_raised ? clock_mono_ns() - fence->raised_ns : 0;
    return rc;
}

void fence_cleanup(struct fence *fence)
{
    struct error ignored; /* another error is on its way */
    int64_t pause_ns = 0;

    if (fence->count > 0)
        (void)fence_lower(fence, &pause_ns, &ignored);
}

/* A paused container stands still already, but whoever unpauses it does not ask us. */
static bool is_writer(const struct attachment_user *user)
{
    return user->mode != ACCESS_RO && attachment_user_is_live(user);
}

static bool is_held(const struct fence *fence, const char *container_name)
{
    for (size_t i = 0; i < fence->count; i++)
        if (strcmp(fence->leases[i].container_name, container_name) == 0)
            return true;
    return false;
}

static bool has_strangers(const struct live_user *users, int count)
{
    for (int i = 0; i < count; i++)
        if (users[i].container_id == NULL && !users[i].is_read_only)
            return true;
    return false;
}

static int sync_data(struct task *task, const struct volume *volume, int data_fd, struct error *err)
{
    const struct driver_pool *pool = NULL;

    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    if (pool->driver->sync != NULL)
        return pool->driver->sync(data_fd, err);
    int rc = sys_syncfs(data_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync volume '%s'", volume->name) : 0;
}

static int hold_all(struct fence *fence, const struct attachment_user *users, int count,
                    struct error *err)
{
    for (int i = 0; i < count; i++) {
        if (!is_writer(&users[i]) || is_held(fence, users[i].container_name))
            continue;
        if (fence->task->service->freezer == NULL)
            fence->kind = "partial";
        else if (hold(fence, &users[i], err) < 0)
            return -1;
    }
    return 0;
}

static int hold(struct fence *fence, const struct attachment_user *user, struct error *err)
{
    int64_t left_ms = fence->deadline_ms - clock_mono_ms();
    int64_t started_ns = clock_mono_ns();
    void *lease = NULL;

    if (left_ms <= 0)
        return fail(err, ERR_TIMEOUT, "no time was left to freeze container '%s'",
                    user->container_name);
    if (fence->task->service->freezer->freeze(fence->task, user->container_id, left_ms, &lease,
                                              err) < 0) {
        if (err->code == ERR_NOT_FOUND) /* it ended: nobody to hold */
            return 0;
        return error_prefix(err, "cannot freeze container '%s'", user->container_name);
    }
    if (fence->count == 0)
        fence->raised_ns = started_ns;
    fence->leases[fence->count++] = (struct fence_lease){ user->container_name, lease };
    if (strcmp(fence->kind, "idle") == 0)
        fence->kind = "frozen";
    return 0;
}
