/* SPDX-License-Identifier: Apache-2.0 */
/* set_mempolicy(2), and the names of what it takes. */
#include "runner/process/memory_policy.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "runner/process/affinity.h"

#ifndef MPOL_WEIGHTED_INTERLEAVE
#define MPOL_WEIGHTED_INTERLEAVE 6 /* since Linux 6.9 */
#endif

const char *const memory_policy_mode_names[] = {
    "MPOL_DEFAULT",   "MPOL_BIND",           "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
    "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL",      NULL,
};
static const int modes[] = {
    MPOL_DEFAULT,   MPOL_BIND,           MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE,
    MPOL_PREFERRED, MPOL_PREFERRED_MANY, MPOL_LOCAL,
};

const char *const memory_policy_flag_names[] = {
    "MPOL_F_NUMA_BALANCING",
    "MPOL_F_RELATIVE_NODES",
    "MPOL_F_STATIC_NODES",
    NULL,
};
static const int flags[] = {
    MPOL_F_NUMA_BALANCING,
    MPOL_F_RELATIVE_NODES,
    MPOL_F_STATIC_NODES,
};

static int find(const char *const *names, const json_t *name);

int memory_policy_read(const json_t *json, struct memory_policy *policy, struct error *err)
{
    struct memory_policy read = { .mode = -1 };
    const char *nodes = json_string_value(json_object_get(json, "nodes"));
    size_t index;
    json_t *item;

    if (json != NULL) {
        int mode = find(memory_policy_mode_names, json_object_get(json, "mode"));
        if (mode < 0)
            return fail(err, ERR_INVALID, "unknown 'linux.memoryPolicy.mode'");
        read.mode = modes[mode];
    }
    json_array_foreach(json_object_get(json, "flags"), index, item)
    {
        int flag = find(memory_policy_flag_names, item);
        if (flag < 0)
            return fail(err, ERR_INVALID, "unknown flag in 'linux.memoryPolicy.flags'");
        read.mode |= flags[flag];
    }
    if (nodes != NULL && affinity_read(nodes, &read.nodes, err) < 0)
        return fail(err, ERR_INVALID, "'%.64s' is not a list of memory nodes", nodes);
    *policy = read;
    return 0;
}

int memory_policy_set(const struct memory_policy *policy, struct error *err)
{
    if (policy->mode < 0)
        return 0;
    bool has_nodes = CPU_COUNT(&policy->nodes) > 0;
    long rc = syscall(SYS_set_mempolicy, policy->mode, has_nodes ? &policy->nodes : NULL,
                      has_nodes ? CPU_SETSIZE + 1ul : 0ul); /* it counts one less */
    return rc < 0 ? fail_sys(err, -errno, "cannot set the memory policy") : 0;
}

static int find(const char *const *names, const json_t *name)
{
    for (int i = 0; json_is_string(name) && names[i] != NULL; i++)
        if (strcmp(names[i], json_string_value(name)) == 0)
            return i;
    return -EINVAL;
}
