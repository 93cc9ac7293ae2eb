/* SPDX-License-Identifier: Apache-2.0 */
/* Which capabilities a container gets. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/oci.h"

#define NAME_SIZE 40

/* In the kernel's order; the number is the place. */
static const char *const names[] = {
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
};

/* Docker's. */
static const char *const defaults[] = {
    "CHOWN",  "DAC_OVERRIDE", "FSETID",  "FOWNER",           "MKNOD",      "NET_RAW", "SETGID",
    "SETUID", "SETFCAP",      "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL",    "AUDIT_WRITE",
};

static int number_of(const char *name);
static int change(uint64_t *set, const json_t *list, bool is_added, struct error *err);
static uint64_t all(void);

int oci_capabilities(const json_t *host_config, json_t **list, struct error *err)
{
    uint64_t set = 0;

    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        set |= UINT64_C(1) << number_of(defaults[i]);
    if (json_is_true(json_object_get(host_config, "Privileged")))
        set = all();
    else if (change(&set, json_object_get(host_config, "CapAdd"), true, err) < 0 ||
             change(&set, json_object_get(host_config, "CapDrop"), false, err) < 0)
        return -1;
    *list = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char name[NAME_SIZE];
        if ((set & UINT64_C(1) << i) == 0)
            continue;
        (void)snprintf(name, sizeof(name), "CAP_%s", names[i]); /* they all fit */
        json_array_append_new(*list, json_string(name));
    }
    return 0;
}

/* ALL comes first wherever it stands: "drop ALL, add CHOWN" leaves CHOWN. */
static int change(uint64_t *set, const json_t *list, bool is_added, struct error *err)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(item);
        int number = number_of(name);
        if (strcasecmp(name, "ALL") != 0 && number < 0)
            return fail(err, ERR_INVALID, "invalid %s: unknown capability: \"%s\"",
                        is_added ? "CapAdd" : "CapDrop", name);
        uint64_t bits = number < 0 ? all() : UINT64_C(1) << number;
        *set = is_added ? *set | bits : *set & ~bits;
    }
    return 0;
}

static uint64_t all(void)
{
    return (UINT64_C(1) << ARRAY_SIZE(names)) - 1;
}

static int number_of(const char *name)
{
    if (strncasecmp(name, "CAP_", 4) == 0)
        name += 4;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcasecmp(names[i], name) == 0)
            return (int)i;
    return -1;
}
