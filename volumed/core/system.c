/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's bodies about the service as a whole. */
#include "core/system.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/container/container.h"
#include "core/container/host.h"
#include "core/image/image.h"
#include "core/service.h"
#include "store/container.h"
#include "store/layer.h"

#define API_VERSION     "1.43"
#define API_VERSION_MIN "1.24"

static json_t *plugins_json(void);
static json_t *runtimes_json(const struct service *service);
static void add_host(struct task *task, json_t *info);
static void add_abilities(json_t *info);
static const char *docker_arch(const char *machine);
static const char *service_id(struct task *task);

int system_info(struct task *task, json_t **info, struct error *err)
{
    struct container_counts counts;
    struct image *images = NULL;
    struct filter none = { 0 };

    if (store_container_count(task->db, &counts, err) < 0)
        return -1;
    int image_count = image_list(task, &none, &images, err);
    if (image_count < 0)
        return -1;
    json_t *made = json_object();
    json_set(made, "ID", json_text(service_id(task)));
    json_set(made, "Containers", json_integer(counts.total));
    json_set(made, "ContainersRunning", json_integer(counts.running));
    json_set(made, "ContainersPaused", json_integer(counts.paused));
    json_set(made, "ContainersStopped",
             json_integer(counts.total - counts.running - counts.paused));
    json_set(made, "Images", json_integer(image_count));
    json_set(made, "Driver", json_string("overlay"));
    json_set(made, "DriverStatus", json_array());
    json_set(made, "DockerRootDir", json_text(task->service->state_dir));
    json_set(made, "Plugins", plugins_json());
    json_set(made, "Runtimes", runtimes_json(task->service));
    json_set(made, "DefaultRuntime", json_string("runner"));
    json_set(made, "ServerVersion", json_string(VOLUMED_VERSION));
    json_set(made, "SystemTime", json_time_ns(clock_now_ns()));
    add_host(task, made);
    add_abilities(made);
    *info = made;
    return 0;
}

int system_version(struct task *task, json_t **version, struct error *err)
{
    struct utsname host;

    (void)task;
    (void)err;
    (void)uname(&host); /* fails only for a bad address */
    json_t *engine =
        json_pack("{ss ss s{ss ss ss ss ss ss}}", "Name", "Engine", "Version", VOLUMED_VERSION,
                  "Details", "ApiVersion", API_VERSION, "MinAPIVersion", API_VERSION_MIN, "Arch",
                  docker_arch(host.machine), "Os", "linux", "KernelVersion", host.release,
                  "Experimental", "false");
    *version =
        json_pack("{s{ss} s[o] ss ss ss ss ss ss ss ss}", "Platform", "Name", "volumed",
                  "Components", engine, "Version", VOLUMED_VERSION, "ApiVersion", API_VERSION,
                  "MinAPIVersion", API_VERSION_MIN, "GitCommit", "", "GoVersion", "", "Os", "linux",
                  "Arch", docker_arch(host.machine), "KernelVersion", host.release);
    return 0;
}

int system_layers_bytes(struct task *task, int64_t *bytes, struct error *err)
{
    struct layer *layers;
    int count = store_layer_list(task->db, task->mem, &layers, err);

    if (count < 0)
        return -1;
    *bytes = 0;
    for (int i = 0; i < count; i++)
        *bytes += layers[i].size_bytes;
    return 0;
}

/* Derived from the state directory's inode: the same after every start. */
static const char *service_id(struct task *task)
{
    struct stat st = { 0 };

    (void)fstat(task->service->state_fd, &st); /* it is open */
    return arena_printf(task->mem, "volumed-%llx-%llx", (unsigned long long)st.st_dev,
                        (unsigned long long)st.st_ino);
}

static json_t *plugins_json(void)
{
    return json_pack("{s[ss] s[sss] sn s[ss]}", "Volume", "local", "volumed", "Network", "none",
                     "host", "default", "Authorization", "Log", "json-file", "none");
}

static json_t *runtimes_json(const struct service *service)
{
    return json_pack("{s{ss}}", "runner", "path", service->runner_path);
}

static void add_host(struct task *task, json_t *info)
{
    struct utsname host;

    (void)uname(&host); /* fails only for a bad address */
    json_set(info, "Name", json_text(host.nodename));
    json_set(info, "KernelVersion", json_text(host.release));
    json_set(info, "OperatingSystem", json_text(host_os_name(task)));
    json_set(info, "OSType", json_string("linux"));
    json_set(info, "Architecture", json_text(host.machine));
    json_set(info, "NCPU", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_set(info, "MemTotal", json_integer(host_memory_bytes()));
    json_set(info, "CgroupDriver", json_string("cgroupfs"));
    json_set(info, "CgroupVersion", json_string(host_cgroup_version()));
}

static void add_abilities(json_t *info)
{
    static const char *const yes[] = { "MemoryLimit", "SwapLimit",      "CpuCfsPeriod",
                                       "CpuCfsQuota", "CPUShares",      "CPUSet",
                                       "PidsLimit",   "IPv4Forwarding", "OomKillDisable" };
    static const char *const no[] = { "Debug", "ExperimentalBuild" };

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        json_set(info, yes[i], json_true());
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        json_set(info, no[i], json_false());
    /* Containers do outlive us. */
    json_set(info, "LiveRestoreEnabled", json_true());
    json_set(info, "LoggingDriver", json_string("json-file"));
    json_set(info, "IndexServerAddress", json_string("https://index.docker.io/v1/"));
    json_set(info, "RegistryConfig",
             json_pack("{s[] s{}}", "InsecureRegistryCIDRs", "IndexConfigs"));
    json_set(info, "SecurityOptions", json_pack("[s]", "name=seccomp,profile=builtin"));
    json_set(info, "Swarm", json_pack("{ss}", "LocalNodeState", "inactive"));
    json_set(info, "Warnings", json_null());
    json_set(info, "Labels", json_array());
    json_set(info, "NFd", json_integer(0));
    json_set(info, "NGoroutines", json_integer(0));
    json_set(info, "NEventsListener", json_integer(0));
}

static const char *docker_arch(const char *machine)
{
    if (strcmp(machine, "x86_64") == 0)
        return "amd64";
    return strcmp(machine, "aarch64") == 0 ? "arm64" : machine;
}
