/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a container, in the form of `events --stats`; and the OOM killer's work. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "runner/cgroup/cgroup.h"
#include "runner/cgroup/cgroup_file.h"

#define NS_PER_USEC 1000

/* Kinds of v1 blkio figures and their names in JSON. */
static const struct {
    const char *file;
    const char *fallback;
    const char *name;
} io_files[] = {
    { "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes",
      "ioServiceBytesRecursive" },
    { "blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced", "ioServicedRecursive" },
};

/* v2's io.stat: which key is which operation of which list. */
static const struct {
    const char *key;
    const char *name;
    const char *operation;
} io_keys[] = {
    { "rbytes=", "ioServiceBytesRecursive", "Read" },
    { "wbytes=", "ioServiceBytesRecursive", "Write" },
    { "rios=", "ioServicedRecursive", "Read" },
    { "wios=", "ioServicedRecursive", "Write" },
};

static json_t *cpu_v1(const struct cgroup *cgroup);
static json_t *cpu_v2(const char *directory);
static json_t *cpu_json(int64_t total_ns, int64_t user_ns, int64_t system_ns, const char *stat,
                        int64_t throttled_ns);
static json_t *per_cpu(const char *directory);
static json_t *memory_v1(const struct cgroup *cgroup);
static json_t *memory_v2(const char *directory);
static json_t *memory_raw(const char *directory);
static json_t *entry(int64_t limit, int64_t usage, int64_t max, int64_t failures);
static json_t *pids_json(const struct cgroup *cgroup);
static json_t *blkio_v1(const struct cgroup *cgroup);
static json_t *blkio_v2(const char *directory);
static void add_io_line(json_t *blkio, char *line);
static int watch_v1(const char *directory);
static int watch_v2(const char *directory);

json_t *cgroup_stats(const struct cgroup *cgroup)
{
    json_t *stats = json_object();
    const char *unified =
        cgroup->is_unified && cgroup->count > 0 ? cgroup->hierarchies[0].path : NULL;

    json_set(stats, "cpu", unified != NULL ? cpu_v2(unified) : cpu_v1(cgroup));
    json_set(stats, "memory", unified != NULL ? memory_v2(unified) : memory_v1(cgroup));
    json_set(stats, "pids", pids_json(cgroup));
    json_set(stats, "blkio", unified != NULL ? blkio_v2(unified) : blkio_v1(cgroup));
    json_set(stats, "hugetlb", json_object());
    json_set(stats, "intel_rdt", json_object());
    return stats;
}

int cgroup_oom_open(const struct cgroup *cgroup, struct error *err)
{
    const struct hierarchy *memory =
        cgroup->is_unified ? cgroup_find(cgroup, "") : cgroup_find(cgroup, "memory");

    if (memory == NULL)
        return fail(err, ERR_UNSUPPORTED, "this host has no memory cgroup");
    int fd = cgroup->is_unified ? watch_v2(memory->path) : watch_v1(memory->path);
    return fd < 0 ? fail_sys(err, fd, "cannot watch for lack of memory") : fd;
}

int64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
    const struct hierarchy *memory =
        cgroup->is_unified ? cgroup_find(cgroup, "") : cgroup_find(cgroup, "memory");

    if (memory == NULL)
        return 0;
    return cgroup_file_keyed(
        memory->path, cgroup->is_unified ? "memory.events" : "memory.oom_control", "oom_kill", 0);
}

static json_t *cpu_v1(const struct cgroup *cgroup)
{
    const struct hierarchy *accounting = cgroup_find(cgroup, "cpuacct");
    const struct hierarchy *cpu = cgroup_find(cgroup, "cpu");
    char stat[CGROUP_TEXT_SIZE] = "";
    int64_t total_ns = 0, user_ns = 0, system_ns = 0;

    if (accounting != NULL) {
        total_ns = cgroup_file_number(accounting->path, "cpuacct.usage", 0);
        user_ns = cgroup_file_number(accounting->path, "cpuacct.usage_user", 0);
        system_ns = cgroup_file_number(accounting->path, "cpuacct.usage_sys", 0);
    }
    if (cpu != NULL)
        (void)cgroup_file_read(cpu->path, "cpu.stat", stat); /* unreadable: figures are 0 */
    json_t *json =
        cpu_json(total_ns, user_ns, system_ns, stat, cgroup_text_keyed(stat, "throttled_time", 0));
    if (accounting != NULL)
        json_set(json_object_get(json, "usage"), "percpu", per_cpu(accounting->path));
    return json;
}

