/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits on the v2 hierarchy.  The specification speaks v1; what differs is converted here: swap
 * apart from memory, weights on another scale, quota and period in one file.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "runner/cgroup/cgroup.h"
#include "runner/cgroup/cgroup_file.h"

#define WEIGHT_MAX 10000

/* Kinds of I/O limits as io.max names them. */
static const struct {
    size_t offset; /* of a struct array in struct resources */
    const char *key;
} io_limits[] = {
    { offsetof(struct resources, blkio_read_bps), "rbps" },
    { offsetof(struct resources, blkio_write_bps), "wbps" },
    { offsetof(struct resources, blkio_read_iops), "riops" },
    { offsetof(struct resources, blkio_write_iops), "wiops" },
};

static void give_controllers(const char *directory);
static int set_max(const char *directory, const char *file, int64_t value, struct error *err);
static int apply_memory(const char *directory, const struct resources *resources,
                        struct error *err);
static int apply_cpu(const char *directory, const struct resources *resources, struct error *err);
static int apply_cpu_max(const char *directory, const struct resources *resources,
                         struct error *err);
static int apply_io(const char *directory, const struct resources *resources, struct error *err);
static int apply_io_limits(const char *directory, const struct resources *resources,
                           struct error *err);
static int apply_rest(const char *directory, const struct resources *resources, struct error *err);
static int apply_unified(const char *directory, const struct resources *resources,
                         struct error *err);

/* Each group on the way down must give its controllers to its children. */
int cgroup_v2_prepare(const struct hierarchy *hierarchy, struct error *err)
{
    char path[PATH_MAX];
    size_t length = strlen(hierarchy->path);

    if (length >= sizeof(path))
        return fail(err, ERR_INVALID, "cgroup path '%.64s…' is too long", hierarchy->path);
    memcpy(path, hierarchy->path, length + 1);
    for (char *slash = path + strlen(hierarchy->mount); slash != NULL && *slash == '/';
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        give_controllers(path);
        *slash = '/';
        if (strchr(slash + 1, '/') == NULL)
            break;
    }
    return 0;
}

int cgroup_v2_apply(const struct cgroup *cgroup, const struct resources *resources,
                    struct error *err)
{
    const char *directory = cgroup->hierarchies[0].path;

    if (apply_memory(directory, resources, err) < 0 || apply_cpu(directory, resources, err) < 0 ||
        apply_io(directory, resources, err) < 0 || apply_rest(directory, resources, err) < 0)
        return -1;
    return apply_unified(directory, resources, err);
}

/* What a group cannot give (threads, realtime tasks) is missed only if a limit needs it. */
static void give_controllers(const char *directory)
{
    char text[CGROUP_TEXT_SIZE];
    char wanted[1024] = "";
    size_t used = 0;
    char *rest;

    if (cgroup_file_read(directory, "cgroup.controllers", text) <= 0)
        return;
    for (char *name = strtok_r(text, " ", &rest); name != NULL && used < sizeof(wanted) / 2;
         name = strtok_r(NULL, " ", &rest))
        used += (size_t)snprintf(wanted + used, sizeof(wanted) - used, "+%.64s ", name);
    if (cgroup_file_write(directory, "cgroup.subtree_control", wanted) >= 0)
        return;
    for (char *name = strtok_r(wanted, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest))
        (void)cgroup_file_write(directory, "cgroup.subtree_control", name);
}

static int set_max(const char *directory, const char *file, int64_t value, struct error *err)
{
    if (value < 0)
        return cgroup_file_set(directory, file, "max", err);
    return cgroup_file_set_number(directory, file, value, err);
}

static int apply_memory(const char *directory, const struct resources *resources, struct error *err)
{
    int64_t limit = resources->memory_limit.value;
    int64_t swap = resources->memory_swap.value;

    if (limit != 0 && set_max(directory, "memory.max", limit, err) < 0)
        return -1;
    if (resources->memory_reservation.value != 0 &&
        set_max(directory, "memory.low", resources->memory_reservation.value, err) < 0)
        return -1;
    if (swap == 0)
        return 0;
    if (swap > 0 && limit <= 0) /* an update of swap alone: memory is as it was */
        limit = cgroup_file_number(directory, "memory.max", INT64_MAX);
    if (swap > 0 && limit > swap)
        return fail(err, ERR_INVALID, "memory+swap limit is below the memory limit");
    int64_t swap_only = swap < 0 ? -1 : swap - limit;
    /* Without swap accounting nothing is swapped, and there is nothing to limit. */
    if (cgroup_file_number(directory, "memory.swap.max", -1) < 0 && swap_only <= 0)
        return 0;
    return set_max(directory, "memory.swap.max", swap_only, err);
}

