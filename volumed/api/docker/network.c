/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks as far as there are any: "none" (a private network namespace with only loopback, also
 * what a container gets by default) and "host".  Both are fixed; making others is refused.
 */
#include <string.h>
#include <strings.h>

#include "api/docker/handlers.h"
#include "api/docker/query.h"

struct network {
    const char *id;
    const char *name;
    const char *driver;
};

static const struct network networks[] = {
    { "6e6f6e6500000000000000000000000000000000000000000000000000000000", "none", "null" },
    { "686f737400000000000000000000000000000000000000000000000000000000", "host", "host" },
};

static const struct network *network_find(const char *ref);
static bool network_matches(const struct network *network, const struct filter *filter);
static json_t *network_json(const struct network *network);
static int network_absent(struct call *call, struct error *err);

int docker_network_list(struct call *call, struct error *err)
{
    static const char *const known[] = { "dangling", "driver", "id",   "label",
                                         "name",     "scope",  "type", NULL };
    struct filter filter = { 0 };

    if (query_filter(call, call->task->mem, known, &filter, err) < 0)
        return -1;
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(networks); i++)
        if (network_matches(&networks[i], &filter))
            json_add(list, network_json(&networks[i]));
    return call_reply_json(call, 200, list, err);
}

int docker_network_inspect(struct call *call, struct error *err)
{
    const struct network *network = network_find(call->args[0]);

    if (network == NULL)
        return network_absent(call, err);
    return call_reply_json(call, 200, network_json(network), err);
}

int docker_network_create(struct call *call, struct error *err)
{
    (void)call;
    return fail(err, ERR_UNSUPPORTED,
                "volumed has no networks of its own yet: only 'none' and 'host' exist");
}

int docker_network_remove(struct call *call, struct error *err)
{
    const struct network *network = network_find(call->args[0]);

    if (network == NULL)
        return network_absent(call, err);
    return fail(err, ERR_DENIED, "%s is a pre-defined network and cannot be removed",
                network->name);
}

int docker_network_connect(struct call *call, struct error *err)
{
    if (network_find(call->args[0]) == NULL)
        return network_absent(call, err);
    return fail(err, ERR_UNSUPPORTED, "a container's network cannot be changed");
}

int docker_network_prune(struct call *call, struct error *err)
{
    json_t *report = json_object();

    json_set(report, "NetworksDeleted", json_null());
    return call_reply_json(call, 200, report, err);
}

static const struct network *network_find(const char *ref)
{
    for (size_t i = 0; i < ARRAY_SIZE(networks); i++)
        if (strcmp(networks[i].name, ref) == 0 || strcmp(networks[i].id, ref) == 0 ||
            (strlen(ref) >= 8 && strncmp(networks[i].id, ref, strlen(ref)) == 0))
            return &networks[i];
    return NULL;
}

static bool network_matches(const struct network *network, const struct filter *filter)
{
    return filter_match_prefix(filter, "id", network->id) &&
           filter_match_part(filter, "name", network->name) &&
           filter_match(filter, "driver", network->driver) &&
           filter_match(filter, "scope", "local") && filter_match(filter, "type", "builtin") &&
           !filter_has(filter, "label") && !filter_has(filter, "dangling");
}

static json_t *network_json(const struct network *network)
{
    json_t *ipam = json_object();
    json_t *json = json_object();

    json_set(ipam, "Driver", json_string("default"));
    json_set(ipam, "Options", json_null());
    json_set(ipam, "Config", json_array());
    json_set(json, "Name", json_string(network->name));
    json_set(json, "Id", json_string(network->id));
    json_set(json, "Created", json_time_ns(0));
    json_set(json, "Scope", json_string("local"));
    json_set(json, "Driver", json_string(network->driver));
    json_set(json, "EnableIPv6", json_false());
    json_set(json, "IPAM", ipam);
    json_set(json, "Internal", json_false());
    json_set(json, "Attachable", json_false());
    json_set(json, "Ingress", json_false());
    json_set(json, "ConfigFrom", json_pack("{s:s}", "Network", ""));
    json_set(json, "ConfigOnly", json_false());
    json_set(json, "Containers", json_object());
    json_set(json, "Options", json_object());
    json_set(json, "Labels", json_object());
    return json;
}

static int network_absent(struct call *call, struct error *err)
{
    return fail(err, ERR_NOT_FOUND, "network %s not found", call->args[0]);
}
