/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount is seen by every process of its namespace, so all of them may write.  The host's own
 * namespace is everybody's: what is mounted there cannot be fenced.
 */
#include "core/fence/stranger.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "mount/control_group.h"

struct hosts {
    struct control_groups groups;
    ino_t first; /* mount namespace of the first process, and ours */
    ino_t own;
    const char *first_group;
    const char *own_group;
};

static int read_hosts(struct task *task, struct hosts *hosts, struct error *err);
static int add_user(struct task *task, const char *volume_name, const struct live_user *user,
                    const struct hosts *hosts, struct strangers *strangers, struct error *err);
static bool is_hosts(const struct hosts *hosts, ino_t namespace);
static const char *group_to_freeze(struct task *task, const struct hosts *hosts, pid_t pid);
static bool is_on_host(struct task *task, const struct hosts *hosts, const char *group);
static void add_unfenced(struct task *task, struct strangers *strangers, const char *volume_name,
                         const struct live_user *user, pid_t pid);
static bool add(struct arena *mem, const char ***list, size_t *count, const char *text);

int strangers_add(struct task *task, const char *volume_name, const struct live_user *users,
                  int count, struct strangers *strangers, struct error *err)
{
    struct hosts hosts = { 0 };
    bool is_read = false;

    for (int i = 0; i < count; i++) {
        if (users[i].container_id != NULL || users[i].is_read_only)
            continue;
        if (!is_read && read_hosts(task, &hosts, err) < 0)
            return -1;
        is_read = true;
        if (add_user(task, volume_name, &users[i], &hosts, strangers, err) < 0)
            return -1;
    }
    return 0;
}

static int read_hosts(struct task *task, struct hosts *hosts, struct error *err)
{
    if (control_groups_read(task->mem, &hosts->groups, err) < 0)
        return -1;
    hosts->first = mount_namespace_of(1);
    hosts->own = mount_namespace_of(getpid());
    hosts->first_group = control_group_of(task->mem, &hosts->groups, 1);
    hosts->own_group = control_group_of(task->mem, &hosts->groups, getpid());
    return 0;
}

static int add_user(struct task *task, const char *volume_name, const struct live_user *user,
                    const struct hosts *hosts, struct strangers *strangers, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(AT_FDCWD, "/proc", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read /proc");
    if (is_hosts(hosts, user->namespace)) {
        add_unfenced(task, strangers, volume_name, user, user->pid);
        return 0;
    }
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || mount_namespace_of(pid) != user->namespace)
            continue;
        const char *group = group_to_freeze(task, hosts, pid);
        if (group != NULL)
            (void)add(task->mem, &strangers->groups, &strangers->group_count, group);
        else
            add_unfenced(task, strangers, volume_name, user, pid);
    }
    return 0;
}

static bool is_hosts(const struct hosts *hosts, ino_t namespace)
{
    return namespace == hosts->first || namespace == hosts->own;
}

/* NULL: it must not be. */
static const char *group_to_freeze(struct task *task, const struct hosts *hosts, pid_t pid)
{
    const char *group = control_group_of(task->mem, &hosts->groups, pid);

    if (group == NULL)
        return NULL;
    if ((hosts->first_group != NULL && control_group_contains(group, hosts->first_group)) ||
        (hosts->own_group != NULL && control_group_contains(group, hosts->own_group)))
        return NULL;
    return is_on_host(task, hosts, group) ? NULL : group;
}

static bool is_on_host(struct task *task, const struct hosts *hosts, const char *group)
{
    pid_t *pids = NULL;
    int count = control_group_pids(task->mem, group, &pids);

    for (int i = 0; i < count; i++)
        if (is_hosts(hosts, mount_namespace_of(pids[i])))
            return true;
    return false;
}

static void add_unfenced(struct task *task, struct strangers *strangers, const char *volume_name,
                         const struct live_user *user, pid_t pid)
{
    (void)add(task->mem, &strangers->unfenced, &strangers->unfenced_count,
              arena_printf(task->mem, "volume '%s' is mounted at '%s', seen by %s", volume_name,
                           user->target, liveness_process(task, pid)));
}

/* Once; true when it is new. */
static bool add(struct arena *mem, const char ***list, size_t *count, const char *text)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp((*list)[i], text) == 0)
            return false;
    const char **longer = arena_array(mem, *count + 2, sizeof(*longer));
    for (size_t i = 0; *list != NULL && i < *count; i++)
        longer[i] = (*list)[i];
    longer[(*count)++] = text;
    *list = longer;
    return true;
}
