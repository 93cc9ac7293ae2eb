/* SPDX-License-Identifier: Apache-2.0 */
/* The linux object: namespaces, cgroup, system call filter, what is hidden of /proc. */
#include <string.h>

#include "core/box/oci.h"
#include "core/container/container_resources.h"

static json_t *namespaces(struct task *task, const struct oci_input *input);
static void add_namespace(struct task *task, json_t *list, const char *type, const char *mode,
                          int64_t pid);
static json_t *sysctls(const json_t *host);
static int add_seccomp(json_t *linux_json, const json_t *host, struct error *err);
static const char *seccomp_choice(const json_t *host);
static const char *text(const json_t *object, const char *name);

json_t *oci_linux(struct task *task, const struct oci_input *input, struct error *err)
{
    const json_t *host = input->container->host_config;
    const char *parent = text(host, "CgroupParent");
    cleanup_json json_t *made = json_object();

    json_set(made, "namespaces", namespaces(task, input));
    json_t *resources = resources_json(host, err);
    if (resources == NULL)
        return NULL;
    json_set(made, "resources", resources);
    json_set(made, "cgroupsPath",
             json_text(arena_printf(task->mem, "%s/%s", parent[0] != '\0' ? parent : "/volumed",
                                    input->container->id)));
    json_set(made, "sysctl", sysctls(host));
    if (json_is_array(json_object_get(host, "MaskedPaths")))
        json_object_set(made, "maskedPaths", json_object_get(host, "MaskedPaths"));
    if (json_is_array(json_object_get(host, "ReadonlyPaths")))
        json_object_set(made, "readonlyPaths", json_object_get(host, "ReadonlyPaths"));
    if (oci_devices(task, made, host, err) < 0 || add_seccomp(made, host, err) < 0)
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
static int add_seccomp(json_t *linux_json, const json_t *host, struct error *err)
{
    const char *choice = seccomp_choice(host);
    cleanup_json json_t *capabilities = NULL;
    json_t *seccomp = NULL;

    if (strcmp(choice, "unconfined") == 0)
        return 0;
    if (oci_capabilities(host, &capabilities, err) < 0)
        return -1;
    if (choice[0] == '\0' || strcmp(choice, "builtin") == 0)
        seccomp = oci_seccomp_default(capabilities);
    else if (oci_seccomp(choice, capabilities, &seccomp, err) < 0)
        return -1;
    json_set(linux_json, "seccomp", seccomp);
    return 0;
}

static const char *seccomp_choice(const json_t *host)
{
    const char *choice = json_is_true(json_object_get(host, "Privileged")) ? "unconfined" : "";
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(host, "SecurityOpt"), i, item)
    {
        const char *option = json_string_value(item);
        if (strncmp(option, "seccomp", 7) == 0 && (option[7] == '=' || option[7] == ':'))
            choice = option + 8;
    }
    return choice;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value != NULL ? value : "";
}
