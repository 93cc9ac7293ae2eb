/* SPDX-License-Identifier: Apache-2.0 */
/* Which capabilities a container gets. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/box/oci.h"

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
static int choose(const json_t *added, const json_t *dropped, uint64_t *set, struct error *err);
static int read_names(const json_t *list, const char *what, uint64_t *set, bool *has_all,
                      struct error *err);
static uint64_t usual(void);
static uint64_t all(void);

int oci_capabilities(const json_t *host_config, json_t **list, struct error *err)
{
    uint64_t set = 0;

    if (json_is_true(json_object_get(host_config, "Privileged")))
        set = all();
    else if (choose(json_object_get(host_config, "CapAdd"), json_object_get(host_config, "CapDrop"),
                    &set, err) < 0)
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

/* "Add ALL" starts from everything, "drop ALL" from nothing; then each name has its say. */
static int choose(const json_t *added, const json_t *dropped, uint64_t *set, struct error *err)
{
    uint64_t add = 0;
    uint64_t drop = 0;
    bool adds_all = false;
    bool drops_all = false;

    if (read_names(added, "CapAdd", &add, &adds_all, err) < 0 ||
        read_names(dropped, "CapDrop", &drop, &drops_all, err) < 0)
        return -1;
    *set = drops_all ? 0 : usual();
    *set = adds_all ? all() & ~drop : (*set & ~drop) | add;
    return 0;
}

static int read_names(const json_t *list, const char *what, uint64_t *set, bool *has_all,
                      struct error *err)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(item);
        int number = number_of(name);
        if (strcasecmp(name, "ALL") == 0)
            *has_all = true;
        else if (number >= 0)
            *set |= UINT64_C(1) << number;
        else
            return fail(err, ERR_INVALID, "invalid %s: unknown capability: \"%s\"", what, name);
    }
    return 0;
}

static uint64_t usual(void)
{
    uint64_t set = 0;

    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        set |= UINT64_C(1) << number_of(defaults[i]);
    return set;
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
