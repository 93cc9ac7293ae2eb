/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save: one tar that is both a docker-archive (manifest.json) and an OCI layout (index.json), with
 * blobs that both point to.  Configs are verbatim and layers are the very tars that came in, so all
 * digests are what they were; a layer's is checked while it is written.
 */
#include <stdbool.h>
#include <string.h>

#include "base/sys.h"
#include "core/container/stream.h"
#include "core/image/image.h"
#include "core/image/image_name.h"
#include "core/image/image_ref.h"
#include "core/image/layer.h"
#include "core/service.h"
#include "store/image.h"
#include "store/layer.h"
#include "transfer/child.h"
#include "transfer/digest.h"
#include "transfer/limits.h"
#include "transfer/tar_header.h"

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define INDEX_TYPE    "application/vnd.oci.image.index.v1+json"
#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar"
#define END_BYTES     ((int64_t)2 * TAR_BLOCK_BYTES)

struct saved_image {
    struct image image;
    const char *const *names; /* full, those asked for */
    struct layer *chain;      /* top first */
    size_t layer_count;
    const char *manifest; /* its OCI manifest */
};

struct save {
    struct task *task;
    const struct byte_sink *sink;
    struct saved_image *images;
    size_t count;
    json_t *written; /* names of blobs: one is written once */
};

/* Counts what passes. */
struct counter {
    const struct byte_sink *sink;
    int64_t bytes;
};

static int add_ref(struct save *save, const char *ref, struct error *err);
static int find_repository(struct save *save, const char *ref, bool *is_found, struct error *err);
static int add_image(struct save *save, const char *id, const char *name, struct error *err);
static struct saved_image *find_image(struct save *save, const char *id);
static const char *const *list_add(struct arena *mem, const char *const *list, const char *text);
static const char *make_manifest(struct arena *mem, const struct saved_image *saved);
static json_t *make_descriptor(const char *type, const char *digest, int64_t size_bytes);
static int write_tables(struct save *save, struct error *err);
static void add_to_index(json_t *entries, const struct saved_image *saved);
static json_t *docker_entry(struct save *save, const struct saved_image *saved);
static int write_image(struct save *save, const struct saved_image *saved, struct error *err);
static int write_layer(struct save *save, const struct layer *layer, struct error *err);
static int inflate_layer(struct save *save, const struct layer *layer, int64_t *bytes,
                         struct error *err);
static int count_bytes(void *context, const void *data, size_t size, struct error *err);
static int write_blob(struct save *save, const char *digest, const char *text, struct error *err);
static int write_json(struct save *save, const char *name, const json_t *json, struct error *err);
static int write_file(struct save *save, const char *name, const void *data, size_t size,
                      struct error *err);
static int write_zeros(struct save *save, int64_t size, struct error *err);
static bool is_first(struct save *save, const char *digest);
static const char *blob_name(struct arena *mem, const char *digest);

int image_save(struct task *task, const char *const *refs, const struct byte_sink *sink,
               struct error *err)
{
    cleanup_json json_t *written = json_object();
    struct save save = { .task = task, .sink = sink, .written = written };

    save.images = arena_array(task->mem, LIMIT_IMAGES, sizeof(*save.images));
    for (size_t i = 0; refs[i] != NULL; i++)
        if (add_ref(&save, refs[i], err) < 0)
            return -1;
    if (write_tables(&save, err) < 0)
        return -1;
    for (size_t i = 0; i < save.count; i++)
        if (write_image(&save, &save.images[i], err) < 0)
            return -1;
    return write_zeros(&save, END_BYTES, err);
}

/* A name without a tag stands for all tags of that repository. */
static int add_ref(struct save *save, const char *ref, struct error *err)
{
    struct image_ref found;
    bool is_repository = false;

    if (find_repository(save, ref, &is_repository, err) < 0)
        return -1;
    if (is_repository)
        return 0;
    if (image_ref_find(save->task, ref, &found, err) < 0)
        return -1;
    return add_image(save, found.id, found.name, err);
}

static int find_repository(struct save *save, const char *ref, bool *is_found, struct error *err)
{
    struct arena *mem = save->task->mem;
    struct image_name name;
    struct image *images;
    struct error ignored;

    if (image_name_parse(mem, ref, &name, &ignored) < 0 || name.tag != NULL || name.digest != NULL)
        return 0;
    const char *prefix = arena_printf(mem, "%s:", image_name_text(mem, &name));
    int count = store_image_list(save->task->db, mem, &images, err);
    for (int i = 0; i < count; i++) {
        for (const char *const *tag = images[i].tags; *tag != NULL; tag++) {
            if (strncmp(*tag, prefix, strlen(prefix)) != 0)
                continue;
            *is_found = true;
            if (add_image(save, images[i].id, *tag, err) < 0)
                return -1;
        }
    }
    return count < 0 ? -1 : 0;
}

