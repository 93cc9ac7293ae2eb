/* SPDX-License-Identifier: Apache-2.0 */
/* A list of ranges to a set. */
#include "runner/process/affinity.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static int read_number(const char **at, unsigned long *number);

int affinity_read(const char *list, cpu_set_t *set, struct error *err)
{
    const char *at = list;

    CPU_ZERO(set);
    do {
        unsigned long first = 0;
        unsigned long last = 0;
        at += *at == ',';
        int rc = read_number(&at, &first);
        last = first;
        if (rc == 0 && *at == '-') {
            at++;
            rc = read_number(&at, &last);
        }
        if (rc < 0 || last < first || (*at != ',' && *at != '\0'))
            return fail(err, ERR_INVALID, "invalid list of processors '%.64s'", list);
        for (; first <= last; first++)
            CPU_SET(first, set);
    } while (*at != '\0');
    return 0;
}

int affinity_set(pid_t pid, const char *list, struct error *err)
{
    cpu_set_t set;

    if (list == NULL || *list == '\0')
        return 0;
    if (affinity_read(list, &set, err) < 0)
        return -1;
    if (sched_setaffinity(pid, sizeof(set), &set) < 0)
        return fail_sys(err, -errno, "cannot bind a process to processors '%s'", list);
    return 0;
}

static int read_number(const char **at, unsigned long *number)
{
    char *end;

    if (!isdigit((unsigned char)**at))
        return -EINVAL;
    *number = strtoul(*at, &end, 10);
    *at = end;
    return *number < CPU_SETSIZE ? 0 : -EINVAL;
}
