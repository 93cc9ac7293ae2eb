/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HostConfig's members by table, and the limits on their values.  Whether this host's kernel can do
 * what is asked shows when the container starts.
 */
#include "core/container/container_host.h"

#include <string.h>
#include <unistd.h>

#include "core/box/restart.h"
#include "core/container/shape.h"

#define MEMORY_MIN_BYTES (6 << 20)
#define SHM_SIZE_BYTES   (64 << 20)

static const struct shape_field fields[] = {
    { "Binds", SHAPE_TEXTS, SHAPE_NULL },
    { "ContainerIDFile", SHAPE_TEXT, SHAPE_ZERO },
    { "LogConfig", SHAPE_MAP, SHAPE_ZERO },
    { "NetworkMode", SHAPE_TEXT, SHAPE_ZERO },
    { "PortBindings", SHAPE_MAP, SHAPE_ZERO },
    { "RestartPolicy", SHAPE_MAP, SHAPE_ZERO },
    { "AutoRemove", SHAPE_BOOL, SHAPE_ZERO },
    { "VolumeDriver", SHAPE_TEXT, SHAPE_ZERO },
    { "VolumesFrom", SHAPE_TEXTS, SHAPE_NULL },
    { "ConsoleSize", SHAPE_LIST, SHAPE_ZERO },
    { "Annotations", SHAPE_MAP, SHAPE_OMIT },
    { "CapAdd", SHAPE_TEXTS, SHAPE_NULL },
    { "CapDrop", SHAPE_TEXTS, SHAPE_NULL },
    { "CgroupnsMode", SHAPE_TEXT, SHAPE_ZERO },
    { "Dns", SHAPE_TEXTS, SHAPE_ZERO },
    { "DnsOptions", SHAPE_TEXTS, SHAPE_ZERO },
    { "DnsSearch", SHAPE_TEXTS, SHAPE_ZERO },
    { "ExtraHosts", SHAPE_TEXTS, SHAPE_NULL },
    { "GroupAdd", SHAPE_TEXTS, SHAPE_NULL },
    { "IpcMode", SHAPE_TEXT, SHAPE_ZERO },
    { "Cgroup", SHAPE_TEXT, SHAPE_ZERO },
    { "Links", SHAPE_TEXTS, SHAPE_NULL },
    { "OomScoreAdj", SHAPE_INT, SHAPE_ZERO },
    { "PidMode", SHAPE_TEXT, SHAPE_ZERO },
    { "Privileged", SHAPE_BOOL, SHAPE_ZERO },
    { "PublishAllPorts", SHAPE_BOOL, SHAPE_ZERO },
    { "ReadonlyRootfs", SHAPE_BOOL, SHAPE_ZERO },
    { "SecurityOpt", SHAPE_TEXTS, SHAPE_NULL },
    { "StorageOpt", SHAPE_MAP, SHAPE_OMIT },
    { "Tmpfs", SHAPE_MAP, SHAPE_OMIT },
    { "UTSMode", SHAPE_TEXT, SHAPE_ZERO },
    { "UsernsMode", SHAPE_TEXT, SHAPE_ZERO },
    { "ShmSize", SHAPE_INT, SHAPE_ZERO },
    { "Sysctls", SHAPE_MAP, SHAPE_OMIT },
    { "Runtime", SHAPE_TEXT, SHAPE_ZERO },
    { "Isolation", SHAPE_TEXT, SHAPE_ZERO },
    { "CpuShares", SHAPE_INT, SHAPE_ZERO },
    { "Memory", SHAPE_INT, SHAPE_ZERO },
    { "NanoCpus", SHAPE_INT, SHAPE_ZERO },
    { "CgroupParent", SHAPE_TEXT, SHAPE_ZERO },
    { "BlkioWeight", SHAPE_INT, SHAPE_ZERO },
    { "BlkioWeightDevice", SHAPE_LIST, SHAPE_ZERO },
    { "BlkioDeviceReadBps", SHAPE_LIST, SHAPE_ZERO },
    { "BlkioDeviceWriteBps", SHAPE_LIST, SHAPE_ZERO },
    { "BlkioDeviceReadIOps", SHAPE_LIST, SHAPE_ZERO },
    { "BlkioDeviceWriteIOps", SHAPE_LIST, SHAPE_ZERO },
    { "CpuPeriod", SHAPE_INT, SHAPE_ZERO },
    { "CpuQuota", SHAPE_INT, SHAPE_ZERO },
    { "CpuRealtimePeriod", SHAPE_INT, SHAPE_ZERO },
    { "CpuRealtimeRuntime", SHAPE_INT, SHAPE_ZERO },
    { "CpusetCpus", SHAPE_TEXT, SHAPE_ZERO },
    { "CpusetMems", SHAPE_TEXT, SHAPE_ZERO },
    { "Devices", SHAPE_LIST, SHAPE_ZERO },
    { "DeviceCgroupRules", SHAPE_TEXTS, SHAPE_NULL },
    { "DeviceRequests", SHAPE_LIST, SHAPE_NULL },
    { "MemoryReservation", SHAPE_INT, SHAPE_ZERO },
    { "MemorySwap", SHAPE_INT, SHAPE_ZERO },
    { "MemorySwappiness", SHAPE_INT, SHAPE_NULL },
    { "OomKillDisable", SHAPE_BOOL, SHAPE_NULL },
    { "PidsLimit", SHAPE_INT, SHAPE_NULL },
    { "Ulimits", SHAPE_LIST, SHAPE_NULL },
    { "CpuCount", SHAPE_INT, SHAPE_ZERO },
    { "CpuPercent", SHAPE_INT, SHAPE_ZERO },
    { "IOMaximumIOps", SHAPE_INT, SHAPE_ZERO },
    { "IOMaximumBandwidth", SHAPE_INT, SHAPE_ZERO },
    { "Mounts", SHAPE_LIST, SHAPE_OMIT },
    { "MaskedPaths", SHAPE_TEXTS, SHAPE_NULL },
    { "ReadonlyPaths", SHAPE_TEXTS, SHAPE_NULL },
    { "Init", SHAPE_BOOL, SHAPE_OMIT },
    { .name = NULL },
};