static json_t *cpu_v2(const char *directory)
{
    char stat[CGROUP_TEXT_SIZE] = "";

    (void)cgroup_file_read(directory, "cpu.stat", stat); /* unreadable: figures are 0 */
    return cpu_json(cgroup_text_keyed(stat, "usage_usec", 0) * NS_PER_USEC,
                    cgroup_text_keyed(stat, "user_usec", 0) * NS_PER_USEC,
                    cgroup_text_keyed(stat, "system_usec", 0) * NS_PER_USEC, stat,
                    cgroup_text_keyed(stat, "throttled_usec", 0) * NS_PER_USEC);
}

static json_t *cpu_json(int64_t total_ns, int64_t user_ns, int64_t system_ns, const char *stat,
                        int64_t throttled_ns)
{
    return json_pack("{s:{s:I, s:I, s:I}, s:{s:I, s:I, s:I}}", "usage", "total",
                     (json_int_t)total_ns, "kernel", (json_int_t)system_ns, "user",
                     (json_int_t)user_ns, "throttling", "periods",
                     (json_int_t)cgroup_text_keyed(stat, "nr_periods", 0), "throttledPeriods",
                     (json_int_t)cgroup_text_keyed(stat, "nr_throttled", 0), "throttledTime",
                     (json_int_t)throttled_ns);
}

static json_t *per_cpu(const char *directory)
{
    char text[CGROUP_TEXT_SIZE];
    json_t *list = json_array();
    char *rest;

    if (cgroup_file_read(directory, "cpuacct.usage_percpu", text) <= 0)
        return list;
    for (char *number = strtok_r(text, " ", &rest); number != NULL;
         number = strtok_r(NULL, " ", &rest))
        (void)json_array_append_new(list, json_integer(strtoll(number, NULL, 10)));
    return list;
}

static json_t *memory_v1(const struct cgroup *cgroup)
{
    const struct hierarchy *memory = cgroup_find(cgroup, "memory");
    json_t *json = json_object();

    if (memory == NULL)
        return json;
    const char *directory = memory->path;
    json_t *raw = memory_raw(directory);
    json_t *cache = json_object_get(raw, "cache");
    json_set(json, "cache", cache != NULL ? json_incref(cache) : json_integer(0));
    json_set(json, "usage",
             entry(cgroup_file_number(directory, "memory.limit_in_bytes", 0),
                   cgroup_file_number(directory, "memory.usage_in_bytes", 0),
                   cgroup_file_number(directory, "memory.max_usage_in_bytes", 0),
                   cgroup_file_number(directory, "memory.failcnt", 0)));
    json_set(json, "swap",
             entry(cgroup_file_number(directory, "memory.memsw.limit_in_bytes", 0),
                   cgroup_file_number(directory, "memory.memsw.usage_in_bytes", 0),
                   cgroup_file_number(directory, "memory.memsw.max_usage_in_bytes", 0),
                   cgroup_file_number(directory, "memory.memsw.failcnt", 0)));
    json_set(json, "raw", raw);
    return json;
}

static json_t *memory_v2(const char *directory)
{
    json_t *json = json_object();
    json_t *raw = memory_raw(directory);
    json_t *file = json_object_get(raw, "file");

    json_set(json, "cache", file != NULL ? json_incref(file) : json_integer(0));
    json_set(json, "usage",
             entry(cgroup_file_number(directory, "memory.max", 0),
                   cgroup_file_number(directory, "memory.current", 0),
                   cgroup_file_number(directory, "memory.peak", 0),
                   cgroup_file_keyed(directory, "memory.events", "max", 0)));
    json_set(json, "swap",
             entry(cgroup_file_number(directory, "memory.swap.max", 0),
                   cgroup_file_number(directory, "memory.swap.current", 0), 0,
                   cgroup_file_keyed(directory, "memory.swap.events", "max", 0)));
    json_set(json, "raw", raw);
    return json;
}