static int apply_cpu(const char *directory, const struct resources *resources, struct error *err)
{
    if (resources->cpu_realtime_runtime.value != 0 || resources->cpu_realtime_period.value != 0)
        return fail(err, ERR_UNSUPPORTED, "realtime CPU limits do not exist on cgroup v2");
    if (resources->cpu_shares.value != 0 &&
        cgroup_file_set_number(directory, "cpu.weight",
                               cgroup_v2_weight(resources->cpu_shares.value), err) < 0)
        return -1;
    if (resources->cpu_idle.is_set &&
        cgroup_file_set_number(directory, "cpu.idle", resources->cpu_idle.value, err) < 0)
        return -1;
    if (apply_cpu_max(directory, resources, err) < 0)
        return -1;
    if (resources->cpu_burst.is_set &&
        cgroup_file_set_number(directory, "cpu.max.burst", resources->cpu_burst.value, err) < 0)
        return -1;
    if (resources->cpuset_cpus != NULL && *resources->cpuset_cpus != '\0' &&
        cgroup_file_set(directory, "cpuset.cpus", resources->cpuset_cpus, err) < 0)
        return -1;
    if (resources->cpuset_mems != NULL && *resources->cpuset_mems != '\0')
        return cgroup_file_set(directory, "cpuset.mems", resources->cpuset_mems, err);
    return 0;
}

/* "QUOTA PERIOD"; with one of them only, the other stays or is the kernel's default. */
static int apply_cpu_max(const char *directory, const struct resources *resources,
                         struct error *err)
{
    int64_t quota = resources->cpu_quota.value;
    int64_t period = resources->cpu_period.value;
    char quota_text[32] = "max";
    char text[64];

    if (quota == 0 && period == 0)
        return 0;
    if (quota > 0)
        (void)snprintf(quota_text, sizeof(quota_text), "%lld", (long long)quota); /* fits */
    if (period > 0)
        (void)snprintf(text, sizeof(text), "%s %lld", quota_text, (long long)period); /* fits */
    else
        (void)snprintf(text, sizeof(text), "%s", quota_text); /* fits */
    return cgroup_file_set(directory, "cpu.max", text, err);
}

static int apply_io(const char *directory, const struct resources *resources, struct error *err)
{
    int64_t weight = resources->blkio_weight.value;

    if (weight != 0 && cgroup_file_printf(directory, "io.bfq.weight", "%lld", (long long)weight) <
                           0) { /* 10…1000 there, 1…10000 in io.weight */
        int64_t scaled = 1 + (weight - 10) * (WEIGHT_MAX - 1) / 990;
        if (cgroup_file_set_number(directory, "io.weight", scaled, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < resources->blkio_weight_devices.count; i++) {
        const struct device_weight *device =
            ARRAY_ITEM(resources->blkio_weight_devices, const struct device_weight, i);
        int rc = cgroup_file_printf(directory, "io.bfq.weight", "%lld:%lld %lld",
                                    (long long)device->major, (long long)device->minor,
                                    (long long)device->weight.value);
        if (rc < 0)
            return fail_sys(err, rc, "cannot set the I/O weight of device %lld:%lld",
                            (long long)device->major, (long long)device->minor);
    }
    return apply_io_limits(directory, resources, err);
}

static int apply_io_limits(const char *directory, const struct resources *resources,
                           struct error *err)
{
    char text[128];

    for (size_t i = 0; i < ARRAY_SIZE(io_limits); i++) {
        const struct array *rates =
            (const struct array *)(const void *)((const char *)resources + io_limits[i].offset);
        for (size_t j = 0; j < rates->count; j++) {
            const struct device_rate *rate = ARRAY_ITEM(*rates, const struct device_rate, j);
            char value[32] = "max"; /* 0 is "no limit" to engines and refused by the kernel */
            if (rate->rate.value > 0)
                (void)snprintf(value, sizeof(value), "%lld", (long long)rate->rate.value);
            (void)snprintf(text, sizeof(text), "%lld:%lld %s=%s", (long long)rate->major,
                           (long long)rate->minor, io_limits[i].key, value); /* fits */
            if (cgroup_file_set(directory, "io.max", text, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int apply_rest(const char *directory, const struct resources *resources, struct error *err)
{
    char file[64];

    if (resources->pids_limit.is_set && resources->pids_limit.value != 0 &&
        set_max(directory, "pids.max", resources->pids_limit.value, err) < 0)
        return -1;
    for (size_t i = 0; i < resources->huge_pages.count; i++) {
        const struct huge_page_limit *limit =
            ARRAY_ITEM(resources->huge_pages, const struct huge_page_limit, i);
        (void)snprintf(file, sizeof(file), "hugetlb.%.32s.max", limit->page_size); /* fits */
        if (set_max(directory, file, limit->limit.value, err) < 0)
            return -1;
    }
    return 0;
}

/* Files of the group by name; last, so that they win. */
static int apply_unified(const char *directory, const struct resources *resources,
                         struct error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach(resources->unified, name, value)
    {
        if (strchr(name, '/') != NULL || !json_is_string(value))
            return fail(err, ERR_INVALID, "'unified.%s' is not a file of a cgroup with a text",
                        name);
        if (cgroup_file_set(directory, name, json_string_value(value), err) < 0)
            return -1;
    }
    return 0;
}

/*
 * Shares 2…262144 (default 1024) to weights 1…10000 (default 100): the curve through those three
 * points that runc and crun agreed on, so that a container weighs the same whoever runs it.
 */
int64_t cgroup_v2_weight(int64_t shares)
{
    if (shares <= 2)
        return 1;
    if (shares >= 262144)
        return WEIGHT_MAX;
    double bits = log2((double)shares);
    double exponent = (bits * bits + 125.0 * bits) / 612.0 - 7.0 / 34.0;
    return (int64_t)ceil(pow(10.0, exponent));
}