static const struct shape_field update_fields[] = {
    { "CpuShares", SHAPE_INT, SHAPE_OMIT },
    { "Memory", SHAPE_INT, SHAPE_OMIT },
    { "NanoCpus", SHAPE_INT, SHAPE_OMIT },
    { "BlkioWeight", SHAPE_INT, SHAPE_OMIT },
    { "CpuPeriod", SHAPE_INT, SHAPE_OMIT },
    { "CpuQuota", SHAPE_INT, SHAPE_OMIT },
    { "CpusetCpus", SHAPE_TEXT, SHAPE_OMIT },
    { "CpusetMems", SHAPE_TEXT, SHAPE_OMIT },
    { "MemoryReservation", SHAPE_INT, SHAPE_OMIT },
    { "MemorySwap", SHAPE_INT, SHAPE_OMIT },
    { "PidsLimit", SHAPE_INT, SHAPE_OMIT },
    { "RestartPolicy", SHAPE_MAP, SHAPE_OMIT },
    { .name = NULL },
};

/* As Docker hides them from containers. */
static const char *const masked_paths[] = {
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
    NULL,
};
static const char *const readonly_paths[] = { "/proc/bus",           "/proc/fs",
                                              "/proc/irq",           "/proc/sys",
                                              "/proc/sysrq-trigger", NULL };

static void complete(json_t *host);
static void default_text(json_t *object, const char *name, const char *value);
static int check(const json_t *host, struct error *err);
static int check_memory(const json_t *host, struct error *err);
static int check_cpu(const json_t *host, struct error *err);
static int check_ranges(const json_t *host, struct error *err);
static int check_network(const json_t *host, struct error *err);
static int check_log(const json_t *host, struct error *err);
static int check_runtime(const json_t *host, struct error *err);
static int check_namespaces(const json_t *host, struct error *err);
static int check_confinement(const json_t *host, struct error *err);
static int64_t number(const json_t *host, const char *name);
static const char *text(const json_t *host, const char *name);

