/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on v1 hierarchies: a table of files, and the few that need an order. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "runner/cgroup/cgroup.h"
#include "runner/cgroup/cgroup_file.h"

/* A limit that is one number in one file. */
struct knob {
    size_t offset; /* of a struct limit in struct resources */
    const char *controller;
    const char *file;
    bool is_zero_unset; /* engines write 0 for "as it is" */
};

#define R struct resources

/* A period must be there before the quota that is measured in it. */
static const struct knob knobs[] = {
    { offsetof(R, memory_reservation), "memory", "memory.soft_limit_in_bytes", true },
    { offsetof(R, memory_kernel_tcp), "memory", "memory.kmem.tcp.limit_in_bytes", true },
    { offsetof(R, memory_swappiness), "memory", "memory.swappiness", false },
    { offsetof(R, cpu_shares), "cpu", "cpu.shares", true },
    { offsetof(R, cpu_period), "cpu", "cpu.cfs_period_us", true },
    { offsetof(R, cpu_quota), "cpu", "cpu.cfs_quota_us", true },
    { offsetof(R, cpu_burst), "cpu", "cpu.cfs_burst_us", false },
    { offsetof(R, cpu_realtime_period), "cpu", "cpu.rt_period_us", true },
    { offsetof(R, cpu_realtime_runtime), "cpu", "cpu.rt_runtime_us", true },
    { offsetof(R, cpu_idle), "cpu", "cpu.idle", false },
    { offsetof(R, blkio_leaf_weight), "blkio", "blkio.leaf_weight", true },
    { offsetof(R, network_class), "net_cls", "net_cls.classid", true },
};

/* A list of devices and rates. */
static const struct {
    size_t offset; /* of a struct array in struct resources */
    const char *file;
} throttles[] = {
    { offsetof(R, blkio_read_bps), "blkio.throttle.read_bps_device" },
    { offsetof(R, blkio_write_bps), "blkio.throttle.write_bps_device" },
    { offsetof(R, blkio_read_iops), "blkio.throttle.read_iops_device" },
    { offsetof(R, blkio_write_iops), "blkio.throttle.write_iops_device" },
};

static int inherit_cpuset(const char *directory, const char *file, bool is_new, struct error *err);
static const char *find_directory(const struct cgroup *cgroup, const char *controller,
                                  struct error *err);
static int apply_knobs(const struct cgroup *cgroup, const struct resources *resources,
                       struct error *err);
static int apply_memory(const struct cgroup *cgroup, const struct resources *resources,
                        struct error *err);
static int apply_cpuset(const struct cgroup *cgroup, const struct resources *resources,
                        struct error *err);
static int apply_pids(const struct cgroup *cgroup, const struct resources *resources,
                      struct error *err);
static int apply_blkio(const struct cgroup *cgroup, const struct resources *resources,
                       struct error *err);
static int apply_weight(const char *directory, int64_t weight, struct error *err);
static int apply_throttle(const char *directory, const char *file, const struct array *rates,
                          struct error *err);
static int apply_weight_devices(const char *directory, const struct array *devices,
                                struct error *err);
static int apply_huge_pages(const struct cgroup *cgroup, const struct resources *resources,
                            struct error *err);

int cgroup_v1_prepare(const struct hierarchy *hierarchy, bool is_new, struct error *err)
{
    if (strcmp(hierarchy->controllers, "cpuset") != 0)
        return 0;
    if (inherit_cpuset(hierarchy->path, "cpuset.cpus", is_new, err) < 0)
        return -1;
    return inherit_cpuset(hierarchy->path, "cpuset.mems", is_new, err);
}

int cgroup_v1_apply(const struct cgroup *cgroup, const struct resources *resources,
                    struct error *err)
{
    if (apply_memory(cgroup, resources, err) < 0 || apply_knobs(cgroup, resources, err) < 0 ||
        apply_cpuset(cgroup, resources, err) < 0 || apply_pids(cgroup, resources, err) < 0 ||
        apply_blkio(cgroup, resources, err) < 0)
        return -1;
    return apply_huge_pages(cgroup, resources, err);
}

