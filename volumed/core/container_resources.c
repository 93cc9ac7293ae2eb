/* SPDX-License-Identifier: Apache-2.0 */
/* Each controller's members. */
#include "core/container_resources.h"

#include "base/base.h"

#define NANO_CPU_PERIOD 100000 /* µs */

struct member {
    const char *docker;
    const char *oci;
};

static json_t *memory_json(const json_t *host);
static json_t *cpu_json(const json_t *host);
static json_t *block_json(const json_t *host);
static void copy_numbers(json_t *into, const json_t *host, const struct member *members);
static void set_unless_empty(json_t *into, const char *name, json_t *object);
static int64_t number(const json_t *host, const char *name);

json_t *resources_json(const json_t *host_config)
{
    json_t *resources = json_object();
    int64_t pids = number(host_config, "PidsLimit");

    set_unless_empty(resources, "memory", memory_json(host_config));
    set_unless_empty(resources, "cpu", cpu_json(host_config));
    set_unless_empty(resources, "blockIO", block_json(host_config));
    if (pids != 0)
        json_set(resources, "pids", json_pack("{sI}", "limit", (json_int_t)(pids < 0 ? -1 : pids)));
    return resources;
}

static json_t *memory_json(const json_t *host)
{
    static const struct member members[] = {
        { "Memory", "limit" },
        { "MemoryReservation", "reservation" },
        { "MemorySwap", "swap" },
        { .docker = NULL },
    };
    const json_t *swappiness = json_object_get(host, "MemorySwappiness");
    json_t *memory = json_object();

    copy_numbers(memory, host, members);
    /* Docker's default: as much swap as memory. */
    if (number(host, "Memory") > 0 && number(host, "MemorySwap") == 0)
        json_set(memory, "swap", json_integer(number(host, "Memory") * 2));
    if (json_is_integer(swappiness) && json_integer_value(swappiness) >= 0)
        json_set(memory, "swappiness", json_integer(json_integer_value(swappiness)));
    if (json_is_true(json_object_get(host, "OomKillDisable")))
        json_set(memory, "disableOOMKiller", json_true());
    return memory;
}

static json_t *cpu_json(const json_t *host)
{
    static const struct member members[] = {
        { "CpuShares", "shares" },
        { "CpuPeriod", "period" },
        { "CpuQuota", "quota" },
        { "CpuRealtimePeriod", "realtimePeriod" },
        { "CpuRealtimeRuntime", "realtimeRuntime" },
        { .docker = NULL },
    };
    static const struct member sets[] = { { "CpusetCpus", "cpus" }, { "CpusetMems", "mems" } };
    int64_t nano = number(host, "NanoCpus");
    json_t *cpu = json_object();

    copy_numbers(cpu, host, members);
    if (nano > 0) {
        json_set(cpu, "period", json_integer(NANO_CPU_PERIOD));
        json_set(cpu, "quota", json_integer(nano * NANO_CPU_PERIOD / 1000000000));
    }
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        json_t *value = json_object_get(host, sets[i].docker);
        if (json_string_length(value) > 0)
            json_object_set(cpu, sets[i].oci, value);
    }
    return cpu;
}

static json_t *block_json(const json_t *host)
{
    static const struct member members[] = {
        { "BlkioWeight", "weight" },
        { .docker = NULL },
    };
    json_t *block = json_object();

    copy_numbers(block, host, members);
    return block;
}

static void copy_numbers(json_t *into, const json_t *host, const struct member *members)
{
    for (; members->docker != NULL; members++) {
        int64_t value = number(host, members->docker);
        if (value != 0)
            json_set(into, members->oci, json_integer(value));
    }
}

static void set_unless_empty(json_t *into, const char *name, json_t *object)
{
    if (json_object_size(object) > 0)
        json_set(into, name, object);
    else
        json_decref(object);
}

static int64_t number(const json_t *host, const char *name)
{
    return json_integer_value(json_object_get(host, name));
}