json_t *host_config_complete(const json_t *request, struct arena *mem,
                             struct host_warnings *warnings, struct error *err)
{
    cleanup_json json_t *host = shape_apply(fields, "HostConfig", request, err);
    size_t i;
    json_t *option;

    (void)mem;
    if (host == NULL)
        return NULL;
    complete(host);
    if (check(host, err) < 0)
        return NULL;
    json_array_foreach(json_object_get(host, "SecurityOpt"), i, option)
    {
        bool is_apparmor = strncmp(json_string_value(option), "apparmor", 8) == 0;
        bool is_label = strncmp(json_string_value(option), "label", 5) == 0;
        if ((is_apparmor && strstr(json_string_value(option), "unconfined") == NULL) ||
            (is_label && strstr(json_string_value(option), "disable") == NULL))
            host_warn(warnings,
                      "AppArmor and SELinux are not used: the security option is ignored");
    }
    if (json_object_size(json_object_get(host, "PortBindings")) > 0)
        host_warn(warnings, "Published ports are discarded: containers have no network yet");
    if (json_array_size(json_object_get(host, "Links")) > 0)
        host_warn(warnings, "Links are discarded: containers have no network yet");
    if (json_is_true(json_object_get(host, "OomKillDisable")) && number(host, "Memory") == 0)
        host_warn(warnings,
                  "OOM killer is disabled for the container, but no memory limit is set, this"
                  " can result in the system running out of resources.");
    return json_incref(host);
}

int host_config_update(json_t *host_config, const json_t *update, struct error *err)
{
    cleanup_json json_t *changes = shape_apply(update_fields, "UpdateConfig", update, err);
    const char *name;
    json_t *value;

    if (changes == NULL)
        return -1;
    /* The CLI sends zeros and "" for what it leaves alone. */
    json_object_foreach(changes, name, value)
    {
        bool is_zero = (json_is_integer(value) && json_integer_value(value) == 0) ||
                       (json_is_string(value) && json_string_length(value) == 0) ||
                       (json_is_object(value) && text(value, "Name")[0] == '\0');
        if (!is_zero)
            json_object_set(host_config, name, value);
    }
    if (json_is_true(json_object_get(host_config, "AutoRemove")) &&
        restart_policy_of(host_config).kind != RESTART_NO)
        return fail(err, ERR_INVALID,
                    "Restart policy cannot be updated because AutoRemove is enabled for the"
                    " container");
    return check(host_config, err);
}

bool host_network_is_host(const json_t *host_config)
{
    return strcmp(text(host_config, "NetworkMode"), "host") == 0;
}

static void complete(json_t *host)
{
    json_t *log = json_object_get(host, "LogConfig");
    json_t *restart = json_object_get(host, "RestartPolicy");
    json_t *sizes = json_object_get(host, "ConsoleSize");

    default_text(log, "Type", "json-file");
    if (json_member(log, "Config") == NULL)
        json_set(log, "Config", json_object());
    default_text(restart, "Name", "no");
    if (json_member(restart, "MaximumRetryCount") == NULL)
        json_set(restart, "MaximumRetryCount", json_integer(0));
    while (json_array_size(sizes) < 2)
        json_array_append_new(sizes, json_integer(0));
    default_text(host, "NetworkMode", "default");
    default_text(host, "IpcMode", "private");
    default_text(host, "CgroupnsMode", "private");
    default_text(host, "Runtime", "runner");
    if (number(host, "ShmSize") == 0)
        json_set(host, "ShmSize", json_integer(SHM_SIZE_BYTES));
    if (json_is_true(json_object_get(host, "Privileged")))
        return;
    if (json_is_null(json_object_get(host, "MaskedPaths")))
        json_set(host, "MaskedPaths", json_list(masked_paths));
    if (json_is_null(json_object_get(host, "ReadonlyPaths")))
        json_set(host, "ReadonlyPaths", json_list(readonly_paths));
}

