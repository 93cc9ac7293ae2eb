/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of one container: inspect, top, diff.  Clients take every member for granted. */
#include <string.h>

#include "api/docker/container_json.h"
#include "api/docker/handlers.h"
#include "api/docker/query.h"

static int inspect_json(struct call *call, const struct container *container, json_t **json,
                        struct error *err);
static json_t *state_json(const struct container *container);
static void add_files(struct task *task, const struct container *container, json_t *json);
static json_t *network_settings_json(const struct container *container);
static json_t *port_map_json(const struct container *container);
static json_t *borrowed(json_t *json);

int docker_container_inspect(struct call *call, struct error *err)
{
    cleanup_container struct container container = { 0 };
    json_t *json;

    if (container_get(call->task, call->args[0], &container, err) < 0 ||
        inspect_json(call, &container, &json, err) < 0)
        return -1;
    return call_reply_json(call, 200, json, err);
}

int docker_container_top(struct call *call, struct error *err)
{
    const char *ps_args = query_text(call, "ps_args");
    json_t *top;

    if (container_top(call->task, call->args[0], ps_args != NULL ? ps_args : "-ef", &top, err) < 0)
        return -1;
    return call_reply_json(call, 200, top, err);
}

int docker_container_changes(struct call *call, struct error *err)
{
    json_t *changes;

    if (container_changes(call->task, call->args[0], &changes, err) < 0)
        return -1;
    return call_reply_json(call, 200, changes, err);
}

static int inspect_json(struct call *call, const struct container *container, json_t **json,
                        struct error *err)
{
    struct task *task = call->task;
    cleanup_json json_t *body = json_object();

    json_set(body, "Id", json_text(container->id));
    json_set(body, "Created", json_time_ns(container->created_ns));
    json_set(body, "Path", json_text_or_empty(container->path));
    json_set(body, "Args", json_list(container->args));
    json_set(body, "State", state_json(container));
    json_set(body, "Image", json_text(container->image_id));
    add_files(task, container, body);
    json_set(body, "Name", json_text(arena_printf(task->mem, "/%s", container->name)));
    json_set(body, "RestartCount", json_integer(container->restart_count));
    json_set(body, "Driver", json_string("overlay"));
    json_set(body, "Platform", json_string("linux"));
    json_set(body, "MountLabel", json_string(""));
    json_set(body, "ProcessLabel", json_string(""));
    json_set(body, "AppArmorProfile", json_string(""));
    json_set(body, "ExecIDs", json_null());
    json_set(body, "HostConfig", borrowed(container->host_config));
    json_set(body, "GraphDriver", json_pack("{s:s,s:n}", "Name", "overlay", "Data"));
    json_set(body, "Mounts", container_mounts_json(task, container));
    json_set(body, "Config", borrowed(container->config));
    json_set(body, "NetworkSettings", network_settings_json(container));
    if (query_flag(call, "size") && docker_container_add_sizes(task, container, body, err) < 0)
        return -1;
    *json = json_incref(body);
    return 0;
}

static json_t *state_json(const struct container *container)
{
    const char *status = docker_container_state(container);
    bool is_paused = strcmp(status, "paused") == 0;
    bool is_restarting = strcmp(status, "restarting") == 0;
    json_t *health = docker_health_json(container);
    json_t *state = json_object();

    json_set(state, "Status", json_text(status));
    json_set(state, "Running",
             json_boolean(strcmp(status, "running") == 0 || is_paused || is_restarting));
    json_set(state, "Paused", json_boolean(is_paused));
    json_set(state, "Restarting", json_boolean(is_restarting));
    json_set(state, "OOMKilled", json_boolean(container->is_oom_killed));
    json_set(state, "Dead", json_boolean(strcmp(status, "dead") == 0));
    json_set(state, "Pid", json_integer(container->pid));
    json_set(state, "ExitCode", json_integer(container->exit_code));
    json_set(state, "Error", json_text_or_empty(container->error));
    json_set(state, "StartedAt", json_time_ns(container->started_ns));
    json_set(state, "FinishedAt", json_time_ns(container->finished_ns));
    if (health != NULL)
        json_set(state, "Health", health);
    return state;
}

/* Files that others may want to know of; "" where there is none. */
static void add_files(struct task *task, const struct container *container, json_t *json)
{
    json_set(json, "ResolvConfPath", json_string(""));
    json_set(json, "HostnamePath", json_string(""));
    json_set(json, "HostsPath", json_string(""));
    json_set(json, "LogPath", json_text_or_empty(container_log_path(task, container->id)));
}

static json_t *network_settings_json(const struct container *container)
{
    static const char *const texts[] = {
        "Bridge",      "SandboxID", "LinkLocalIPv6Address", "SandboxKey",
        "EndpointID",  "Gateway",   "GlobalIPv6Address",    "IPAddress",
        "IPv6Gateway", "MacAddress"
    };
    static const char *const numbers[] = { "LinkLocalIPv6PrefixLen", "GlobalIPv6PrefixLen",
                                           "IPPrefixLen" };
    json_t *settings = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        json_set(settings, texts[i], json_string(""));
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        json_set(settings, numbers[i], json_integer(0));
    json_set(settings, "HairpinMode", json_false());
    json_set(settings, "SecondaryIPAddresses", json_null());
    json_set(settings, "SecondaryIPv6Addresses", json_null());
    json_set(settings, "Ports", port_map_json(container));
    json_set(settings, "Networks", docker_networks_json(container));
    return settings;
}

/* Exposed ports, none of which is published. */
static json_t *port_map_json(const struct container *container)
{
    json_t *map = json_object();
    const char *port;
    json_t *unused;

    json_object_foreach(json_member(container->config, "ExposedPorts"), port, unused)
    {
        json_set(map, port, json_null());
    }
    return map;
}

/* A reference of our own to what the container holds. */
static json_t *borrowed(json_t *json)
{
    return json != NULL ? json_incref(json) : json_object();
}
