/* SPDX-License-Identifier: Apache-2.0 */
/* The specification's linux.resources as a struct.  How it is applied is cgroup_v1.c's and
 * cgroup_v2.c's business. */
#ifndef RUNNER_RESOURCES_H
#define RUNNER_RESOURCES_H

#include "runner/spec/field.h"

struct device_rule {
    bool allow;
    const char *type; /* "a", "b", "c"; NULL: a */
    struct limit major;
    struct limit minor;
    const char *access; /* of "rwm"; NULL: all */
};

struct device_weight {
    int64_t major;
    int64_t minor;
    struct limit weight;
    struct limit leaf_weight;
};

struct device_rate {
    int64_t major;
    int64_t minor;
    struct limit rate;
};

struct huge_page_limit {
    const char *page_size;
    struct limit limit;
};

struct resources {
    struct limit memory_limit;
    struct limit memory_reservation;
    struct limit memory_swap; /* memory and swap together */
    struct limit memory_kernel;
    struct limit memory_kernel_tcp;
    struct limit memory_swappiness;
    bool memory_has_no_oom_killer;
    bool memory_has_use_hierarchy;
    bool memory_check_before_update;
    struct limit cpu_shares;
    struct limit cpu_quota;
    struct limit cpu_burst;
    struct limit cpu_period;
    struct limit cpu_realtime_runtime;
    struct limit cpu_realtime_period;
    struct limit cpu_idle;
    const char *cpuset_cpus;
    const char *cpuset_mems;
    struct limit pids_limit;
    struct limit blkio_weight;
    struct limit blkio_leaf_weight;
    struct array blkio_weight_devices; /* struct device_weight */
    struct array blkio_read_bps;       /* struct device_rate */
    struct array blkio_write_bps;      /* struct device_rate */
    struct array blkio_read_iops;      /* struct device_rate */
    struct array blkio_write_iops;     /* struct device_rate */
    struct array devices;              /* struct device_rule */
    struct array huge_pages;           /* struct huge_page_limit */
    struct limit network_class;
    json_t *network_priorities; /* array, or NULL */
    json_t *rdma;               /* object, or NULL */
    json_t *unified;            /* object of strings, or NULL */
};

/* Members of `resources` for a table that embeds the struct (FIELD_NESTED). */
extern const struct field resources_fields[];

/* Reads a resources object by itself (update).  JSON members stay borrowed. */
int resources_read(struct arena *mem, const json_t *json, struct resources *resources,
                   struct error *err);

#endif