/* Also settles a member's name that was written in another case. */
static void default_text(json_t *object, const char *name, const char *value)
{
    const char *given = json_string_value(json_member(object, name));
    json_t *kept = json_string(given != NULL && given[0] != '\0' ? given : value);

    json_set(object, name, kept);
}

void host_warn(struct host_warnings *warnings, const char *message)
{
    if (message != NULL && warnings->count < HOST_WARNINGS_MAX)
        warnings->items[warnings->count++] = message;
}

static int check(const json_t *host, struct error *err)
{
    if (restart_policy_check(json_object_get(host, "RestartPolicy"), err) < 0)
        return -1;
    if (json_is_true(json_object_get(host, "AutoRemove")) &&
        restart_policy_of(host).kind != RESTART_NO)
        return fail(err, ERR_INVALID, "can't create 'AutoRemove' container with restart policy");
    if (check_memory(host, err) < 0 || check_cpu(host, err) < 0 || check_ranges(host, err) < 0 ||
        check_network(host, err) < 0 || check_log(host, err) < 0 || check_runtime(host, err) < 0 ||
        check_namespaces(host, err) < 0 || check_confinement(host, err) < 0)
        return -1;
    return 0;
}

static int check_memory(const json_t *host, struct error *err)
{
    int64_t limit = number(host, "Memory");
    int64_t swap = number(host, "MemorySwap");
    int64_t reserved = number(host, "MemoryReservation");

    if (limit != 0 && limit < MEMORY_MIN_BYTES)
        return fail(err, ERR_INVALID, "Minimum memory limit allowed is 6MB");
    if (reserved != 0 && reserved < MEMORY_MIN_BYTES)
        return fail(err, ERR_INVALID, "Minimum memory reservation allowed is 6MB");
    if (limit > 0 && reserved > limit)
        return fail(err, ERR_INVALID,
                    "Minimum memory limit can not be less than memory reservation limit, see"
                    " usage");
    if (limit == 0 && swap > 0)
        return fail(err, ERR_INVALID,
                    "You should always set the Memory limit when using Memoryswap limit, see"
                    " usage");
    if (limit > 0 && swap > 0 && swap < limit)
        return fail(err, ERR_INVALID,
                    "Minimum memoryswap limit should be larger than memory limit, see usage");
    return 0;
}

static int check_cpu(const json_t *host, struct error *err)
{
    int64_t nano = number(host, "NanoCpus");
    int64_t period = number(host, "CpuPeriod");
    int64_t quota = number(host, "CpuQuota");
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    if (nano != 0 && period != 0)
        return fail(err, ERR_INVALID,
                    "Conflicting options: Nano CPUs and CPU Period cannot both be set");
    if (nano != 0 && quota != 0)
        return fail(err, ERR_INVALID,
                    "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
    if (nano < 0 || nano > (int64_t)cpus * 1000000000)
        return fail(err, ERR_INVALID,
                    "range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs available",
                    cpus, cpus);
    if (period != 0 && (period < 1000 || period > 1000000))
        return fail(err, ERR_INVALID,
                    "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e."
                    " 1000000)");
    if (quota > 0 && quota < 1000)
        return fail(err, ERR_INVALID, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
    return 0;
}

static int check_ranges(const json_t *host, struct error *err)
{
    const json_t *swappiness = json_object_get(host, "MemorySwappiness");
    int64_t weight = number(host, "BlkioWeight");
    int64_t score = number(host, "OomScoreAdj");

    if (json_is_integer(swappiness) && json_integer_value(swappiness) != -1 &&
        (json_integer_value(swappiness) < 0 || json_integer_value(swappiness) > 100))
        return fail(err, ERR_INVALID, "Invalid value: %lld, valid memory swappiness range is 0-100",
                    json_integer_value(swappiness));
    if (weight != 0 && (weight < 10 || weight > 1000))
        return fail(err, ERR_INVALID, "Range of blkio weight is from 10 to 1000");
    if (score < -1000 || score > 1000)
        return fail(err, ERR_INVALID,
                    "Invalid value %lld, range for oom score adj is [-1000, 1000]",
                    (long long)score);
    if (number(host, "ShmSize") < 0)
        return fail(err, ERR_INVALID, "SHM size can not be less than 0");
    return 0;
}

static int check_network(const json_t *host, struct error *err)
{
    static const char *const known[] = { "default", "none", "host", "bridge" };
    const char *mode = text(host, "NetworkMode");

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(mode, known[i]) == 0)
            return 0;
    if (strncmp(mode, "container:", 10) == 0)
        return 0;
    /* Not NOT_FOUND: to clients, that means a missing image here. */
    return fail(err, ERR_INVALID, "network %s not found", mode);
}

static int check_log(const json_t *host, struct error *err)
{
    static const char *const known[] = { "json-file", "local", "none" };
    const char *type = text(json_object_get(host, "LogConfig"), "Type");

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(type, known[i]) == 0)
            return 0;
    return fail(err, ERR_INVALID, "logger: no log driver named '%s' is registered", type);
}

