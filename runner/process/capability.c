/* SPDX-License-Identifier: Apache-2.0 */
/* The table of names, and the raw system calls. */
#include "runner/process/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PREFIX "CAP_"

/* By number. */
static const char *const names[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

static int write_sets(const struct capabilities *capabilities);
static int limit_to_owned(struct capabilities *capabilities);
static int set_read(const char *const *list, uint64_t *set, struct error *err);

int capability_find(const char *name)
{
    if (strncasecmp(name, PREFIX, strlen(PREFIX)) == 0)
        name += strlen(PREFIX);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcasecmp(name, names[i] + strlen(PREFIX)) == 0)
            return (int)i;
    return -EINVAL;
}

const char *capability_name(int number)
{
    return (size_t)number < ARRAY_SIZE(names) ? names[number] : NULL;
}

int capabilities_read(const struct process *process, struct capabilities *capabilities,
                      struct error *err)
{
    const struct capability_names *wanted = &process->capabilities;
    struct capabilities read = { 0 };

    if (set_read(wanted->bounding, &read.bounding, err) < 0 ||
        set_read(wanted->effective, &read.effective, err) < 0 ||
        set_read(wanted->permitted, &read.permitted, err) < 0 ||
        set_read(wanted->inheritable, &read.inheritable, err) < 0 ||
        set_read(wanted->ambient, &read.ambient, err) < 0)
        return -1;
    read.ambient &= read.permitted & read.inheritable; /* the kernel's condition */
    *capabilities = read;
    return 0;
}

int capabilities_bound(const struct capabilities *capabilities, struct error *err)
{
    for (int number = 0; number < 64; number++) {
        if ((capabilities->bounding & (1ull << number)) != 0)
            continue;
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0)
            continue;
        if (errno == EINVAL) /* beyond the last that this kernel knows */
            return 0;
        return fail_sys(err, -errno, "cannot drop capability %d", number);
    }
    return 0;
}

int capabilities_set(const struct capabilities *capabilities, struct error *err)
{
    struct capabilities wanted = *capabilities;
    int rc = write_sets(&wanted);

    if (rc == -EPERM && limit_to_owned(&wanted) == 0)
        rc = write_sets(&wanted);
    if (rc < 0)
        return fail_sys(err, rc, "cannot set capabilities");
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return fail_sys(err, -errno, "cannot clear ambient capabilities");
    for (int number = 0; number < 64; number++)
        if ((wanted.ambient & (1ull << number)) != 0 &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) < 0)
            return fail_sys(err, -errno, "cannot raise ambient capability '%s'",
                            capability_name(number));
    return 0;
}

static int write_sets(const struct capabilities *capabilities)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];

    for (int half = 0; half < 2; half++)
        data[half] = (struct __user_cap_data_struct){
            .effective = (uint32_t)(capabilities->effective >> (32 * half)),
            .permitted = (uint32_t)(capabilities->permitted >> (32 * half)),
            .inheritable = (uint32_t)(capabilities->inheritable >> (32 * half)),
        };
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/*
 * Nobody can give what it has not got: on a host that took a capability away from us too, a
 * container that asks for all of them gets all that there are, as with other runtimes.
 */
static int limit_to_owned(struct capabilities *capabilities)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    uint64_t owned = data[0].permitted | (uint64_t)data[1].permitted << 32;
    capabilities->effective &= owned;
    capabilities->permitted &= owned;
    capabilities->inheritable &= owned;
    capabilities->ambient &= owned;
    return 0;
}

static int set_read(const char *const *list, uint64_t *set, struct error *err)
{
    for (; list != NULL && *list != NULL; list++) {
        int number = capability_find(*list);
        if (number < 0)
            return fail(err, ERR_INVALID, "unknown capability '%s'", *list);
        *set |= 1ull << number;
    }
    return 0;
}
