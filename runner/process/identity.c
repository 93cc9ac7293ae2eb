/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of an identity. */
#include "runner/process/identity.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/process/procfs.h"

#define DEFAULT_UMASK 0022
#define GROUPS_MAX    1024 /* Docker, too, has no more */

/* As struct sched_attr of the kernel; glibc 2.36 has none. */
struct schedule {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

struct name_value {
    const char *name;
    int value;
};

static const struct name_value policies[] = {
    { "SCHED_OTHER", SCHED_OTHER }, { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR },
    { "SCHED_BATCH", SCHED_BATCH }, { "SCHED_IDLE", SCHED_IDLE }, { "SCHED_DEADLINE", 6 },
};

static const struct name_value policy_flags[] = {
    { "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
    { "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
    { "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
    { "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
};

static const struct name_value io_classes[] = {
    { "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
    { "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
    { "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
};

static const struct name_value domains[] = {
    { "LINUX", PER_LINUX },
    { "LINUX32", PER_LINUX32 },
};

static int set_groups(const struct process *process, struct error *err);
static int find_name(const struct name_value *table, size_t count, const json_t *name);
static int set_scheduler(const json_t *scheduler, struct error *err);
static int set_io_priority(const json_t *priority, struct error *err);
static int set_personality(const json_t *domain, struct error *err);

int identity_become_root(struct error *err)
{
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return fail_sys(err, -errno, "cannot become root of the user namespace");
    if (setgroups(0, NULL) < 0 && errno != EPERM) /* EPERM: this namespace may not set groups */
        return fail_sys(err, -errno, "cannot clear groups");
    return 0;
}

int identity_take(const struct process *process, const struct capabilities *capabilities,
                  struct error *err)
{
    if (capabilities_bound(capabilities, err) < 0)
        return -1;
    /* From root to root nothing is lost. */
    if (process->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return fail_sys(err, -errno, "cannot keep capabilities");
    if (set_groups(process, err) < 0)
        return -1;
    if (setresgid(process->gid, process->gid, process->gid) < 0)
        return fail_sys(err, -errno, "cannot become group %u", process->gid);
    if (setresuid(process->uid, process->uid, process->uid) < 0)
        return fail_sys(err, -errno, "cannot become user %u", process->uid);
    (void)umask(process->umask.is_set ? (mode_t)process->umask.value & 0777 : DEFAULT_UMASK);
    return capabilities_set(capabilities, err);
}

/* getcwd(2) itself: the C library hides the kernel's "(unreachable)". */
int identity_enter_cwd(const struct process *process, struct error *err)
{
    char path[PATH_MAX];

    if (chdir(process->cwd) < 0)
        return fail_sys(err, -errno, "chdir to cwd (\"%s\") set in config.json failed",
                        process->cwd);
    if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
        return fail_sys(err, -errno, "cannot tell where the working directory '%s' is",
                        process->cwd);
    if (path[0] != '/')
        return fail(err, ERR_DENIED, "working directory '%s' is outside of the container's root",
                    process->cwd);
    return 0;
}

int identity_schedule(const struct process *process, const json_t *personality_json,
                      struct error *err)
{
    if (set_scheduler(process->scheduler, err) < 0 ||
        set_io_priority(process->io_priority, err) < 0)
        return -1;
    return set_personality(json_object_get(personality_json, "domain"), err);
}

int identity_label(const struct process *process, int proc_fd, struct error *err)
{
    char text[512];

    if (process->apparmor_profile != NULL && *process->apparmor_profile != '\0') {
        (void)snprintf(text, sizeof(text), "exec %s", process->apparmor_profile); /* cut: refused */
        struct error ignored;
        /* The older name serves all security modules, and is all that older kernels have. */
        if (procfs_write(proc_fd, "thread-self/attr/apparmor/exec", text, &ignored) < 0 &&
            procfs_write(proc_fd, "thread-self/attr/exec", text, err) < 0)
            return error_prefix(err, "cannot apply the apparmor profile '%s'",
                                process->apparmor_profile);
    }
    if (process->selinux_label != NULL && *process->selinux_label != '\0' &&
        procfs_write(proc_fd, "thread-self/attr/exec", process->selinux_label, err) < 0)
        return error_prefix(err, "cannot apply the selinux label '%s'", process->selinux_label);
    return 0;
}

/* Where groups may not be set, having none to set is fine. */
static int set_groups(const struct process *process, struct error *err)
{
    gid_t groups[GROUPS_MAX];
    size_t count = json_array_size(process->additional_gids);

    if (count > ARRAY_SIZE(groups))
        return fail(err, ERR_INVALID, "too many additional groups: %zu", count);
    for (size_t i = 0; i < count; i++)
        groups[i] = (gid_t)json_integer_value(json_array_get(process->additional_gids, i));
    if (setgroups(count, groups) < 0 && (count > 0 || errno != EPERM))
        return fail_sys(err, -errno, "cannot set groups");
    return 0;
}

static int find_name(const struct name_value *table, size_t count, const json_t *name)
{
    for (size_t i = 0; i < count && json_is_string(name); i++)
        if (strcmp(table[i].name, json_string_value(name)) == 0)
            return table[i].value;
    return -EINVAL;
}

static int set_scheduler(const json_t *scheduler, struct error *err)
{
    const json_t *policy_name = json_object_get(scheduler, "policy");
    const json_t *flags = json_object_get(scheduler, "flags");
    struct schedule schedule = {
        .size = sizeof(schedule),
        .nice = (int32_t)json_integer_value(json_object_get(scheduler, "nice")),
        .priority = (uint32_t)json_integer_value(json_object_get(scheduler, "priority")),
        .runtime = (uint64_t)json_integer_value(json_object_get(scheduler, "runtime")),
        .deadline = (uint64_t)json_integer_value(json_object_get(scheduler, "deadline")),
        .period = (uint64_t)json_integer_value(json_object_get(scheduler, "period")),
    };

    if (policy_name == NULL)
        return 0;
    int policy = find_name(policies, ARRAY_SIZE(policies), policy_name);
    if (policy < 0)
        return fail(err, ERR_INVALID, "unknown scheduling policy");
    schedule.policy = (uint32_t)policy;
    for (size_t i = 0; i < json_array_size(flags); i++) {
        int flag = find_name(policy_flags, ARRAY_SIZE(policy_flags), json_array_get(flags, i));
        if (flag < 0)
            return fail(err, ERR_INVALID, "unknown scheduling flag");
        schedule.flags |= (uint64_t)flag;
    }
    if (syscall(SYS_sched_setattr, 0, &schedule, 0) < 0)
        return fail_sys(err, -errno, "cannot set the scheduler");
    return 0;
}

static int set_io_priority(const json_t *priority, struct error *err)
{
    const json_t *class_name = json_object_get(priority, "class");
    int level = (int)json_integer_value(json_object_get(priority, "priority"));

    if (priority == NULL)
        return 0;
    int class = find_name(io_classes, ARRAY_SIZE(io_classes), class_name);
    if (class < 0)
        return fail(err, ERR_INVALID, "unknown I/O priority class");
    if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(class, level)) < 0)
        return fail_sys(err, -errno, "cannot set the I/O priority");
    return 0;
}

static int set_personality(const json_t *domain, struct error *err)
{
    if (domain == NULL)
        return 0;
    int value = find_name(domains, ARRAY_SIZE(domains), domain);
    if (value < 0)
        return fail(err, ERR_INVALID, "unknown personality");
    if (personality((unsigned long)value) < 0)
        return fail_sys(err, -errno, "cannot set the personality");
    return 0;
}
