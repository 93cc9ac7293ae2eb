/* SPDX-License-Identifier: Apache-2.0 */
/* spec and features: what a configuration looks like, and what of the specification is understood.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/sys.h"
#include "runner/checkpoint/criu.h"
#include "runner/command/command.h"
#include "runner/process/capability.h"
#include "runner/process/filter.h"
#include "runner/process/memory_policy.h"
#include "runner/process/namespace.h"
#include "runner/spec/mount_option.h"
#include "runner/spec/spec.h"

/* The same as other runtimes' `spec`: a shell on a terminal with a read-only root. */
static const char spec_text[] =
    "{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"sh\"],"
    "\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"TERM=xterm\"],\"cwd\":\"/\","
    "\"capabilities\":{\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
    "\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
    "\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},"
    "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],\"noNewPrivileges\":true},"
    "\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"runner\",\"mounts\":["
    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
    "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
    "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
    "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]}],"
    "\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},"
    "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"cgroup\"}],"
    "\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\",\"/proc/latency_stats\",\"/proc/timer_list\","
    "\"/proc/timer_stats\",\"/proc/sched_debug\",\"/sys/firmware\",\"/proc/scsi\"],"
    "\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]}}";

static const char *const hook_names[] = {
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL,
};

static json_t *linux_features(void);
static void make_rootless(json_t *spec);
static void drop_owners(json_t *mount);
static json_t *namespace_names(void);
static json_t *capability_names(void);

int command_spec(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_json json_t *json = json_read(spec_text, sizeof(spec_text) - 1, err);
    const char *bundle = options->bundle != NULL ? options->bundle : ".";
    struct stat st;

    (void)mem;
    cleanup_fd int bundle_fd = sys_openat(AT_FDCWD, bundle, O_RDONLY | O_DIRECTORY, 0);
    if (bundle_fd < 0)
        return fail_sys(err, bundle_fd, "cannot open '%s'", bundle);
    if (sys_fstatat(bundle_fd, "config.json", &st, AT_SYMLINK_NOFOLLOW) == 0)
        return fail(err, ERR_EXISTS, "File config.json exists. Remove it first");
    if (options->is_rootless_spec)
        make_rootless(json);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    int rc = fs_write_volatile(bundle_fd, "config.json", text, strlen(text), 0666, err);
    free(text);
    return rc;
}

int command_features(struct arena *mem, struct options *options, struct error *err)
{
    (void)options;
    (void)err;
    cleanup_json json_t *features = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:{s:s, s:s}, s:[s, s, s, s]}", "ociVersionMin", "1.0.0",
        "ociVersionMax", SPEC_VERSION_MAX, "hooks", json_list(hook_names), "mountOptions",
        json_list(mount_option_names(mem)), "linux", linux_features(), "annotations",
        "org.volumed.runner.version", VOLUMED_VERSION, "org.opencontainers.runc.checkpoint.enabled",
        criu_find(mem) != NULL ? "true" : "false", "potentiallyUnsafeConfigAnnotations",
        "org.volumed.rootfs", "org.volumed.stdin", "org.volumed.stdin-once", "org.volumed.log");
    (void)json_dumpf(features, stdout, JSON_INDENT(2)); /* nobody may be reading */
    (void)putchar('\n');
    return EXIT_SUCCESS;
}

static json_t *linux_features(void)
{
    json_t *json = json_object();

    json_set(json, "namespaces", namespace_names());
    json_set(json, "capabilities", capability_names());
    json_set(json, "cgroup",
             json_pack("{s:b, s:b, s:b, s:b, s:b}", "v1", 1, "v2", 1, "systemd", 1, "systemdUser",
                       0, "rdma", 1));
    json_set(json, "seccomp",
             json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "enabled", 1, "actions",
                       json_list(seccomp_action_names), "operators",
                       json_list(seccomp_operator_names), "archs", json_list(seccomp_arch_names),
                       "knownFlags", json_list(seccomp_flag_names), "supportedFlags",
                       json_list(seccomp_flag_names)));
    json_set(json, "memoryPolicy",
             json_pack("{s:o, s:o}", "modes", json_list(memory_policy_mode_names), "flags",
                       json_list(memory_policy_flag_names)));
    json_set(json, "apparmor", json_pack("{s:b}", "enabled", 1));
    json_set(json, "selinux", json_pack("{s:b}", "enabled", 1));
    json_set(json, "intelRdt", json_pack("{s:b}", "enabled", 0));
    json_set(json, "netDevices", json_pack("{s:b}", "enabled", 1));
    json_set(json, "mountExtensions", json_pack("{s:{s:b}}", "idmap", "enabled", 1));
    return json;
}

/* For a user without rights: the network is the host's, and the only id there is becomes root. */
static void make_rootless(json_t *spec)
{
    static const char *const id_maps[] = { "uidMappings", "gidMappings" };
    const unsigned int ids[] = { geteuid(), getegid() };
    json_t *linux_json = json_object_get(spec, "linux");
    json_t *namespaces = json_object_get(linux_json, "namespaces");
    size_t index;
    json_t *item;

    json_array_foreach(namespaces, index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "type")), "network") == 0)
            json_set(item, "type", json_string("user"));
    }
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        json_set(linux_json, id_maps[i],
                 json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", (json_int_t)ids[i],
                           "size", 1));
    (void)json_object_del(linux_json, "resources"); /* there */
    json_array_foreach(json_object_get(spec, "mounts"), index, item)
    {
        drop_owners(item);
        if (strcmp(json_string_value(json_object_get(item, "destination")), "/sys") != 0)
            continue;
        json_set(item, "type", json_string("none"));
        json_set(item, "source", json_string("/sys"));
        json_set(item, "options",
                 json_pack("[s, s, s, s, s]", "rbind", "nosuid", "noexec", "nodev", "ro"));
    }
}

/* Options that name users or groups, of whom there are none. */
static void drop_owners(json_t *mount)
{
    json_t *list = json_object_get(mount, "options");

    for (size_t i = json_array_size(list); i > 0; i--) {
        const char *option = json_string_value(json_array_get(list, i - 1));
        if (strncmp(option, "gid=", 4) == 0 || strncmp(option, "uid=", 4) == 0)
            (void)json_array_remove(list, i - 1); /* there */
    }
}

static json_t *namespace_names(void)
{
    json_t *names = json_array();

    for (int kind = 0; kind < NAMESPACE_KINDS; kind++)
        (void)json_array_append_new(names,
                                    json_string(namespace_kind_name((enum namespace_kind)kind)));
    return names;
}

static json_t *capability_names(void)
{
    json_t *names = json_array();

    for (int number = 0; capability_name(number) != NULL; number++)
        (void)json_array_append_new(names, json_string(capability_name(number)));
    return names;
}
