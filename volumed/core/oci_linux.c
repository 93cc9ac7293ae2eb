/* SPDX-License-Identifier: Apache-2.0 */
/* The linux object: namespaces, cgroup, devices, what is hidden of /proc. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/sys.h"
#include "core/container_resources.h"
#include "core/oci.h"

/* Docker's rules for device nodes: make any, use the harmless ones. */
static const struct rule {
    const char *type;
    int major; /* -1: any */
    int minor;
    const char *access;
} rules[] = {
    { "c", -1, -1, "m" }, { "b", -1, -1, "m" }, { "c", 1, 3, "rwm" },    { "c", 1, 5, "rwm" },
    { "c", 1, 7, "rwm" }, { "c", 1, 8, "rwm" }, { "c", 1, 9, "rwm" },    { "c", 5, 0, "rwm" },
    { "c", 5, 1, "rwm" }, { "c", 5, 2, "rwm" }, { "c", 136, -1, "rwm" },
};

static json_t *namespaces(struct task *task, const struct oci_input *input);
static void add_namespace(struct task *task, json_t *list, const char *type, const char *mode,
                          int64_t pid);
static int add_devices(struct task *task, json_t *linux_json, const json_t *host,
                       struct error *err);
static int add_device(struct task *task, json_t *devices, json_t *cgroup_rules,
                      const json_t *wanted, struct error *err);
static json_t *usual_rules(bool is_privileged);
static json_t *rule_json(const struct rule *rule);
static int add_own_rules(json_t *cgroup_rules, const json_t *host, struct error *err);
static json_t *sysctls(const json_t *host);
static int add_seccomp(struct task *task, json_t *linux_json, const json_t *host,
                       struct error *err);
static const char *text(const json_t *object, const char *name);

json_t *oci_linux(struct task *task, const struct oci_input *input, struct error *err)
{
    const json_t *host = input->container->host_config;
    const char *parent = text(host, "CgroupParent");
    cleanup_json json_t *made = json_object();

    json_set(made, "namespaces", namespaces(task, input));
    json_set(made, "resources", resources_json(host));
    json_set(made, "cgroupsPath",
             json_text(arena_printf(task->mem, "%s/%s", parent[0] != '\0' ? parent : "/volumed",
                                    input->container->id)));
    json_set(made, "sysctl", sysctls(host));
    if (json_is_array(json_object_get(host, "MaskedPaths")))
        json_object_set(made, "maskedPaths", json_object_get(host, "MaskedPaths"));
    if (json_is_array(json_object_get(host, "ReadonlyPaths")))
        json_object_set(made, "readonlyPaths", json_object_get(host, "ReadonlyPaths"));
    if (add_devices(task, made, host, err) < 0 || add_seccomp(task, made, host, err) < 0)
        return NULL;
    return json_incref(made);
}

static json_t *namespaces(struct task *task, const struct oci_input *input)
{
    const json_t *host = input->container->host_config;
    json_t *list = json_array();

    add_namespace(task, list, "mount", "", 0);
    add_namespace(task, list, "network", text(host, "NetworkMode"), input->network_pid);
    add_namespace(task, list, "pid", text(host, "PidMode"), input->pid_pid);
    add_namespace(task, list, "ipc", text(host, "IpcMode"), input->ipc_pid);
    add_namespace(task, list, "uts", text(host, "UTSMode"), 0);
    add_namespace(task, list, "cgroup", text(host, "CgroupnsMode"), 0);
    return list;
}

static void add_namespace(struct task *task, json_t *list, const char *type, const char *mode,
                          int64_t pid)
{
    const char *file = strcmp(type, "network") == 0 ? "net" : type;

    if (strcmp(mode, "host") == 0)
        return;
    json_t *namespace = json_pack("{ss}", "type", type);
    if (pid > 0)
        json_set(namespace, "path",
                 json_text(arena_printf(task->mem, "/proc/%lld/ns/%s", (long long)pid, file)));
    json_array_append_new(list, namespace);
}

static int add_devices(struct task *task, json_t *linux_json, const json_t *host, struct error *err)
{
    bool is_privileged = json_is_true(json_object_get(host, "Privileged"));
    json_t *devices = json_array();
    json_t *cgroup_rules = usual_rules(is_privileged);
    size_t i;
    json_t *wanted;

    json_set(linux_json, "devices", devices);
    json_set(json_object_get(linux_json, "resources"), "devices", cgroup_rules);
    json_array_foreach(json_object_get(host, "Devices"), i,
                       wanted) if (add_device(task, devices, cgroup_rules, wanted, err) <
                                   0) return -1;
    return add_own_rules(cgroup_rules, host, err);
}