static int add_image(struct save *save, const char *id, const char *name, struct error *err)
{
    struct arena *mem = save->task->mem;
    struct saved_image *saved = find_image(save, id);

    if (saved == NULL) {
        if (save->count == LIMIT_IMAGES)
            return fail(err, ERR_INVALID, "more than %d images", LIMIT_IMAGES);
        saved = &save->images[save->count];
        if (image_read(save->task, id, &saved->image, err) < 0)
            return -1;
        int layers =
            saved->image.chain_id == NULL
                ? 0
                : store_layer_chain(save->task->db, mem, saved->image.chain_id, &saved->chain, err);
        if (layers < 0)
            return -1;
        saved->layer_count = (size_t)layers;
        saved->manifest = make_manifest(mem, saved);
        save->count++;
    }
    saved->names = list_add(mem, saved->names, name);
    return 0;
}

static struct saved_image *find_image(struct save *save, const char *id)
{
    for (size_t i = 0; i < save->count; i++)
        if (strcmp(save->images[i].image.id, id) == 0)
            return &save->images[i];
    return NULL;
}

/* A new list with 'text' (unless NULL) in it, once. */
static const char *const *list_add(struct arena *mem, const char *const *list, const char *text)
{
    size_t count = 0;

    for (; list != NULL && list[count] != NULL; count++)
        if (text != NULL && strcmp(list[count], text) == 0)
            return list;
    const char **longer = arena_array(mem, count + 2, sizeof(*longer));
    for (size_t i = 0; i < count; i++)
        longer[i] = list[i];
    longer[count] = text;
    return longer;
}

static const char *make_manifest(struct arena *mem, const struct saved_image *saved)
{
    cleanup_json json_t *manifest = json_object();
    json_t *layers = json_array();

    for (size_t i = saved->layer_count; i > 0; i--) {
        const struct layer *layer = &saved->chain[i - 1];
        (void)json_array_append_new(/* fails only for want of memory */
                                    layers, make_descriptor(LAYER_TYPE, layer->diff_id,
                                                            layer->archive_bytes));
    }
    json_set(manifest, "schemaVersion", json_integer(2));
    json_set(manifest, "mediaType", json_string(MANIFEST_TYPE));
    json_set(manifest, "config",
             make_descriptor(CONFIG_TYPE, saved->image.id, (int64_t)strlen(saved->image.config)));
    json_set(manifest, "layers", layers);
    return json_write(mem, manifest);
}

static json_t *make_descriptor(const char *type, const char *digest, int64_t size_bytes)
{
    json_t *descriptor = json_object();

    json_set(descriptor, "mediaType", json_string(type));
    json_set(descriptor, "digest", json_string(digest));
    json_set(descriptor, "size", json_integer(size_bytes));
    return descriptor;
}

static int write_tables(struct save *save, struct error *err)
{
    static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    cleanup_json json_t *manifest = json_array();
    cleanup_json json_t *index = json_object();
    json_t *entries = json_array();

    json_set(index, "schemaVersion", json_integer(2));
    json_set(index, "mediaType", json_string(INDEX_TYPE));
    json_set(index, "manifests", entries);
    for (size_t i = 0; i < save->count; i++) {
        add_to_index(entries, &save->images[i]);
        (void)json_array_append_new(manifest, docker_entry(save, &save->images[i])); /* memory */
    }
    if (write_file(save, "oci-layout", layout, strlen(layout), err) < 0 ||
        write_json(save, "index.json", index, err) < 0)
        return -1;
    return write_json(save, "manifest.json", manifest, err);
}

/* One for each name: an index knows a manifest by one name at a time. */
static void add_to_index(json_t *entries, const struct saved_image *saved)
{
    char digest[DIGEST_TEXT_SIZE];
    size_t i = 0;

    digest_bytes(saved->manifest, strlen(saved->manifest), digest);
    do {
        json_t *entry = make_descriptor(MANIFEST_TYPE, digest, (int64_t)strlen(saved->manifest));
        if (saved->names[i] != NULL) {
            const char *slash = strchr(saved->names[i], '/'); /* a port may come before it */
            const char *colon = strchr(slash, ':');
            json_t *annotations = json_object();
            json_set(annotations, "io.containerd.image.name", json_text(saved->names[i]));
            json_set(annotations, "org.opencontainers.image.ref.name",
                     json_text(colon != NULL ? colon + 1 : slash + 1));
            json_set(entry, "annotations", annotations);
        }
        (void)json_array_append_new(entries, entry); /* fails only for want of memory */
    } while (saved->names[i] != NULL && saved->names[++i] != NULL);
}

