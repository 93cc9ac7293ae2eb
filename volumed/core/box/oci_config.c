/* SPDX-License-Identifier: Apache-2.0 */
/* The top of config.json, and the annotations by which we speak with our own runner. */
#include <string.h>

#include "core/box/oci.h"

static json_t *annotations(struct task *task, const struct oci_input *input);
static json_t *rootfs_json(struct task *task, const struct oci_input *input);
static const char *log_type(const json_t *host);

json_t *oci_config(struct task *task, const struct oci_input *input, struct error *err)
{
    const struct container *container = input->container;
    const json_t *host = container->host_config;
    struct oci_process_input process_input = {
        .container = container,
        .user = input->user,
        .has_init = input->init_path != NULL,
    };
    cleanup_json json_t *config = json_object();
    json_t *process;

    if (oci_process(task, &process_input, &process, err) < 0)
        return NULL;
    json_set(config, "ociVersion", json_string("1.2.0"));
    json_set(config, "process", process);
    json_set(config, "root",
             json_pack("{ss sb}", "path", "rootfs", "readonly",
                       json_is_true(json_object_get(host, "ReadonlyRootfs"))));
    if (strcmp(json_string_value(json_object_get(host, "UTSMode")), "host") != 0) {
        json_object_set(config, "hostname", json_object_get(container->config, "Hostname"));
        json_t *domain = json_object_get(container->config, "Domainname");
        if (json_string_length(domain) > 0)
            json_object_set(config, "domainname", domain);
    }
    json_t *mounts = oci_mounts(task, input, err);
    json_t *linux_json = mounts == NULL ? NULL : oci_linux(task, input, err);
    json_set(config, "mounts", mounts);
    if (linux_json == NULL)
        return NULL;
    json_set(config, "linux", linux_json);
    json_set(config, "annotations", annotations(task, input));
    return json_incref(config);
}

static json_t *annotations(struct task *task, const struct oci_input *input)
{
    const json_t *config = input->container->config;
    const json_t *host = input->container->host_config;
    json_t *given = json_object_get(host, "Annotations");
    json_t *made = json_is_object(given) ? json_deep_copy(given) : json_object();
    cleanup_json json_t *rootfs = rootfs_json(task, input);
    bool has_stdin = json_is_true(json_object_get(config, "OpenStdin"));
    bool is_once = json_is_true(json_object_get(config, "StdinOnce"));

    json_set(made, "org.volumed.stdin", json_string(has_stdin ? "true" : "false"));
    json_set(made, "org.volumed.stdin-once", json_string(is_once ? "true" : "false"));
    json_set(made, "org.volumed.log", json_string(log_type(host)));
    json_set(made, "org.volumed.rootfs", json_text(json_write(task->mem, rootfs)));
    return made;
}

static json_t *rootfs_json(struct task *task, const struct oci_input *input)
{
    return json_pack("{so ss ss}", "layers", json_list(input->layers), "upper",
                     arena_printf(task->mem, "%s/upper", input->box_path), "work",
                     arena_printf(task->mem, "%s/work", input->box_path));
}

/* "local" is kept in the one format that we have. */
static const char *log_type(const json_t *host)
{
    const char *type =
        json_string_value(json_object_get(json_object_get(host, "LogConfig"), "Type"));

    return type != NULL && strcmp(type, "none") == 0 ? "none" : "json-file";
}