static int add_device(struct task *task, json_t *devices, json_t *cgroup_rules,
                      const json_t *wanted, struct error *err)
{
    const char *source = "";
    const char *destination = "";
    const char *access = "rwm";
    struct stat st;

    if (json_get_text(wanted, "PathOnHost", task->mem, &source, err) < 0 ||
        json_get_text(wanted, "PathInContainer", task->mem, &destination, err) < 0 ||
        json_get_text(wanted, "CgroupPermissions", task->mem, &access, err) < 0)
        return -1;
    int rc = sys_fstatat(AT_FDCWD, source, &st, 0);
    if (rc == 0 && !S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        rc = -ENOTTY;
    if (rc < 0)
        return fail(err, ERR_INVALID,
                    "error gathering device information while adding custom device \"%s\": %s",
                    source, rc == -ENOTTY ? "not a device node" : "no such file or directory");
    const char *type = S_ISCHR(st.st_mode) ? "c" : "b";
    json_array_append_new(devices,
                          json_pack("{ss ss si si si sI sI}", "path",
                                    destination[0] != '\0' ? destination : source, "type", type,
                                    "major", (int)major(st.st_rdev), "minor",
                                    (int)minor(st.st_rdev), "fileMode", (int)(st.st_mode & 07777),
                                    "uid", (json_int_t)st.st_uid, "gid", (json_int_t)st.st_gid));
    const struct rule rule = { type, (int)major(st.st_rdev), (int)minor(st.st_rdev),
                               access[0] != '\0' ? access : "rwm" };
    json_array_append_new(cgroup_rules, rule_json(&rule));
    return 0;
}

static json_t *usual_rules(bool is_privileged)
{
    json_t *list = json_array();

    json_array_append_new(list, json_pack("{sb ss}", "allow", is_privileged, "access", "rwm"));
    for (size_t i = 0; !is_privileged && i < ARRAY_SIZE(rules); i++)
        json_array_append_new(list, rule_json(&rules[i]));
    return list;
}

static json_t *rule_json(const struct rule *rule)
{
    json_t *json =
        json_pack("{sb ss ss}", "allow", true, "type", rule->type, "access", rule->access);

    if (rule->major >= 0)
        json_set(json, "major", json_integer(rule->major));
    if (rule->minor >= 0)
        json_set(json, "minor", json_integer(rule->minor));
    return json;
}

/* "c 1:3 rwm", with * for any number. */
static int add_own_rules(json_t *cgroup_rules, const json_t *host, struct error *err)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(host, "DeviceCgroupRules"), i, item)
    {
        char type[2] = "";
        char access[4] = "";
        char numbers[2][12] = { "", "" };
        struct rule rule = { .type = type, .major = -1, .minor = -1, .access = access };
        if (sscanf(json_string_value(item), "%1[acb] %11[0-9*]:%11[0-9*] %3[rwm]", type, numbers[0],
                   numbers[1], access) != 4)
            return fail(err, ERR_INVALID, "invalid device cgroup rule format: '%s'",
                        json_string_value(item));
        if (strcmp(numbers[0], "*") != 0)
            rule.major = atoi(numbers[0]);
        if (strcmp(numbers[1], "*") != 0)
            rule.minor = atoi(numbers[1]);
        json_array_append_new(cgroup_rules, rule_json(&rule));
    }
    return 0;
}

/* As Docker: in a network of its own, a container needs no rights for low ports and ping. */
static json_t *sysctls(const json_t *host)
{
    json_t *given = json_object_get(host, "Sysctls");
    json_t *made = json_is_object(given) ? json_deep_copy(given) : json_object();

    if (strcmp(text(host, "NetworkMode"), "host") == 0 ||
        strncmp(text(host, "NetworkMode"), "container:", 10) == 0)
        return made;
    json_t *usual = json_pack("{ss ss}", "net.ipv4.ip_unprivileged_port_start", "0",
                              "net.ipv4.ping_group_range", "0 2147483647");
    (void)json_object_update_missing(made, usual); /* fails only without memory */
    json_decref(usual);
    return made;
}

/* "seccomp=unconfined", "seccomp=<the profile's JSON>": the CLI sends the file's contents. */
static int add_seccomp(struct task *task, json_t *linux_json, const json_t *host, struct error *err)
{
    json_t *capabilities;
    json_t *seccomp = NULL;
    size_t i;
    json_t *item;

    (void)task;
    json_array_foreach(json_object_get(host, "SecurityOpt"), i, item)
    {
        const char *option = json_string_value(item);
        if (strncmp(option, "seccomp", 7) != 0 || (option[7] != '=' && option[7] != ':') ||
            strcmp(option + 8, "unconfined") == 0 || strcmp(option + 8, "builtin") == 0)
            continue;
        if (oci_capabilities(host, &capabilities, err) < 0)
            return -1;
        int rc = oci_seccomp(option + 8, capabilities, &seccomp, err);
        json_decref(capabilities);
        if (rc < 0)
            return -1;
        json_set(linux_json, "seccomp", seccomp);
    }
    return 0;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value != NULL ? value : "";
}
