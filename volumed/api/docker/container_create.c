/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /containers/create and /update: Docker's bodies taken apart into core's specs.  Checking and
 * completing them is core/container's.
 */
#include <string.h>

#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "core/container/container.h"
#include "core/image/image.h"

static int check_platform(const struct call *call, const char *image_name, struct error *err);
static int image_platform(struct arena *mem, const struct image *image, const char **platform,
                          struct error *err);
static bool platform_fits(const char *wanted, const char *actual);
static const char *wanted_name(const struct call *call);
static json_t *created_json(const char *id, const char *const *warnings);

int docker_container_create(struct call *call, struct error *err)
{
    cleanup_json json_t *body = call_body_json(call, false, err);
    struct container_spec spec = { .name = wanted_name(call), .config = body, .may_carry = true };
    const char *const *warnings = NULL;
    const char *id;

    if (body == NULL || json_get_text(body, "Image", call->task->mem, &spec.image, err) < 0 ||
        check_platform(call, spec.image, err) < 0)
        return -1;
    spec.host_config = json_member(body, "HostConfig");
    spec.networking = json_member(json_member(body, "NetworkingConfig"), "EndpointsConfig");
    if (container_create(call->task, &spec, &id, &warnings, err) < 0)
        return -1;
    return call_reply_json(call, 201, created_json(id, warnings), err);
}

int docker_container_update(struct call *call, struct error *err)
{
    cleanup_json json_t *body = call_body_json(call, false, err);

    if (body == NULL || container_update(call->task, call->args[0], body, err) < 0)
        return -1;
    return call_reply_json(call, 200, json_pack("{s:n}", "Warnings"), err);
}

/* NOT_FOUND makes clients look for another image. */
static int check_platform(const struct call *call, const char *image_name, struct error *err)
{
    const char *wanted = query_text(call, "platform");
    const char *actual;
    struct image image;

    if (wanted == NULL || image_name == NULL)
        return 0;
    if (image_get(call->task, image_name, &image, err) < 0 ||
        image_platform(call->task->mem, &image, &actual, err) < 0)
        return -1;
    if (platform_fits(wanted, actual))
        return 0;
    return fail(err, ERR_NOT_FOUND,
                "image with reference %s was found but does not match the specified platform: "
                "wanted %s, actual: %s",
                image_name, wanted, actual);
}

/* "linux/amd64" */
static int image_platform(struct arena *mem, const struct image *image, const char **platform,
                          struct error *err)
{
    cleanup_json json_t *config = json_loads(image->config, 0, NULL);
    const char *architecture = "amd64";
    const char *os = "linux";

    if (json_get_text(config, "os", mem, &os, err) < 0 ||
        json_get_text(config, "architecture", mem, &architecture, err) < 0)
        return -1;
    *platform = arena_printf(mem, "%s/%s", os, architecture);
    return 0;
}

/* Wanted is "os", "architecture", "os/architecture" or that with a variant. */
static bool platform_fits(const char *wanted, const char *actual)
{
    const char *architecture = strchr(actual, '/') + 1;
    size_t length = strlen(actual);

    if (strchr(wanted, '/') == NULL)
        return strcmp(wanted, architecture) == 0 ||
               (strncmp(actual, wanted, strlen(wanted)) == 0 && actual[strlen(wanted)] == '/');
    return strncmp(wanted, actual, length) == 0 &&
           (wanted[length] == '\0' || wanted[length] == '/');
}

/* Clients may write the name with the slash that inspect shows. */
static const char *wanted_name(const struct call *call)
{
    const char *name = query_text(call, "name");

    return name != NULL && *name == '/' ? name + 1 : name;
}

static json_t *created_json(const char *id, const char *const *warnings)
{
    json_t *created = json_object();

    json_set(created, "Id", json_text(id));
    json_set(created, "Warnings", json_list(warnings));
    return created;
}
