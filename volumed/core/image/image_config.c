/* SPDX-License-Identifier: Apache-2.0 */
/* The members are those of the OCI image spec (config.md), which Docker's have the names of. */
#include "core/image/image_config.h"

#include <string.h>

#include "base/clock.h"
#include "transfer/digest.h"
#include "transfer/limits.h"

static json_t *read_text(const char *text, size_t size, struct error *err);
static int read_diff_ids(struct arena *mem, const json_t *config, struct image *image,
                         struct error *err);
static int64_t read_created_ms(struct arena *mem, const json_t *config);
static json_t *new_rootfs(const json_t *base, const char *diff_id);
static json_t *new_history(const struct image_config_spec *spec, const char *created);

int image_config_accept(struct arena *mem, const char *text, size_t size, struct image *image,
                        struct error *err)
{
    cleanup_json json_t *config = read_text(text, size, err);
    const char *os = "linux";

    if (config == NULL)
        return -1;
    if (json_get_text(config, "os", mem, &os, err) < 0 ||
        read_diff_ids(mem, config, image, err) < 0)
        return error_prefix(err, "invalid image config");
    if (*os != '\0' && strcmp(os, "linux") != 0)
        return fail(err, ERR_UNSUPPORTED, "cannot load %s image on linux", os);
    char *id = arena_alloc(mem, DIGEST_TEXT_SIZE);
    digest_bytes(text, size, id);
    image->id = id;
    image->config = arena_strndup(mem, text, size);
    image->created_ms = read_created_ms(mem, config);
    return 0;
}

int image_config_fill(struct arena *mem, struct image *image, struct error *err)
{
    cleanup_json json_t *config = image_config_read(image, err);

    return config == NULL ? -1 : read_diff_ids(mem, config, image, err);
}

json_t *image_config_read(const struct image *image, struct error *err)
{
    json_t *config = read_text(image->config, strlen(image->config), err);

    if (config == NULL) {
        err->code = ERR_CORRUPT;
        (void)error_prefix(err, "image '%s'", image->id); /* adds to the failure */
    }
    return config;
}

int image_config_labels(struct arena *mem, const struct image *image, struct pairs *labels,
                        struct error *err)
{
    cleanup_json json_t *config = image_config_read(image, err);

    if (config == NULL)
        return -1;
    return pairs_from_json(labels, mem, json_member(json_member(config, "config"), "Labels"), err);
}

int image_config_make(struct arena *mem, const struct image_config_spec *spec, struct image *image,
                      struct error *err)
{
    cleanup_json json_t *config = json_object();
    char created[CLOCK_TEXT_SIZE];

    clock_text_ns(clock_now_ns(), created);
    json_set(config, "architecture", json_string(image_architecture()));
    if (spec->author != NULL && *spec->author != '\0')
        json_set(config, "author", json_text(spec->author));
    if (spec->comment != NULL && *spec->comment != '\0')
        json_set(config, "comment", json_text(spec->comment));
    json_set(config, "config", json_deep_copy(spec->runtime));
    json_set(config, "created", json_string(created));
    json_set(config, "docker_version", json_string(VOLUMED_VERSION));
    json_set(config, "history", new_history(spec, created));
    json_set(config, "os", json_string("linux"));
    json_set(config, "rootfs", new_rootfs(spec->base, spec->diff_id));
    const char *text = json_write(mem, config);
    return image_config_accept(mem, text, strlen(text), image, err);
}

const char *image_architecture(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__riscv)
    return "riscv64";
#elif defined(__s390x__)
    return "s390x";
#elif defined(__powerpc64__)
    return "ppc64le";
#else
#error "which name do images have for this architecture?"
#endif
}

static json_t *read_text(const char *text, size_t size, struct error *err)
{
    json_t *config = json_read(text, size, err);

    if (json_is_object(config))
        return config;
    if (config != NULL)
        (void)fail(err, ERR_INVALID, "it is not an object");
    json_decref(config);
    (void)error_prefix(err, "invalid image config"); /* adds to the failure */
    return NULL;
}

static int read_diff_ids(struct arena *mem, const json_t *config, struct image *image,
                         struct error *err)
{
    const json_t *rootfs = json_member(config, "rootfs");
    const char *const *list = NULL;
    size_t count = 0;

    if (!json_is_object(rootfs))
        return fail(err, ERR_INVALID, "it has no rootfs");
    if (json_get_list(rootfs, "diff_ids", mem, &list, err) < 0)
        return -1;
    if (list == NULL)
        list = arena_alloc(mem, sizeof(*list));
    for (; list[count] != NULL; count++)
        if (!digest_is_valid(list[count]))
            return fail(err, ERR_INVALID, "diff_id '%.100s' is not a digest", list[count]);
    if (count > LIMIT_LAYERS)
        return fail(err, ERR_INVALID, "it has %zu layers, more than %d", count, LIMIT_LAYERS);
    image->diff_ids = list;
    return 0;
}

/* A time that makes no sense is none: images of old have such. */
static int64_t read_created_ms(struct arena *mem, const json_t *config)
{
    const char *created = "";
    struct error ignored;
    int64_t time_ns = 0;

    if (json_get_text(config, "created", mem, &created, &ignored) < 0 ||
        clock_parse_ns(created, &time_ns) < 0)
        return 0;
    return time_ns / 1000000;
}

static json_t *new_rootfs(const json_t *base, const char *diff_id)
{
    const json_t *below = json_member(json_member(base, "rootfs"), "diff_ids");
    json_t *diff_ids = json_is_array(below) ? json_deep_copy(below) : json_array();
    json_t *rootfs = json_object();

    (void)json_array_append_new(diff_ids, json_string(diff_id)); /* fails only for memory */
    json_set(rootfs, "type", json_string("layers"));
    json_set(rootfs, "diff_ids", diff_ids);
    return rootfs;
}

static json_t *new_history(const struct image_config_spec *spec, const char *created)
{
    const json_t *below = json_member(spec->base, "history");
    json_t *history = json_is_array(below) ? json_deep_copy(below) : json_array();
    json_t *entry = json_object();

    json_set(entry, "created", json_string(created));
    if (spec->author != NULL && *spec->author != '\0')
        json_set(entry, "author", json_text(spec->author));
    if (spec->created_by != NULL && *spec->created_by != '\0')
        json_set(entry, "created_by", json_text(spec->created_by));
    if (spec->comment != NULL && *spec->comment != '\0')
        json_set(entry, "comment", json_text(spec->comment));
    (void)json_array_append_new(history, entry); /* fails only for memory */
    return history;
}
