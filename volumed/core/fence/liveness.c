/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins mount tables with attachments.  A namespace is a container's when its first process is in
 * it, or when a process in it shares the container's control groups (a container may unshare).
 */
#include "core/fence/liveness.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/sys.h"
#include "core/pool/pool.h"
#include "core/volume/volume_data.h"
#include "store/attachment.h"

#define CGROUP_BYTES_MAX 65536
#define COMM_SIZE        32
#define PATH_SIZE        64

static void name_user(struct task *task, const struct attachment_user *owners, int count,
                      const struct mount_user *mount, struct live_user *user);
static const char *cgroup_of(struct task *task, int64_t pid);
static bool is_shared_cgroup(struct task *task, const char *cgroup);
static void command_of(pid_t pid, char command[COMM_SIZE]);
static int check_foreign(struct task *task, const struct volume *volume, struct error *err);

int liveness_find(struct task *task, const struct mount_table *table, const struct volume *volume,
                  struct live_user **users, struct error *err)
{
    struct attachment_user *owners = NULL;
    struct mount_user *mounts = NULL;
    size_t count = mount_table_find(task->mem, table, "volumes", volume->data_id, &mounts);
    int owner_count =
        count == 0 ? 0 : store_attachment_users(task->db, task->mem, volume->id, &owners, err);

    if (owner_count < 0)
        return -1;
    struct live_user *list = arena_array(task->mem, count + 1, sizeof(*list));
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (!mounts[i].is_view)
            name_user(task, owners, owner_count, &mounts[i], &list[used++]);
    *users = list;
    return (int)used;
}

int liveness_check_idle(struct task *task, const struct volume *volume, struct error *err)
{
    struct mount_table table = { 0 };

    if (!volume_is_foreign(volume) &&
        mount_table_read_for(task->mem, "volumes", &volume->data_id, 1, &table, err) < 0)
        return -1;
    return liveness_check_idle_in(task, &table, volume, err);
}

int liveness_check_idle_in(struct task *task, const struct mount_table *table,
                           const struct volume *volume, struct error *err)
{
    struct live_user *users = NULL;

    if (volume_is_foreign(volume))
        return check_foreign(task, volume, err);
    int count = liveness_find(task, table, volume, &users, err);
    if (count <= 0)
        return count;
    if (users[0].container_id != NULL)
        return fail(err, ERR_BUSY, "volume '%s' is mounted by container '%s' (%.12s)", volume->name,
                    users[0].container_name, users[0].container_id);
    return fail(err, ERR_BUSY, "volume '%s' is mounted at '%s', seen by %s", volume->name,
                users[0].target, liveness_process(task, users[0].pid));
}

const char *liveness_process(struct task *task, pid_t pid)
{
    char command[COMM_SIZE];

    command_of(pid, command);
    return arena_printf(task->mem, "process %d (%s)", (int)pid, command);
}

static void name_user(struct task *task, const struct attachment_user *owners, int count,
                      const struct mount_user *mount, struct live_user *user)
{
    const char *cgroup = NULL;

    *user = (struct live_user){
        .namespace = mount->inode,
        .pid = mount->pid,
        .target = mount->target,
        .is_read_only = mount->is_read_only,
    };
    for (int i = 0; i < count; i++) {
        if (owners[i].pid <= 0 || !attachment_user_is_live(&owners[i]))
            continue;
        bool is_own = mount_namespace_of((pid_t)owners[i].pid) == mount->inode;
        if (!is_own) {
            const char *theirs = cgroup_of(task, owners[i].pid);
            cgroup = cgroup != NULL ? cgroup : cgroup_of(task, mount->pid);
            is_own = cgroup != NULL && theirs != NULL && strcmp(cgroup, theirs) == 0 &&
                     !is_shared_cgroup(task, cgroup);
        }
        if (!is_own)
            continue;
        user->container_id = owners[i].container_id;
        user->container_name = owners[i].container_name;
        return;
    }
}

/* NULL when the process is gone. */
static const char *cgroup_of(struct task *task, int64_t pid)
{
    char path[PATH_SIZE];
    char *text = NULL;
    struct error ignored;

    (void)snprintf(path, sizeof(path), "/proc/%lld/cgroup", (long long)pid);
    if (fs_read_file(task->mem, AT_FDCWD, path, CGROUP_BYTES_MAX, &text, NULL, &ignored) < 0)
        return NULL;
    return text;
}

/* Where control groups are not used, everything is in the first process's. */
static bool is_shared_cgroup(struct task *task, const char *cgroup)
{
    const char *first = cgroup_of(task, 1);

    return first != NULL && strcmp(cgroup, first) == 0;
}

static void command_of(pid_t pid, char command[COMM_SIZE])
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    ssize_t size = fd < 0 ? 0 : sys_read(fd, command, COMM_SIZE - 1);
    command[size > 0 ? size : 0] = '\0';
    command[strcspn(command, "\n")] = '\0';
}

/* What is mounted there has no name of ours in its root; the mount point itself tells. */
static int check_foreign(struct task *task, const struct volume *volume, struct error *err)
{
    const struct driver_pool *pool = NULL;

    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    cleanup_fd int fd = volume_data_open(pool, volume, err);
    if (fd < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    if (mount_is_root(fd))
        return fail(err, ERR_BUSY, "volume '%s' is mounted", volume->name);
    return 0;
}
