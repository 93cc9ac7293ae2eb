/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI image layout: index.json points to manifests, perhaps by way of further indexes, each
 * named by the digest of its bytes.  Of an index for several platforms this machine's is taken.
 */
#include <string.h>

#include "core/image/image.h"
#include "core/image/image_archive.h"
#include "core/image/image_config.h"
#include "transfer/digest.h"
#include "transfer/limits.h"

#define INDEX           "index.json"
#define DEPTH_MAX       4
#define REF_NAME        "org.opencontainers.image.ref.name"
#define CONTAINERD_NAME "io.containerd.image.name"

static int read_index(struct image_archive *archive, const json_t *index, const char *name,
                      int depth, struct error *err);
static int read_descriptor(struct image_archive *archive, const json_t *descriptor,
                           const char *name, int depth, struct error *err);
static int read_manifest(struct image_archive *archive, const json_t *manifest, const char *name,
                         struct error *err);
static int read_layers(struct image_archive *archive, const json_t *manifest,
                       struct archive_image *image, size_t *count, struct error *err);
static int blob_path(struct image_archive *archive, const json_t *descriptor, const char **digest,
                     const char **path, struct error *err);
static int read_blob(struct image_archive *archive, const json_t *descriptor, char **text,
                     size_t *size, struct error *err);
static bool platform_fits(const json_t *descriptor);
static const char *name_of(struct arena *mem, const json_t *descriptor);
static const char *annotation(const json_t *descriptor, const char *key);

int image_oci_read(struct image_archive *archive, struct error *err)
{
    cleanup_json json_t *index = image_archive_json(archive, INDEX, err);

    if (index == NULL || read_index(archive, index, NULL, 0, err) < 0)
        return -1;
    if (archive->count == 0)
        return fail(err, ERR_INVALID, "the archive has no image for linux/%s",
                    image_architecture());
    return 0;
}

static int read_index(struct image_archive *archive, const json_t *index, const char *name,
                      int depth, struct error *err)
{
    const json_t *list = json_member(index, "manifests");

    if (!json_is_array(list))
        return fail(err, ERR_INVALID, "an index has no manifests");
    if (depth > DEPTH_MAX)
        return fail(err, ERR_INVALID, "indexes are nested too deep");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *descriptor = json_array_get(list, i);
        const char *own = name_of(archive->mem, descriptor);
        if (!platform_fits(descriptor))
            continue;
        if (read_descriptor(archive, descriptor, own != NULL ? own : name, depth, err) < 0)
            return -1;
        if (depth > 0) /* alternatives of one image: the first that fits */
            break;
    }
    return 0;
}

static int read_descriptor(struct image_archive *archive, const json_t *descriptor,
                           const char *name, int depth, struct error *err)
{
    char *text = NULL;
    size_t size = 0;

    if (read_blob(archive, descriptor, &text, &size, err) < 0)
        return -1;
    cleanup_json json_t *document = json_read(text, size, err);
    if (document == NULL)
        return error_prefix(err, "a manifest of the archive");
    return json_is_array(json_member(document, "manifests"))
               ? read_index(archive, document, name, depth + 1, err)
               : read_manifest(archive, document, name, err);
}

static int read_manifest(struct image_archive *archive, const json_t *manifest, const char *name,
                         struct error *err)
{
    struct archive_image image = { 0 };
    const char **names = arena_array(archive->mem, 2, sizeof(*names));
    const json_t *config = json_member(manifest, "config");
    size_t count = 0;
    char *text = NULL;
    size_t size = 0;

    names[0] = name;
    image.names = names;
    if (!json_is_object(config))
        return fail(err, ERR_INVALID, "a manifest has no config");
    if (read_blob(archive, config, &text, &size, err) < 0 ||
        read_layers(archive, manifest, &image, &count, err) < 0)
        return -1;
    return image_archive_add(archive, text, size, &image, count, err);
}

static int read_layers(struct image_archive *archive, const json_t *manifest,
                       struct archive_image *image, size_t *count, struct error *err)
{
    const json_t *layers = json_member(manifest, "layers");

    *count = json_array_size(layers);
    if (*count > LIMIT_LAYERS)
        return fail(err, ERR_INVALID, "an image has more than %d layers", LIMIT_LAYERS);
    image->layers = arena_array(archive->mem, *count, sizeof(*image->layers));
    for (size_t i = 0; i < *count; i++)
        if (blob_path(archive, json_array_get(layers, i), &image->layers[i].digest,
                      &image->layers[i].path, err) < 0)
            return -1;
    return 0;
}

static int blob_path(struct image_archive *archive, const json_t *descriptor, const char **digest,
                     const char **path, struct error *err)
{
    const char *text = NULL;

    if (json_get_text(descriptor, "digest", archive->mem, &text, err) < 0)
        return -1;
    if (text == NULL || !digest_is_valid(text))
        return fail(err, ERR_INVALID, "a descriptor's digest '%.100s' is none that we know",
                    text == NULL ? "" : text);
    *digest = text;
    *path = arena_printf(archive->mem, "blobs/sha256/%s", strchr(text, ':') + 1);
    return 0;
}

static int read_blob(struct image_archive *archive, const json_t *descriptor, char **text,
                     size_t *size, struct error *err)
{
    char digest[DIGEST_TEXT_SIZE];
    const char *expected = "";
    const char *path = "";

    if (blob_path(archive, descriptor, &expected, &path, err) < 0 ||
        image_archive_text(archive, path, text, size, err) < 0)
        return -1;
    digest_bytes(*text, *size, digest);
    if (strcmp(digest, expected) != 0)
        return fail(err, ERR_INVALID, "'%s' of the archive does not match its digest", path);
    return 0;
}

/* One that names no platform fits any. */
static bool platform_fits(const json_t *descriptor)
{
    const json_t *platform = json_member(descriptor, "platform");
    const char *os = json_string_value(json_member(platform, "os"));
    const char *architecture = json_string_value(json_member(platform, "architecture"));

    return (os == NULL || strcmp(os, "linux") == 0) &&
           (architecture == NULL || strcmp(architecture, image_architecture()) == 0);
}

/* A full name, or NULL: a bare word is only a tag, and of no repository. */
static const char *name_of(struct arena *mem, const json_t *descriptor)
{
    const char *full = annotation(descriptor, CONTAINERD_NAME);
    const char *ref = annotation(descriptor, REF_NAME);
    struct error ignored;
    const char *name;

    if (full == NULL && ref != NULL && strpbrk(ref, ":/") != NULL)
        full = ref;
    if (full == NULL || image_name_normalize(mem, full, &name, &ignored) < 0)
        return NULL;
    return name;
}

static const char *annotation(const json_t *descriptor, const char *key)
{
    return json_string_value(json_object_get(json_member(descriptor, "annotations"), key));
}
