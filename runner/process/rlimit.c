/* SPDX-License-Identifier: Apache-2.0 */
/* The table of limits. */
#include "runner/process/rlimit.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
    const char *name;
    int number;
} rlimits[] = {
    { "RLIMIT_AS", RLIMIT_AS },
    { "RLIMIT_CORE", RLIMIT_CORE },
    { "RLIMIT_CPU", RLIMIT_CPU },
    { "RLIMIT_DATA", RLIMIT_DATA },
    { "RLIMIT_FSIZE", RLIMIT_FSIZE },
    { "RLIMIT_LOCKS", RLIMIT_LOCKS },
    { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
    { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
    { "RLIMIT_NICE", RLIMIT_NICE },
    { "RLIMIT_NOFILE", RLIMIT_NOFILE },
    { "RLIMIT_NPROC", RLIMIT_NPROC },
    { "RLIMIT_RSS", RLIMIT_RSS },
    { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
    { "RLIMIT_RTTIME", RLIMIT_RTTIME },
    { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
    { "RLIMIT_STACK", RLIMIT_STACK },
};

int rlimit_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++)
        if (strcmp(rlimits[i].name, name) == 0)
            return rlimits[i].number;
    return -EINVAL;
}

int rlimits_apply(const struct process *process, pid_t pid, struct error *err)
{
    for (size_t i = 0; i < process->rlimits.count; i++) {
        const struct process_rlimit *limit = ARRAY_ITEM(process->rlimits, struct process_rlimit, i);
        struct rlimit value = { (rlim_t)limit->soft, (rlim_t)limit->hard };
        if (prlimit(pid, (__rlimit_resource_t)rlimit_find(limit->type), &value, NULL) < 0)
            return fail_sys(err, -errno, "cannot set limit '%s' to %llu", limit->type,
                            (unsigned long long)limit->hard);
    }
    return 0;
}
