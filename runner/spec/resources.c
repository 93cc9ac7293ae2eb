/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that read linux.resources. */
#include "runner/spec/resources.h"

#define R struct resources

static const struct field device_rule_fields[] = {
    FIELD_REQUIRED(BOOL, struct device_rule, allow, "allow"),
    FIELD(TEXT, struct device_rule, type, "type"),
    FIELD(LIMIT, struct device_rule, major, "major"),
    FIELD(LIMIT, struct device_rule, minor, "minor"),
    FIELD(TEXT, struct device_rule, access, "access"),
    { .type = FIELD_END },
};

static const struct field device_weight_fields[] = {
    FIELD_REQUIRED(INT, struct device_weight, major, "major"),
    FIELD_REQUIRED(INT, struct device_weight, minor, "minor"),
    FIELD(LIMIT, struct device_weight, weight, "weight"),
    FIELD(LIMIT, struct device_weight, leaf_weight, "leafWeight"),
    { .type = FIELD_END },
};

static const struct field device_rate_fields[] = {
    FIELD_REQUIRED(INT, struct device_rate, major, "major"),
    FIELD_REQUIRED(INT, struct device_rate, minor, "minor"),
    FIELD_REQUIRED(LIMIT, struct device_rate, rate, "rate"),
    { .type = FIELD_END },
};

static const struct field huge_page_fields[] = {
    FIELD_REQUIRED(TEXT, struct huge_page_limit, page_size, "pageSize"),
    FIELD_REQUIRED(LIMIT, struct huge_page_limit, limit, "limit"),
    { .type = FIELD_END },
};

static const struct field memory_fields[] = {
    FIELD(LIMIT, R, memory_limit, "limit"),
    FIELD(LIMIT, R, memory_reservation, "reservation"),
    FIELD(LIMIT, R, memory_swap, "swap"),
    FIELD(LIMIT, R, memory_kernel, "kernel"),
    FIELD(LIMIT, R, memory_kernel_tcp, "kernelTCP"),
    FIELD(LIMIT, R, memory_swappiness, "swappiness"),
    FIELD(BOOL, R, memory_has_no_oom_killer, "disableOOMKiller"),
    FIELD(BOOL, R, memory_has_use_hierarchy, "useHierarchy"),
    FIELD(BOOL, R, memory_check_before_update, "checkBeforeUpdate"),
    { .type = FIELD_END },
};

static const struct field cpu_fields[] = {
    FIELD(LIMIT, R, cpu_shares, "shares"),
    FIELD(LIMIT, R, cpu_quota, "quota"),
    FIELD(LIMIT, R, cpu_burst, "burst"),
    FIELD(LIMIT, R, cpu_period, "period"),
    FIELD(LIMIT, R, cpu_realtime_runtime, "realtimeRuntime"),
    FIELD(LIMIT, R, cpu_realtime_period, "realtimePeriod"),
    FIELD(LIMIT, R, cpu_idle, "idle"),
    FIELD(TEXT, R, cpuset_cpus, "cpus"),
    FIELD(TEXT, R, cpuset_mems, "mems"),
    { .type = FIELD_END },
};

static const struct field pids_fields[] = {
    FIELD(LIMIT, R, pids_limit, "limit"),
    { .type = FIELD_END },
};

static const struct field blkio_fields[] = {
    FIELD(LIMIT, R, blkio_weight, "weight"),
    FIELD(LIMIT, R, blkio_leaf_weight, "leafWeight"),
    FIELD_LIST(R, blkio_weight_devices, "weightDevice", struct device_weight, device_weight_fields),
    FIELD_LIST(R, blkio_read_bps, "throttleReadBpsDevice", struct device_rate, device_rate_fields),
    FIELD_LIST(R, blkio_write_bps, "throttleWriteBpsDevice", struct device_rate,
               device_rate_fields),
    FIELD_LIST(R, blkio_read_iops, "throttleReadIOPSDevice", struct device_rate,
               device_rate_fields),
    FIELD_LIST(R, blkio_write_iops, "throttleWriteIOPSDevice", struct device_rate,
               device_rate_fields),
    { .type = FIELD_END },
};

static const struct field network_fields[] = {
    FIELD(LIMIT, R, network_class, "classID"),
    FIELD_JSON(R, network_priorities, "priorities", JSON_ARRAY),
    { .type = FIELD_END },
};

/* clang-format off */
/* The sections of `resources` are objects whose members all lie in the one flat struct. */
#define SECTION(key, table) { .name = (key), .type = FIELD_OBJECT, .offset = 0, .fields = (table) }
/* clang-format on */

const struct field resources_fields[] = {
    SECTION("memory", memory_fields),
    SECTION("cpu", cpu_fields),
    SECTION("pids", pids_fields),
    SECTION("blockIO", blkio_fields),
    SECTION("network", network_fields),
    FIELD_LIST(R, devices, "devices", struct device_rule, device_rule_fields),
    FIELD_LIST(R, huge_pages, "hugepageLimits", struct huge_page_limit, huge_page_fields),
    FIELD_JSON(R, rdma, "rdma", JSON_OBJECT),
    FIELD_JSON(R, unified, "unified", JSON_OBJECT),
    { .type = FIELD_END },
};

int resources_read(struct arena *mem, const json_t *json, struct resources *resources,
                   struct error *err)
{
    struct resources read = { 0 };

    if (fields_read(mem, "resources", json, resources_fields, &read, err) < 0)
        return -1;
    *resources = read;
    return 0;
}
