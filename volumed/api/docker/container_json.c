/* SPDX-License-Identifier: Apache-2.0 */
/* A container in Docker's words: its state, the line that ps shows, its networks and ports. */
#include "api/docker/container_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

static const char *health_status(const struct container *container);
static char *status_running(struct arena *mem, const struct container *container, const char *ago);
static json_t *command_json(struct arena *mem, const struct container *container);
static json_t *labels_json(const struct container *container);
static json_t *endpoint_json(void);
static json_t *ports_json(const struct container *container);
static json_t *port_json(const char *exposed);
static json_t *summary_host_config_json(const struct container *container);

const char *docker_container_state(const struct container *container)
{
    if (strcmp(container->state, "starting") != 0)
        return container->state;
    return container->finished_ns != 0 ? "exited" : "created"; /* Docker has no word for between */
}

char *docker_container_status(struct arena *mem, const struct container *container, int64_t now_ms)
{
    const char *state = docker_container_state(container);
    bool is_up = strcmp(state, "running") == 0 || strcmp(state, "paused") == 0;
    int64_t since_ns = is_up ? container->started_ns : container->finished_ns;
    char ago[UNITS_TEXT_SIZE];

    units_format_ago(now_ms - since_ns / 1000000, ago);
    if (is_up)
        return status_running(mem, container, ago);
    if (strcmp(state, "restarting") == 0)
        return arena_printf(mem, "Restarting (%d) %s ago", container->exit_code, ago);
    if (strcmp(state, "exited") == 0)
        return arena_printf(mem, "Exited (%d) %s ago", container->exit_code, ago);
    if (strcmp(state, "removing") == 0)
        return arena_strdup(mem, "Removal In Progress");
    return arena_strdup(mem, strcmp(state, "dead") == 0 ? "Dead" : "Created");
}

json_t *docker_health_json(const struct container *container)
{
    if (container->health == NULL || *container->health == '\0')
        return NULL;
    return json_loads(container->health, 0, NULL);
}

json_t *docker_networks_json(const struct container *container)
{
    const char *mode = json_string_value(json_member(container->host_config, "NetworkMode"));
    bool is_host = mode != NULL && strcmp(mode, "host") == 0;
    json_t *networks = json_object();

    json_set(networks, is_host ? "host" : "none", endpoint_json());
    return networks;
}

int docker_container_summary_json(struct task *task, const struct container *container,
                                  bool has_size, json_t **json, struct error *err)
{
    cleanup_json json_t *row = json_object();
    json_t *settings = json_object();

    json_set(settings, "Networks", docker_networks_json(container));
    json_set(row, "Id", json_text(container->id));
    json_set(row, "Names",
             json_pack("[o]", json_text(arena_printf(task->mem, "/%s", container->name))));
    json_set(row, "Image", json_text(container->image_name));
    json_set(row, "ImageID", json_text(container->image_id));
    json_set(row, "Command", command_json(task->mem, container));
    json_set(row, "Created", json_integer(container->created_ns / 1000000000));
    json_set(row, "Ports", ports_json(container));
    json_set(row, "Labels", labels_json(container));
    json_set(row, "State", json_text(docker_container_state(container)));
    json_set(row, "Status",
             json_text(docker_container_status(task->mem, container, clock_now_ms())));
    json_set(row, "HostConfig", summary_host_config_json(container));
    json_set(row, "NetworkSettings", settings);
    json_set(row, "Mounts", container_mounts_json(task, container));
    if (has_size && docker_container_add_sizes(task, container, row, err) < 0)
        return -1;
    *json = json_incref(row);
    return 0;
}

int docker_container_add_sizes(struct task *task, const struct container *container, json_t *json,
                               struct error *err)
{
    int64_t writable_bytes;
    int64_t root_bytes;

    if (container_sizes(task, container, &writable_bytes, &root_bytes, err) < 0)
        return -1;
    json_set(json, "SizeRw", json_integer(writable_bytes));
    json_set(json, "SizeRootFs", json_integer(root_bytes));
    return 0;
}

static char *status_running(struct arena *mem, const struct container *container, const char *ago)
{
    const char *health = health_status(container);

    if (strcmp(container->state, "paused") == 0)
        return arena_printf(mem, "Up %s (Paused)", ago);
    if (health == NULL)
        return arena_printf(mem, "Up %s", ago);
    return arena_printf(mem, strcmp(health, "starting") == 0 ? "Up %s (health: %s)" : "Up %s (%s)",
                        ago, arena_strdup(mem, health));
}

/* NULL where there is no healthcheck. */
static const char *health_status(const struct container *container)
{
    static const char *const known[] = { "starting", "healthy", "unhealthy" };
    cleanup_json json_t *health = docker_health_json(container);
    const char *status = json_string_value(json_member(health, "Status"));

    for (size_t i = 0; status != NULL && i < ARRAY_SIZE(known); i++)
        if (strcmp(known[i], status) == 0)
            return known[i];
    return NULL;
}

/* Arguments with a space are put in quotes, as dockerd does; the result is for people only. */
static json_t *command_json(struct arena *mem, const struct container *container)
{
    const char *command = container->path;

    for (size_t i = 0; container->args != NULL && container->args[i] != NULL; i++) {
        const char *arg = container->args[i];
        const char *quote = strchr(arg, ' ') != NULL ? "'" : "";
        command = arena_printf(mem, "%s %s%s%s", command, quote, arg, quote);
    }
    return json_text_or_empty(command);
}

static json_t *labels_json(const struct container *container)
{
    json_t *labels = json_member(container->config, "Labels");

    return labels != NULL ? json_incref(labels) : json_object();
}

static json_t *endpoint_json(void)
{
    static const char *const texts[] = { "MacAddress", "NetworkID",   "EndpointID",       "Gateway",
                                         "IPAddress",  "IPv6Gateway", "GlobalIPv6Address" };
    static const char *const nulls[] = { "IPAMConfig", "Links", "Aliases", "DriverOpts",
                                         "DNSNames" };
    json_t *endpoint = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
        json_set(endpoint, nulls[i], json_null());
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        json_set(endpoint, texts[i], json_string(""));
    json_set(endpoint, "IPPrefixLen", json_integer(0));
    json_set(endpoint, "GlobalIPv6PrefixLen", json_integer(0));
    return endpoint;
}

static json_t *ports_json(const struct container *container)
{
    json_t *exposed = json_member(container->config, "ExposedPorts");
    json_t *ports = json_array();
    const char *key;
    json_t *unused;

    json_object_foreach(exposed, key, unused)
    {
        json_add(ports, port_json(key));
    }
    return ports;
}

/* "80/tcp" */
static json_t *port_json(const char *exposed)
{
    const char *slash = strchr(exposed, '/');
    json_t *port = json_object();

    json_set(port, "PrivatePort", json_integer(strtol(exposed, NULL, 10)));
    json_set(port, "Type", json_text(slash != NULL ? slash + 1 : "tcp"));
    return port;
}

static json_t *summary_host_config_json(const struct container *container)
{
    json_t *host_config = json_object();

    json_set(host_config, "NetworkMode",
             json_incref(json_object_get(container->host_config, "NetworkMode")));
    return host_config;
}
