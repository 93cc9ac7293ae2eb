/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's event filters as dockerd applies them, and Docker's event message. */
#include "api/docker/event_filter.h"

#include <string.h>

static bool object_is_wanted(const struct event *event, const struct filter *filter,
                             const char *type);
static bool image_is_wanted(const struct event *event, const struct filter *filter);
static bool action_is_wanted(const struct event *event, const struct filter *filter);
static bool name_matches(const struct filter *filter, const char *key, const char *name);
static void add_legacy(json_t *json, const struct event *event);

/* Those of Docker's types that we never have (network, node …) are known all the same. */
const char *const event_filters[] = { "config", "container", "daemon", "event",  "image",
                                      "label",  "network",   "node",   "plugin", "scope",
                                      "secret", "service",   "type",   "volume", "snapshot",
                                      "pool",   NULL };

bool event_is_wanted(const struct event *event, const struct filter *filter)
{
    static const char *const types[] = { "config", "container", "daemon", "network",
                                         "node",   "plugin",    "secret", "service",
                                         "volume", "snapshot",  "pool" };

    if (strcmp(event->type, "operation") == 0) /* our own bookkeeping, told by our own API */
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (!object_is_wanted(event, filter, types[i]))
            return false;
    return action_is_wanted(event, filter) && filter_match(filter, "type", event->type) &&
           filter_match(filter, "scope", "local") && image_is_wanted(event, filter) &&
           filter_match_labels(filter, &event->attributes);
}

json_t *docker_event_json(const struct event *event)
{
    json_t *actor = json_object();
    json_t *json = json_object();

    add_legacy(json, event);
    json_set(actor, "ID", json_text(event->object_id));
    json_set(actor, "Attributes", pairs_to_json(&event->attributes));
    json_set(json, "Type", json_text(event->type));
    json_set(json, "Action", json_text(event->action));
    json_set(json, "Actor", actor);
    json_set(json, "scope", json_string("local"));
    json_set(json, "time", json_integer(event->time_ns / 1000000000));
    json_set(json, "timeNano", json_integer(event->time_ns));
    return json;
}

/* By the beginning of the object's id or name, whatever its type: dockerd does not ask either. */
static bool object_is_wanted(const struct event *event, const struct filter *filter,
                             const char *type)
{
    const char *name = pairs_get(&event->attributes, "name");

    return filter_match_prefix(filter, type, event->object_id) ||
           (name != NULL && filter_match_prefix(filter, type, name));
}

static bool image_is_wanted(const struct event *event, const struct filter *filter)
{
    bool is_image = strcmp(event->type, "image") == 0;

    return name_matches(filter, "image", event->object_id) ||
           name_matches(filter, "image",
                        pairs_get(&event->attributes, is_image ? "name" : "image"));
}

/* exec_* and health_status carry what was run or found behind a colon. */
static bool action_is_wanted(const struct event *event, const struct filter *filter)
{
    if (strncmp(event->action, "exec_", 5) == 0 || strncmp(event->action, "health_status", 13) == 0)
        return filter_match_prefix(filter, "event", event->action);
    return filter_match(filter, "event", event->action);
}

/* With its tag or without. */
static bool name_matches(const struct filter *filter, const char *key, const char *name)
{
    char bare[512];

    if (name == NULL)
        return !filter_has(filter, key);
    if (filter_match(filter, key, name))
        return true;
    const char *slash = strrchr(name, '/');
    const char *colon = strchr(slash != NULL ? slash : name, ':');
    if (colon == NULL || (size_t)(colon - name) >= sizeof(bare))
        return false;
    memcpy(bare, name, (size_t)(colon - name));
    bare[colon - name] = '\0';
    return filter_match(filter, key, bare);
}

/* What Docker's messages were before they had a Type; clients still read it. */
static void add_legacy(json_t *json, const struct event *event)
{
    const char *image = pairs_get(&event->attributes, "image");
    bool is_container = strcmp(event->type, "container") == 0;

    if (!is_container && strcmp(event->type, "image") != 0)
        return;
    json_set(json, "status", json_text(event->action));
    json_set(json, "id", json_text(event->object_id));
    if (is_container && image != NULL)
        json_set(json, "from", json_text(image));
}
