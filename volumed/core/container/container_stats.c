/* SPDX-License-Identifier: Apache-2.0 */
/* One sample of what a container uses, in the shape of Docker's stats. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/units.h"
#include "core/box/box_control.h"
#include "core/container/container.h"
#include "core/container/host.h"

static json_t *sample_json(struct task *task, const struct container *container,
                           const json_t *figures);
static json_t *cpu_json(struct task *task, const json_t *figures);
static json_t *memory_json(const json_t *figures);
static json_t *pids_json(const json_t *figures);
static json_t *block_json(const json_t *figures);
static void add_previous(json_t *sample, const json_t *previous);
static int64_t system_cpu_ns(struct task *task);
static json_int_t number(const json_t *object, const char *name);

int container_stats(struct task *task, const char *ref, const json_t *previous, json_t **stats,
                    struct error *err)
{
    cleanup_container struct container container = { 0 };
    const char *answer = "{}";

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    if (container_is_live(&container) && box_ask(task, container.id, "stats", &answer, err) < 0 &&
        err->code != ERR_CONFLICT)
        return -1;
    cleanup_json json_t *figures = json_read(answer, strlen(answer), err);
    if (figures == NULL)
        return -1;
    json_t *sample = sample_json(task, &container, figures);
    add_previous(sample, previous);
    *stats = sample;
    return 0;
}

static json_t *sample_json(struct task *task, const struct container *container,
                           const json_t *figures)
{
    json_t *sample = json_object();
    bool is_live = container_is_live(container);

    json_set(sample, "name", json_text(arena_printf(task->mem, "/%s", container->name)));
    json_set(sample, "id", json_text(container->id));
    json_set(sample, "read", is_live ? json_time_ns(clock_now_ns()) : json_time_ns(0));
    json_set(sample, "num_procs", json_integer(0));
    json_set(sample, "storage_stats", json_object());
    json_set(sample, "pids_stats", pids_json(json_object_get(figures, "pids")));
    json_set(sample, "blkio_stats", block_json(json_object_get(figures, "blkio")));
    json_set(sample, "memory_stats",
             is_live ? memory_json(json_object_get(figures, "memory")) : json_object());
    json_set(sample, "cpu_stats", cpu_json(task, json_object_get(figures, "cpu")));
    return sample;
}

static json_t *cpu_json(struct task *task, const json_t *figures)
{
    const json_t *usage = json_object_get(figures, "usage");
    const json_t *throttling = json_object_get(figures, "throttling");
    json_t *per_cpu = json_object_get(usage, "percpu");
    json_t *used =
        json_pack("{sI sI sI}", "total_usage", number(usage, "total"), "usage_in_kernelmode",
                  number(usage, "kernel"), "usage_in_usermode", number(usage, "user"));
    json_t *cpu = json_object();

    if (json_is_array(per_cpu))
        json_object_set(used, "percpu_usage", per_cpu);
    json_set(cpu, "cpu_usage", used);
    if (figures != NULL) {
        json_set(cpu, "system_cpu_usage", json_integer(system_cpu_ns(task)));
        json_set(cpu, "online_cpus", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    }
    json_set(cpu, "throttling_data",
             json_pack("{sI sI sI}", "periods", number(throttling, "periods"), "throttled_periods",
                       number(throttling, "throttledPeriods"), "throttled_time",
                       number(throttling, "throttledTime")));
    return cpu;
}

static json_t *memory_json(const json_t *figures)
{
    const json_t *usage = json_object_get(figures, "usage");
    json_t *raw = json_object_get(figures, "raw");
    int64_t total_bytes = host_memory_bytes();
    json_int_t limit = number(usage, "limit");
    json_t *memory = json_object();

    /* "No limit" is a huge number in cgroups, and all of the host's memory to Docker. */
    if (limit <= 0 || limit > total_bytes)
        limit = total_bytes;
    json_set(memory, "usage", json_integer(number(usage, "usage")));
    json_set(memory, "max_usage", json_integer(number(usage, "max")));
    json_set(memory, "failcnt", json_integer(number(usage, "failcnt")));
    json_set(memory, "limit", json_integer(limit));
    json_set(memory, "stats", json_is_object(raw) ? json_incref(raw) : json_object());
    return memory;
}

static json_t *pids_json(const json_t *figures)
{
    json_t *pids = json_object();

    if (figures == NULL)
        return pids;
    json_set(pids, "current", json_integer(number(figures, "current")));
    if (number(figures, "limit") > 0)
        json_set(pids, "limit", json_integer(number(figures, "limit")));
    return pids;
}

static json_t *block_json(const json_t *figures)
{
    static const struct {
        const char *docker;
        const char *runner;
    } lists[] = {
        { "io_service_bytes_recursive", "ioServiceBytesRecursive" },
        { "io_serviced_recursive", "ioServicedRecursive" },
        { "io_queue_recursive", "ioQueueRecursive" },
        { "io_service_time_recursive", "ioServiceTimeRecursive" },
        { "io_wait_time_recursive", "ioWaitTimeRecursive" },
        { "io_merged_recursive", "ioMergedRecursive" },
        { "io_time_recursive", "ioTimeRecursive" },
        { "sectors_recursive", "sectorsRecursive" },
    };

    json_t *block = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        json_t *list = json_object_get(figures, lists[i].runner);
        json_set(block, lists[i].docker, json_is_array(list) ? json_incref(list) : json_null());
    }
    return block;
}

static void add_previous(json_t *sample, const json_t *previous)
{
    json_t *cpu = json_object_get(previous, "cpu_stats");
    json_t *read = json_object_get(previous, "read");

    json_set(sample, "preread", read != NULL ? json_incref(read) : json_time_ns(0));
    json_set(sample, "precpu_stats",
             cpu != NULL
                 ? json_incref(cpu)
                 : json_pack("{s{sI sI sI} s{sI sI sI}}", "cpu_usage", "total_usage", (json_int_t)0,
                             "usage_in_kernelmode", (json_int_t)0, "usage_in_usermode",
                             (json_int_t)0, "throttling_data", "periods", (json_int_t)0,
                             "throttled_periods", (json_int_t)0, "throttled_time", (json_int_t)0));
}

/* The first line of /proc/stat: "cpu", then times in clock ticks; the first seven are all there is.
 */
static int64_t system_cpu_ns(struct task *task)
{
    char *text;
    size_t size;
    struct error ignored; /* /proc is always there; without it the figure is 0 */
    int64_t ticks = 0;

    if (fs_read_file(task->mem, AT_FDCWD, "/proc/stat", 1 << 20, &text, &size, &ignored) < 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    char *rest = text + strspn(text, "cpu ");
    for (int i = 0; i < 7 && rest != NULL; i++) {
        int64_t value = 0;
        const char *word = strsep(&rest, " ");
        if (units_parse_int(word, &value) == 0)
            ticks += value;
    }
    return ticks * (1000000000 / sysconf(_SC_CLK_TCK));
}

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}
