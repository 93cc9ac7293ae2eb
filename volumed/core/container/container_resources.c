/* SPDX-License-Identifier: Apache-2.0 */
/* Each controller's members. */
#include "core/container/container_resources.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/sys.h"

#define NANO_CPU_PERIOD 100000 /* µs */

struct member {
    const char *docker;
    const char *oci;
};

static json_t *memory_json(const json_t *host);
static json_t *cpu_json(const json_t *host);
static json_t *block_json(const json_t *host, struct error *err);
static int add_throttles(json_t *block, const json_t *list, const char *name, struct error *err);
static void copy_numbers(json_t *into, const json_t *host, const struct member *members);
static void set_unless_empty(json_t *into, const char *name, json_t *part);
static int64_t number(const json_t *host, const char *name);

json_t *resources_json(const json_t *host_config, struct error *err)
{
    cleanup_json json_t *resources = json_object();
    int64_t pids = number(host_config, "PidsLimit");

    set_unless_empty(resources, "memory", memory_json(host_config));
    set_unless_empty(resources, "cpu", cpu_json(host_config));
    json_t *block = block_json(host_config, err);
    if (block == NULL)
        return NULL;
    set_unless_empty(resources, "blockIO", block);
    if (pids != 0)
        json_set(resources, "pids", json_pack("{sI}", "limit", (json_int_t)(pids < 0 ? -1 : pids)));
    return json_incref(resources);
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

static json_t *block_json(const json_t *host, struct error *err)
{
    static const struct member members[] = {
        { "BlkioWeight", "weight" },
        { .docker = NULL },
    };
    static const struct member lists[] = {
        { "BlkioWeightDevice", "weightDevice" },
        { "BlkioDeviceReadBps", "throttleReadBpsDevice" },
        { "BlkioDeviceWriteBps", "throttleWriteBpsDevice" },
        { "BlkioDeviceReadIOps", "throttleReadIOPSDevice" },
        { "BlkioDeviceWriteIOps", "throttleWriteIOPSDevice" },
    };
    cleanup_json json_t *block = json_object();

    copy_numbers(block, host, members);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (add_throttles(block, json_object_get(host, lists[i].docker), lists[i].oci, err) < 0)
            return NULL;
    return json_incref(block);
}

/* [{Path, Rate}], or Weight in place of Rate. */
static int add_throttles(json_t *block, const json_t *list, const char *name, struct error *err)
{
    json_t *made = json_array();
    size_t i;
    json_t *item;

    if (json_array_size(list) == 0) {
        json_decref(made);
        return 0;
    }
    json_set(block, name, made);
    json_array_foreach(list, i, item)
    {
        const char *path = json_string_value(json_member(item, "Path"));
        const json_t *weight = json_member(item, "Weight");
        const json_t *value = weight != NULL ? weight : json_member(item, "Rate");
        struct stat st;
        if (path == NULL || sys_fstatat(AT_FDCWD, path, &st, 0) < 0 || !S_ISBLK(st.st_mode))
            return fail(err, ERR_INVALID, "no such block device: '%s'", path != NULL ? path : "");
        json_array_append_new(made,
                              json_pack("{si si sI}", "major", (int)major(st.st_rdev), "minor",
                                        (int)minor(st.st_rdev), weight != NULL ? "weight" : "rate",
                                        json_integer_value(value)));
    }
    return 0;
}

static void copy_numbers(json_t *into, const json_t *host, const struct member *members)
{
    for (; members->docker != NULL; members++) {
        int64_t value = number(host, members->docker);
        if (value != 0)
            json_set(into, members->oci, json_integer(value));
    }
}

static void set_unless_empty(json_t *into, const char *name, json_t *part)
{
    if (json_object_size(part) > 0)
        json_set(into, name, part);
    else
        json_decref(part);
}

static int64_t number(const json_t *host, const char *name)
{
    return json_integer_value(json_object_get(host, name));
}