/* A new cpuset is empty, and nothing can run in an empty one: it begins with its parent's. */
static int inherit_cpuset(const char *directory, const char *file, bool is_new, struct error *err)
{
    char text[CGROUP_TEXT_SIZE];
    char parent[PATH_MAX];

    if (!is_new && cgroup_file_read(directory, file, text) > 0)
        return 0;
    (void)snprintf(parent, sizeof(parent), "%s/..", directory); /* cut: the read fails */
    ssize_t size = cgroup_file_read(parent, file, text);
    if (size < 0)
        return fail_sys(err, (int)size, "cannot read '%s' of the parent cgroup", file);
    return size == 0 ? 0 : cgroup_file_set(directory, file, text, err);
}

static const char *find_directory(const struct cgroup *cgroup, const char *controller,
                                  struct error *err)
{
    const struct hierarchy *hierarchy = cgroup_find(cgroup, controller);

    if (hierarchy != NULL)
        return hierarchy->path;
    (void)fail(err, ERR_UNSUPPORTED, "a limit needs the cgroup controller '%s', which is missing",
               controller);
    return NULL;
}

static int apply_knobs(const struct cgroup *cgroup, const struct resources *resources,
                       struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
        const struct knob *knob = &knobs[i];
        const struct limit *limit =
            (const struct limit *)(const void *)((const char *)resources + knob->offset);
        if (!limit->is_set || (limit->value == 0 && knob->is_zero_unset))
            continue;
        const char *directory = find_directory(cgroup, knob->controller, err);
        if (directory == NULL ||
            cgroup_file_set_number(directory, knob->file, limit->value, err) < 0)
            return -1;
    }
    return 0;
}

/*
 * Memory and memory+swap limit each other: of two that are raised the second must be set first, of
 * two that are lowered the first.  So try one order, then the other.
 */
static int apply_memory(const struct cgroup *cgroup, const struct resources *resources,
                        struct error *err)
{
    static const char limit_file[] = "memory.limit_in_bytes";
    static const char swap_file[] = "memory.memsw.limit_in_bytes";
    int64_t limit = resources->memory_limit.value;
    int64_t swap = resources->memory_swap.value;
    bool has_limit = limit != 0;
    bool has_swap = swap != 0;

    if (!has_limit && !has_swap && !resources->memory_has_no_oom_killer)
        return 0;
    const char *directory = find_directory(cgroup, "memory", err);
    if (directory == NULL)
        return -1;
    if (limit == -1 && !has_swap) /* unlimited memory, as before: so is memory+swap */
        (void)cgroup_file_write(directory, swap_file, "-1");
    bool is_limit_first =
        has_limit && cgroup_file_printf(directory, limit_file, "%lld", (long long)limit) >= 0;
    /* Without swap accounting there is no such file; a limit equal to memory's is then moot. */
    if (has_swap && cgroup_file_number(directory, swap_file, -1) >= 0 &&
        cgroup_file_set_number(directory, swap_file, swap, err) < 0)
        return -1;
    if (has_limit && !is_limit_first &&
        cgroup_file_set_number(directory, limit_file, limit, err) < 0)
        return -1;
    if (resources->memory_has_no_oom_killer)
        return cgroup_file_set(directory, "memory.oom_control", "1", err);
    return 0;
}

static int apply_cpuset(const struct cgroup *cgroup, const struct resources *resources,
                        struct error *err)
{
    const char *const values[] = { resources->cpuset_cpus, resources->cpuset_mems };
    const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        if (values[i] == NULL || *values[i] == '\0')
            continue;
        const char *directory = find_directory(cgroup, "cpuset", err);
        if (directory == NULL || cgroup_file_set(directory, files[i], values[i], err) < 0)
            return -1;
    }
    return 0;
}

