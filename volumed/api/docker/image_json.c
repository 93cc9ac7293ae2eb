/* SPDX-License-Identifier: Apache-2.0 */
/* From an image's own config (the OCI image spec's) to Docker's shapes. */
#include "api/docker/image_json.h"

#include <string.h>

#include "base/clock.h"

static json_t *config_read(const struct image *image);
static json_t *labels_json(const json_t *config);
static json_t *created_json(const struct image *image, const json_t *config);
static json_t *root_json(const struct image *image);
static void add_texts(json_t *json, const json_t *config);
static json_t *run_config_json(const json_t *config, const char *name);

json_t *docker_image_summary_json(const struct image *image)
{
    cleanup_json json_t *config = config_read(image);
    json_t *json = json_object();

    json_set(json, "Id", json_text(image->id));
    json_set(json, "ParentId", json_text_or_empty(image->parent));
    json_set(json, "RepoTags", json_list(image->tags));
    json_set(json, "RepoDigests", json_array());
    json_set(json, "Created", json_integer(image->created_ms / 1000));
    json_set(json, "Size", json_integer(image->size_bytes));
    json_set(json, "VirtualSize", json_integer(image->size_bytes));
    json_set(json, "SharedSize", json_integer(-1));
    json_set(json, "Labels", labels_json(config));
    json_set(json, "Containers", json_integer(-1));
    return json;
}

int docker_image_json(const struct image *image, json_t **json, struct error *err)
{
    cleanup_json json_t *config = config_read(image);

    if (config == NULL)
        return fail(err, ERR_CORRUPT, "the config of image %s is not JSON", image->id);
    json_t *body = json_object();
    json_set(body, "Id", json_text(image->id));
    json_set(body, "RepoTags", json_list(image->tags));
    json_set(body, "RepoDigests", json_array());
    json_set(body, "Parent", json_text_or_empty(image->parent));
    json_set(body, "Created", created_json(image, config));
    json_set(body, "Container", json_string(""));
    json_set(body, "ContainerConfig", run_config_json(config, "container_config"));
    json_set(body, "Config", run_config_json(config, "config"));
    add_texts(body, config);
    json_set(body, "Size", json_integer(image->size_bytes));
    json_set(body, "VirtualSize", json_integer(image->size_bytes));
    json_set(body, "GraphDriver", json_pack("{s:s,s:n}", "Name", "overlay", "Data"));
    json_set(body, "RootFS", root_json(image));
    json_set(body, "Metadata", json_pack("{s:o}", "LastTagTime", json_time_ms(0)));
    *json = body;
    return 0;
}

/* NULL when it is not JSON. */
static json_t *config_read(const struct image *image)
{
    return image->config != NULL ? json_loads(image->config, 0, NULL) : NULL;
}

static json_t *labels_json(const json_t *config)
{
    json_t *labels = json_member(json_member(config, "config"), "Labels");

    return labels != NULL ? json_incref(labels) : json_null();
}

/* As the image says it, else as we know it. */
static json_t *created_json(const struct image *image, const json_t *config)
{
    json_t *created = json_member(config, "created");

    return json_is_string(created) ? json_incref(created) : json_time_ms(image->created_ms);
}

static json_t *root_json(const struct image *image)
{
    json_t *root = json_object();

    json_set(root, "Type", json_string("layers"));
    json_set(root, "Layers", json_list(image->diff_ids));
    return root;
}

static void add_texts(json_t *json, const json_t *config)
{
    static const char *const names[][2] = {
        { "Comment", "comment" }, { "DockerVersion", "docker_version" },
        { "Author", "author" },   { "Architecture", "architecture" },
        { "Os", "os" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        json_set(json, names[i][0],
                 json_text_or_empty(json_string_value(json_member(config, names[i][1]))));
}

/* A Config with every member that Docker shows: images leave out what is empty. */
static json_t *run_config_json(const json_t *config, const char *name)
{
    static const char *const texts[] = { "Hostname", "Domainname", "User", "Image", "WorkingDir" };
    static const char *const flags[] = { "AttachStdin", "AttachStdout", "AttachStderr",
                                         "Tty",         "OpenStdin",    "StdinOnce" };
    static const char *const lists[] = {
        "Env", "Cmd", "Volumes", "Entrypoint", "OnBuild", "Labels"
    };
    json_t *complete = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        json_set(complete, texts[i], json_string(""));
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        json_set(complete, flags[i], json_false());
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        json_set(complete, lists[i], json_null());
    (void)json_object_update(complete, json_member(config, name)); /* fails where there is none */
    return complete;
}
