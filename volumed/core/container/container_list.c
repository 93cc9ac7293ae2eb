/* SPDX-License-Identifier: Apache-2.0 */
/* Listing containers with Docker's filters. */
#include <regex.h>
#include <string.h>

#include "base/units.h"
#include "core/attachment/attachment.h"
#include "core/box/health.h"
#include "core/container/container.h"
#include "core/image/image.h"
#include "model/name.h"
#include "store/container.h"

/* What the filters compare with, looked up once a list. */
struct criteria {
    const struct container_list_spec *spec;
    int64_t before_ns; /* 0: not asked */
    int64_t since_ns;
    const char *const *ancestors; /* image ids, NULL-terminated; NULL: not asked */
};

const char *const container_filters[] = {
    "id",     "name",   "label", "label!",  "status",  "ancestor", "volume", "exited",
    "health", "before", "since", "network", "is-task", "publish",  "expose", NULL,
};

static const char *const states[] = { "created",  "running", "paused", "restarting",
                                      "removing", "exited",  "dead",   NULL };
static const char *const healths[] = { "none", "starting", "healthy", "unhealthy", NULL };

static int criteria_fill(struct task *task, const struct container_list_spec *spec,
                         struct criteria *criteria, struct error *err);
static int check_values(const struct filter *filter, const char *key, const char *const *known,
                        struct error *err);
static int find_time(struct task *task, const char *ref, int64_t *time_ns, struct error *err);
static void find_ancestors(struct task *task, const struct filter *filter, const char *const **ids);
static bool matches(struct task *task, const struct criteria *criteria,
                    const struct container *container);
static bool matches_name(const struct filter *filter, const char *name);
static bool matches_pattern(const char *pattern, const char *name);
static bool matches_exit(const struct filter *filter, const struct container *container);
static bool matches_health(struct task *task, const struct filter *filter,
                           const struct container *container);
static bool matches_ancestor(const struct criteria *criteria, const struct container *container);
static bool matches_volume(const struct filter *filter, const struct container *container);
static bool matches_network(const struct filter *filter, const struct container *container);

int container_list(struct task *task, const struct container_list_spec *spec,
                   struct container **list, struct error *err)
{
    bool is_all = spec->is_all || spec->limit > 0 || filter_has(&spec->filter, "status") ||
                  filter_has(&spec->filter, "exited");
    struct criteria criteria = { .spec = spec };
    struct container *all = NULL;
    int kept = 0;

    if (criteria_fill(task, spec, &criteria, err) < 0)
        return -1;
    int count = store_container_list(task->db, task->mem, !is_all, &all, err);
    for (int i = 0; i < count; i++) {
        struct container *container = &all[i];
        bool is_wanted = (spec->limit <= 0 || kept < spec->limit) &&
                         attachment_list(task, container->id, &container->attachments,
                                         &container->attachment_count, err) == 0;
        if (is_wanted)
            health_read(task, container->id, &container->health);
        if (is_wanted && matches(task, &criteria, container))
            all[kept++] = *container;
        else
            container_done(container);
    }
    if (count >= 0)
        *list = all;
    return count < 0 ? -1 : kept;
}

static int criteria_fill(struct task *task, const struct container_list_spec *spec,
                         struct criteria *criteria, struct error *err)
{
    const struct filter *filter = &spec->filter;
    const char *before = filter_get(filter, "before");
    const char *since = filter_get(filter, "since");

    if (check_values(filter, "status", states, err) < 0 ||
        check_values(filter, "health", healths, err) < 0)
        return -1;
    if (before != NULL && find_time(task, before, &criteria->before_ns, err) < 0)
        return -1;
    if (since != NULL && find_time(task, since, &criteria->since_ns, err) < 0)
        return -1;
    if (filter_has(filter, "ancestor"))
        find_ancestors(task, filter, &criteria->ancestors);
    return 0;
}

static int check_values(const struct filter *filter, const char *key, const char *const *known,
                        struct error *err)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct filter_term *term = &filter->terms[i];
        bool is_known = strcmp(term->key, key) != 0;
        for (size_t k = 0; !is_known && known[k] != NULL; k++)
            is_known = strcmp(term->value, known[k]) == 0;
        if (!is_known)
            return fail(err, ERR_INVALID, "invalid filter '%s=%s'", key, term->value);
    }
    return 0;
}

static int find_time(struct task *task, const char *ref, int64_t *time_ns, struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    *time_ns = container.created_ns;
    return 0;
}