static json_t *docker_entry(struct save *save, const struct saved_image *saved)
{
    json_t *entry = json_object();
    json_t *tags = saved->names[0] != NULL ? json_array() : json_null();
    json_t *layers = json_array();

    for (size_t i = 0; saved->names[i] != NULL; i++)
        (void)json_array_append_new(/* these fail only for want of memory */
                                    tags, json_text(image_name_familiar(save->task->mem,
                                                                        saved->names[i])));
    for (size_t i = saved->layer_count; i > 0; i--)
        (void)json_array_append_new(
            layers, json_string(blob_name(save->task->mem, saved->chain[i - 1].diff_id)));
    json_set(entry, "Config", json_string(blob_name(save->task->mem, saved->image.id)));
    json_set(entry, "RepoTags", tags);
    json_set(entry, "Layers", layers);
    return entry;
}

static int write_image(struct save *save, const struct saved_image *saved, struct error *err)
{
    char digest[DIGEST_TEXT_SIZE];

    digest_bytes(saved->manifest, strlen(saved->manifest), digest);
    if (write_blob(save, digest, saved->manifest, err) < 0 ||
        write_blob(save, saved->image.id, saved->image.config, err) < 0)
        return -1;
    for (size_t i = saved->layer_count; i > 0; i--)
        if (write_layer(save, &saved->chain[i - 1], err) < 0)
            return -1;
    return 0;
}

static int write_layer(struct save *save, const struct layer *layer, struct error *err)
{
    char header[TAR_BLOCK_BYTES];
    int64_t bytes = 0;

    if (!is_first(save, layer->diff_id))
        return 0;
    tar_header_make(header, blob_name(save->task->mem, layer->diff_id), layer->archive_bytes);
    if (save->sink->write(save->sink->context, header, sizeof(header), err) < 0 ||
        inflate_layer(save, layer, &bytes, err) < 0)
        return -1;
    if (bytes != layer->archive_bytes)
        return fail(err, ERR_CORRUPT, "the archive of layer '%s' has %lld bytes, not %lld",
                    layer->diff_id, (long long)bytes, (long long)layer->archive_bytes);
    return write_zeros(save, tar_padding(bytes), err);
}

static int inflate_layer(struct save *save, const struct layer *layer, int64_t *bytes,
                         struct error *err)
{
    cleanup_child struct child child = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };
    cleanup_fd int fd = layer_open_archive(save->task, layer, err);
    struct counter counter = { .sink = save->sink };
    struct byte_sink counted = { count_bytes, &counter };
    struct child_spec spec = {
        .program = save->task->service->confined_path,
        .verb = "inflate",
        .input = CHILD_FILE,
        .input_fd = fd,
        .output = CHILD_PIPE,
    };

    if (fd < 0 || child_start(&child, &spec, err) < 0 || stream_drain(&child, &counted, err) < 0 ||
        child_wait(&child, &report, err) < 0)
        return -1;
    const char *diff_id = report_get(&report, "diff_id");
    if (diff_id == NULL || strcmp(diff_id, layer->diff_id) != 0)
        return fail(err, ERR_CORRUPT, "the archive of layer '%s' is damaged", layer->diff_id);
    *bytes = counter.bytes;
    return 0;
}

static int count_bytes(void *context, const void *data, size_t size, struct error *err)
{
    struct counter *counter = context;

    counter->bytes += (int64_t)size;
    return counter->sink->write(counter->sink->context, data, size, err);
}

static int write_blob(struct save *save, const char *digest, const char *text, struct error *err)
{
    return is_first(save, digest)
               ? write_file(save, blob_name(save->task->mem, digest), text, strlen(text), err)
               : 0;
}

static int write_json(struct save *save, const char *name, const json_t *json, struct error *err)
{
    const char *text = json_write(save->task->mem, json);

    return write_file(save, name, text, strlen(text), err);
}

static int write_file(struct save *save, const char *name, const void *data, size_t size,
                      struct error *err)
{
    char header[TAR_BLOCK_BYTES];

    tar_header_make(header, name, (int64_t)size);
    if (save->sink->write(save->sink->context, header, sizeof(header), err) < 0 ||
        save->sink->write(save->sink->context, data, size, err) < 0)
        return -1;
    return write_zeros(save, tar_padding((int64_t)size), err);
}

static int write_zeros(struct save *save, int64_t size, struct error *err)
{
    static const char zeros[END_BYTES];

    return size == 0 ? 0 : save->sink->write(save->sink->context, zeros, (size_t)size, err);
}

static bool is_first(struct save *save, const char *digest)
{
    if (json_object_get(save->written, digest) != NULL)
        return false;
    json_set(save->written, digest, json_true());
    return true;
}

static const char *blob_name(struct arena *mem, const char *digest)
{
    return arena_printf(mem, "blobs/sha256/%s", strchr(digest, ':') + 1);
}
