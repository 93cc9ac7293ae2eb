/* SPDX-License-Identifier: Apache-2.0 */
/* What a client sends to create a container: Config and HostConfig, in one document as Docker's. */
#include "core/container/container_config.h"
#include "core/container/container_host.h"
#include "core/container/container_mount.h"
#include "fuzz/fuzz.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void read_mounts(struct arena *mem, const json_t *host);

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    struct host_warnings warnings = { 0 };
    struct error err = { 0 };
    const char *path = NULL;
    const char *const *args = NULL;
    cleanup_json json_t *body = json_read((const char *)data, size, &err);

    if (!json_is_object(body))
        return 0;
    cleanup_json json_t *config = config_complete(body, NULL, "image", ID, &err);
    if (config != NULL)
        (void)config_command(config, mem, &path, &args, &err);
    cleanup_json json_t *host =
        host_config_complete(json_member(body, "HostConfig"), mem, &warnings, &err);
    if (host != NULL)
        read_mounts(mem, host);
    return 0;
}

static void read_mounts(struct arena *mem, const json_t *host)
{
    size_t index;
    json_t *mount;

    json_array_foreach(json_object_get(host, "Mounts"), index, mount)
    {
        struct attachment attachment = { 0 };
        json_t *other = NULL;
        struct error err;
        (void)mount_spec_parse(mem, mount, &attachment, &other, &err);
        json_decref(other);
    }
}