/* An image that is not there is nobody's ancestor. */
static void find_ancestors(struct task *task, const struct filter *filter, const char *const **ids)
{
    const char **found = arena_array(task->mem, filter->count + 1, sizeof(*found));
    size_t count = 0;

    for (size_t i = 0; i < filter->count; i++) {
        struct image image = { 0 };
        struct error ignored;
        if (strcmp(filter->terms[i].key, "ancestor") == 0 &&
            image_get(task, filter->terms[i].value, &image, &ignored) == 0)
            found[count++] = image.id;
    }
    *ids = found;
}

static bool matches(struct task *task, const struct criteria *criteria,
                    const struct container *container)
{
    const struct filter *filter = &criteria->spec->filter;
    struct pairs labels = { 0 };
    struct error ignored; /* labels were checked when the container was made */

    if (pairs_from_json(&labels, task->mem, json_object_get(container->config, "Labels"),
                        &ignored) < 0)
        return false;
    return !container->is_retired && /* those are told by `volctl container history` */
           (criteria->before_ns == 0 || container->created_ns < criteria->before_ns) &&
           (criteria->since_ns == 0 || container->created_ns > criteria->since_ns) &&
           filter_match_prefix(filter, "id", container->id) &&
           filter_match(filter, "status", container->state) &&
           filter_match_labels(filter, &labels) && matches_name(filter, container->name) &&
           matches_exit(filter, container) && matches_health(task, filter, container) &&
           matches_ancestor(criteria, container) && matches_volume(filter, container) &&
           matches_network(filter, container);
}

/* Docker takes names as regular expressions, with and without the slash before the name. */
static bool matches_name(const struct filter *filter, const char *name)
{
    bool is_asked = false;

    for (size_t i = 0; i < filter->count; i++) {
        if (strcmp(filter->terms[i].key, "name") != 0)
            continue;
        is_asked = true;
        if (matches_pattern(filter->terms[i].value, name))
            return true;
    }
    return !is_asked;
}

static bool matches_pattern(const char *pattern, const char *name)
{
    char slashed[NAME_LENGTH_MAX + 2];
    regex_t regex;

    if (strlen(name) > NAME_LENGTH_MAX)
        return false;
    slashed[0] = '/';
    memcpy(slashed + 1, name, strlen(name) + 1);
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return strcmp(pattern, name) == 0;
    bool is_match =
        regexec(&regex, name, 0, NULL, 0) == 0 || regexec(&regex, slashed, 0, NULL, 0) == 0;
    regfree(&regex);
    return is_match;
}

static bool matches_exit(const struct filter *filter, const struct container *container)
{
    for (size_t i = 0; i < filter->count; i++) {
        int64_t code;
        if (strcmp(filter->terms[i].key, "exited") != 0)
            continue;
        return strcmp(container->state, "exited") == 0 &&
               units_parse_int(filter->terms[i].value, &code) == 0 && code == container->exit_code;
    }
    return true;
}

static bool matches_health(struct task *task, const struct filter *filter,
                           const struct container *container)
{
    const char *status = "none";
    struct error ignored; /* we wrote it */

    if (!filter_has(filter, "health"))
        return true;
    if (container->health[0] != '\0') {
        cleanup_json json_t *health =
            json_read(container->health, strlen(container->health), &ignored);
        if (json_get_text(health, "Status", task->mem, &status, &ignored) < 0)
            return false;
    }
    return filter_match(filter, "health", status);
}

static bool matches_ancestor(const struct criteria *criteria, const struct container *container)
{
    if (criteria->ancestors == NULL)
        return true;
    for (size_t i = 0; criteria->ancestors[i] != NULL; i++)
        if (strcmp(criteria->ancestors[i], container->image_id) == 0)
            return true;
    return false;
}

/* A volume's name, or a place where something is mounted. */
static bool matches_volume(const struct filter *filter, const struct container *container)
{
    size_t i;
    json_t *mount;

    if (!filter_has(filter, "volume"))
        return true;
    for (size_t k = 0; k < container->attachment_count; k++)
        if (filter_match(filter, "volume", container->attachments[k].volume_name) ||
            filter_match(filter, "volume", container->attachments[k].destination))
            return true;
    json_array_foreach(container->mounts, i, mount)
    {
        if (filter_match(filter, "volume",
                         json_string_value(json_object_get(mount, "Destination"))))
            return true;
    }
    return false;
}

static bool matches_network(const struct filter *filter, const struct container *container)
{
    const char *mode = json_string_value(json_object_get(container->host_config, "NetworkMode"));

    if (strcmp(mode, "default") == 0)
        return filter_match(filter, "network", "default") ||
               filter_match(filter, "network", "bridge");
    return filter_match(filter, "network", mode);
}