static json_t *memory_raw(const char *directory)
{
    char text[CGROUP_TEXT_SIZE];
    json_t *raw = json_object();
    char *rest;

    if (cgroup_file_read(directory, "memory.stat", text) <= 0)
        return raw;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *space = strchr(line, ' ');
        if (space == NULL)
            continue;
        *space = '\0';
        json_set(raw, line, json_integer(strtoll(space + 1, NULL, 10)));
    }
    return raw;
}

static json_t *entry(int64_t limit, int64_t usage, int64_t max, int64_t failures)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "limit", (json_int_t)limit, "usage", (json_int_t)usage,
                     "max", (json_int_t)max, "failcnt", (json_int_t)failures);
}

/* A limit of 0 is none. */
static json_t *pids_json(const struct cgroup *cgroup)
{
    const struct hierarchy *pids =
        cgroup->is_unified ? cgroup_find(cgroup, "") : cgroup_find(cgroup, "pids");
    json_t *json = json_object();

    if (pids == NULL)
        return json;
    int64_t limit = cgroup_file_number(pids->path, "pids.max", 0);
    json_set(json, "current", json_integer(cgroup_file_number(pids->path, "pids.current", 0)));
    json_set(json, "limit", json_integer(limit == INT64_MAX ? 0 : limit));
    return json;
}

static json_t *blkio_v1(const struct cgroup *cgroup)
{
    const struct hierarchy *blkio = cgroup_find(cgroup, "blkio");
    json_t *json = json_object();
    char text[CGROUP_TEXT_SIZE];
    char operation[32];
    long long major, minor, value;
    char *rest;

    for (size_t i = 0; i < ARRAY_SIZE(io_files) && blkio != NULL; i++) {
        json_t *list = json_array();
        json_set(json, io_files[i].name, list);
        if (cgroup_file_read(blkio->path, io_files[i].file, text) < 0 &&
            cgroup_file_read(blkio->path, io_files[i].fallback, text) < 0)
            continue;
        for (char *line = strtok_r(text, "\n", &rest); line != NULL;
             line = strtok_r(NULL, "\n", &rest))
            /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
            if (sscanf(line, "%lld:%lld %31s %lld", &major, &minor, operation, &value) == 4)
                (void)json_array_append_new(list,
                                            json_pack("{s:I, s:I, s:s, s:I}", "major",
                                                      (json_int_t)major, "minor", (json_int_t)minor,
                                                      "op", operation, "value", (json_int_t)value));
    }
    return json;
}

static json_t *blkio_v2(const char *directory)
{
    json_t *json = json_pack("{s:[], s:[]}", "ioServiceBytesRecursive", "ioServicedRecursive");
    char text[CGROUP_TEXT_SIZE];
    char *rest;

    if (cgroup_file_read(directory, "io.stat", text) <= 0)
        return json;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        add_io_line(json, line);
    return json;
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …" */
static void add_io_line(json_t *blkio, char *line)
{
    long long major, minor;

    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
    if (sscanf(line, "%lld:%lld", &major, &minor) != 2)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(io_keys); i++) {
        const char *value = strstr(line, io_keys[i].key);
        if (value == NULL)
            continue;
        (void)json_array_append_new(
            json_object_get(blkio, io_keys[i].name),
            json_pack("{s:I, s:I, s:s, s:I}", "major", (json_int_t)major, "minor",
                      (json_int_t)minor, "op", io_keys[i].operation, "value",
                      (json_int_t)strtoll(value + strlen(io_keys[i].key), NULL, 10)));
    }
}

/* v1: an eventfd that the kernel signals, told so by a line in cgroup.event_control. */
static int watch_v1(const char *directory)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/memory.oom_control", directory); /* cut: open fails */
    cleanup_fd int control_fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (control_fd < 0)
        return control_fd;
    cleanup_fd int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_fd < 0)
        return -errno;
    int rc = cgroup_file_printf(directory, "cgroup.event_control", "%d %d", event_fd, control_fd);
    return rc < 0 ? rc : move_fd(&event_fd);
}

static int watch_v2(const char *directory)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/memory.events", directory); /* cut: the watch fails */
    cleanup_fd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0)
        return -errno;
    return inotify_add_watch(fd, path, IN_MODIFY) < 0 ? -errno : move_fd(&fd);
}