static int apply_pids(const struct cgroup *cgroup, const struct resources *resources,
                      struct error *err)
{
    if (!resources->pids_limit.is_set || resources->pids_limit.value == 0)
        return 0;
    const char *directory = find_directory(cgroup, "pids", err);
    if (directory == NULL)
        return -1;
    if (resources->pids_limit.value < 0)
        return cgroup_file_set(directory, "pids.max", "max", err);
    return cgroup_file_set_number(directory, "pids.max", resources->pids_limit.value, err);
}

static int apply_blkio(const struct cgroup *cgroup, const struct resources *resources,
                       struct error *err)
{
    const char *directory = NULL;

    if (resources->blkio_weight.value != 0 || resources->blkio_weight_devices.count > 0) {
        directory = find_directory(cgroup, "blkio", err);
        if (directory == NULL || apply_weight(directory, resources->blkio_weight.value, err) < 0 ||
            apply_weight_devices(directory, &resources->blkio_weight_devices, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
        const struct array *rates =
            (const struct array *)(const void *)((const char *)resources + throttles[i].offset);
        if (rates->count == 0)
            continue;
        directory = find_directory(cgroup, "blkio", err);
        if (directory == NULL || apply_throttle(directory, throttles[i].file, rates, err) < 0)
            return -1;
    }
    return 0;
}

/* The scheduler that knows weights decides the name of the file. */
static int apply_weight(const char *directory, int64_t weight, struct error *err)
{
    if (weight == 0 ||
        cgroup_file_printf(directory, "blkio.weight", "%lld", (long long)weight) >= 0)
        return 0;
    return cgroup_file_set_number(directory, "blkio.bfq.weight", weight, err);
}

static int apply_throttle(const char *directory, const char *file, const struct array *rates,
                          struct error *err)
{
    char text[96];

    for (size_t i = 0; i < rates->count; i++) {
        const struct device_rate *rate = ARRAY_ITEM(*rates, const struct device_rate, i);
        (void)snprintf(text, sizeof(text), "%lld:%lld %lld", (long long)rate->major,
                       (long long)rate->minor, (long long)rate->rate.value); /* fits */
        if (cgroup_file_set(directory, file, text, err) < 0)
            return -1;
    }
    return 0;
}

static int apply_weight_devices(const char *directory, const struct array *devices,
                                struct error *err)
{
    char text[96];

    for (size_t i = 0; i < devices->count; i++) {
        const struct device_weight *device = ARRAY_ITEM(*devices, const struct device_weight, i);
        (void)snprintf(text, sizeof(text), "%lld:%lld %lld", (long long)device->major,
                       (long long)device->minor, (long long)device->weight.value); /* fits */
        if (cgroup_file_write(directory, "blkio.weight_device", text) < 0 &&
            cgroup_file_set(directory, "blkio.bfq.weight_device", text, err) < 0)
            return -1;
    }
    return 0;
}

static int apply_huge_pages(const struct cgroup *cgroup, const struct resources *resources,
                            struct error *err)
{
    const struct hierarchy *unified = cgroup_find(cgroup, "");
    const struct hierarchy *hugetlb = cgroup_find(cgroup, "hugetlb");
    char file[64];

    for (size_t i = 0; i < resources->huge_pages.count; i++) {
        const struct huge_page_limit *limit =
            ARRAY_ITEM(resources->huge_pages, const struct huge_page_limit, i);
        (void)snprintf(file, sizeof(file), "hugetlb.%.32s.%s", limit->page_size,
                       hugetlb != NULL ? "limit_in_bytes" : "max"); /* fits */
        if (hugetlb == NULL && unified == NULL)
            return fail(err, ERR_UNSUPPORTED,
                        "a limit needs the cgroup controller 'hugetlb', which is missing");
        if (hugetlb == NULL && cgroup_v2_prepare(unified, err) < 0)
            return -1;
        const char *directory = hugetlb != NULL ? hugetlb->path : unified->path;
        if (cgroup_file_set_number(directory, file, limit->limit.value, err) < 0)
            return -1;
    }
    return 0;
}