/* There is one; the names that Docker's clients have for the usual one stand for it. */
static int check_runtime(const json_t *host, struct error *err)
{
    static const char *const known[] = { "", "runner", "runc", "io.containerd.runc.v2" };
    const char *runtime = text(host, "Runtime");

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(runtime, known[i]) == 0)
            return 0;
    return fail(err, ERR_INVALID, "unknown or invalid runtime name: %s", runtime);
}

static int check_namespaces(const json_t *host, struct error *err)
{
    static const struct {
        const char *name;
        const char *values[5];
        bool can_be_another; /* "container:NAME" */
    } modes[] = {
        { "PidMode", { "", "host" }, true },
        { "UTSMode", { "", "host" }, false },
        { "IpcMode", { "", "host", "private", "shareable", "none" }, true },
        { "UsernsMode", { "", "host" }, false }, /* there is no remapping to be left */
    };

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        const char *mode = text(host, modes[i].name);
        bool is_known = modes[i].can_be_another && strncmp(mode, "container:", 10) == 0;
        for (size_t k = 0; k < ARRAY_SIZE(modes[i].values) && modes[i].values[k] != NULL; k++)
            is_known = is_known || strcmp(mode, modes[i].values[k]) == 0;
        if (!is_known && strcmp(modes[i].name, "UsernsMode") == 0)
            return fail(err, ERR_INVALID,
                        "invalid UsernsMode: %s: containers have the host's user namespace, and "
                        "'host' is the only mode",
                        mode);
        if (!is_known)
            return fail(err, ERR_INVALID, "invalid %s: %s", modes[i].name, mode);
    }
    return 0;
}

/* "apparmor=PROFILE", with ':' from older clients.  To run unconfined what asked for confinement
 * would be a lie; what everybody has where there is AppArmor is not asked for. */
static int check_confinement(const json_t *host, struct error *err)
{
    size_t i;
    json_t *option;

    json_array_foreach(json_object_get(host, "SecurityOpt"), i, option)
    {
        const char *value = json_string_value(option);
        if (strncmp(value, "apparmor", 8) != 0)
            continue;
        const char *profile = value[8] != '\0' ? value + 9 : "";
        if (strcmp(profile, "unconfined") != 0 && strcmp(profile, "docker-default") != 0)
            return fail(err, ERR_INVALID,
                        "invalid --security-opt: \"%s\": AppArmor profiles are not supported",
                        value);
    }
    return 0;
}

static int64_t number(const json_t *host, const char *name)
{
    return json_integer_value(json_object_get(host, name));
}

static const char *text(const json_t *host, const char *name)
{
    const char *value = json_string_value(json_object_get(host, name));

    return value != NULL ? value : "";
}
