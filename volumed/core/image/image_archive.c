/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's form: manifest.json names configs and layers, in whichever directories they lie. */
#include "core/image/image_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/sys.h"
#include "core/image/image.h"
#include "core/image/image_config.h"
#include "transfer/digest.h"
#include "transfer/limits.h"

#define MANIFEST "manifest.json"
#define INDEX    "index.json"

static bool has_file(const struct image_archive *archive, const char *path);
static int read_docker(struct image_archive *archive, struct error *err);
static int read_docker_image(struct image_archive *archive, const json_t *entry, struct error *err);
static int read_names(struct arena *mem, const json_t *entry, const char *const **names,
                      struct error *err);

int image_archive_read(struct image_archive *archive, struct error *err)
{
    archive->images = arena_array(archive->mem, LIMIT_IMAGES, sizeof(*archive->images));
    archive->count = 0;
    /* An archive with both is Docker's, whose names are the fuller ones. */
    if (has_file(archive, MANIFEST))
        return read_docker(archive, err);
    if (has_file(archive, INDEX))
        return image_oci_read(archive, err);
    return fail(err, ERR_INVALID, "not an image archive: it has neither %s nor %s", MANIFEST,
                INDEX);
}

int image_archive_open(const struct image_archive *archive, const char *path, int64_t *size_bytes,
                       struct error *err)
{
    struct stat st;
    cleanup_fd int fd = path_open_in_root(archive->dir_fd, path, O_RDONLY | O_NONBLOCK);

    if (fd == -ENOENT)
        return fail(err, ERR_INVALID, "the archive lacks '%.200s'", path);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%.200s' of the archive", path);
    if (fstat(fd, &st) < 0)
        return fail_sys(err, -errno, "cannot look at '%.200s' of the archive", path);
    if (!S_ISREG(st.st_mode))
        return fail(err, ERR_INVALID, "'%.200s' of the archive is not a file", path);
    if (size_bytes != NULL)
        *size_bytes = st.st_size;
    return move_fd(&fd);
}

int image_archive_open_layer(const struct image_archive *archive, const struct archive_layer *layer,
                             struct error *err)
{
    char digest[DIGEST_TEXT_SIZE];
    cleanup_fd int fd = image_archive_open(archive, layer->path, NULL, err);

    if (fd < 0)
        return -1;
    if (layer->digest == NULL)
        return move_fd(&fd);
    if (digest_file(fd, digest, NULL, err) < 0)
        return -1;
    if (strcmp(digest, layer->digest) != 0)
        return fail(err, ERR_INVALID, "'%.200s' of the archive does not match its digest",
                    layer->path);
    return move_fd(&fd);
}

int image_archive_text(const struct image_archive *archive, const char *path, char **text,
                       size_t *size, struct error *err)
{
    int64_t bytes = 0;
    cleanup_fd int fd = image_archive_open(archive, path, &bytes, err);

    if (fd < 0)
        return -1;
    if (bytes > (int64_t)LIMIT_MANIFEST_BYTES)
        return fail(err, ERR_INVALID, "'%.200s' of the archive is larger than %zu bytes", path,
                    LIMIT_MANIFEST_BYTES);
    *text = arena_alloc(archive->mem, (size_t)bytes + 1);
    ssize_t got = sys_read_all(fd, *text, (size_t)bytes);
    if (got < 0)
        return fail_sys(err, (int)got, "cannot read '%.200s' of the archive", path);
    *size = (size_t)got;
    return 0;
}

json_t *image_archive_json(const struct image_archive *archive, const char *path, struct error *err)
{
    char *text = NULL;
    size_t size = 0;

    if (image_archive_text(archive, path, &text, &size, err) < 0)
        return NULL;
    json_t *json = json_read(text, size, err);
    if (json == NULL)
        (void)error_prefix(err, "'%.200s' of the archive", path); /* adds to the failure */
    return json;
}

int image_archive_add(struct image_archive *archive, const char *text, size_t size,
                      struct archive_image *image, size_t layer_count, struct error *err)
{
    size_t expected = 0;

    if (archive->count == LIMIT_IMAGES)
        return fail(err, ERR_INVALID, "the archive holds more than %d images", LIMIT_IMAGES);
    if (image_config_accept(archive->mem, text, size, &image->image, err) < 0)
        return -1;
    while (image->image.diff_ids[expected] != NULL)
        expected++;
    if (layer_count != expected)
        return fail(err, ERR_INVALID,
                    "invalid manifest, layers length mismatch: expected %zu, "
                    "got %zu",
                    expected, layer_count);
    archive->images[archive->count++] = *image;
    return 0;
}

static bool has_file(const struct image_archive *archive, const char *path)
{
    cleanup_fd int fd = path_open_in_root(archive->dir_fd, path, O_PATH);

    return fd >= 0;
}

static int read_docker(struct image_archive *archive, struct error *err)
{
    cleanup_json json_t *manifest = image_archive_json(archive, MANIFEST, err);

    if (manifest == NULL)
        return -1;
    if (!json_is_array(manifest))
        return fail(err, ERR_INVALID, "%s is not a list", MANIFEST);
    for (size_t i = 0; i < json_array_size(manifest); i++)
        if (read_docker_image(archive, json_array_get(manifest, i), err) < 0)
            return error_prefix(err, "%s", MANIFEST);
    return 0;
}

static int read_docker_image(struct image_archive *archive, const json_t *entry, struct error *err)
{
    struct archive_image image = { 0 };
    const char *config = NULL;
    const char *const *paths = NULL;
    size_t count = 0;
    char *text = NULL;
    size_t size = 0;

    if (!json_is_object(entry))
        return fail(err, ERR_INVALID, "an entry is not an object");
    if (json_get_text(entry, "Config", archive->mem, &config, err) < 0 ||
        json_get_list(entry, "Layers", archive->mem, &paths, err) < 0 ||
        read_names(archive->mem, entry, &image.names, err) < 0)
        return -1;
    if (config == NULL)
        return fail(err, ERR_INVALID, "an entry has no Config");
    if (image_archive_text(archive, config, &text, &size, err) < 0)
        return -1;
    while (paths != NULL && paths[count] != NULL)
        count++;
    image.layers = arena_array(archive->mem, count, sizeof(*image.layers));
    for (size_t i = 0; i < count; i++)
        image.layers[i].path = paths[i];
    return image_archive_add(archive, text, size, &image, count, err);
}

static int read_names(struct arena *mem, const json_t *entry, const char *const **names,
                      struct error *err)
{
    const char *const *given = NULL;
    size_t count = 0;

    if (json_get_list(entry, "RepoTags", mem, &given, err) < 0)
        return -1;
    while (given != NULL && given[count] != NULL)
        count++;
    const char **list = arena_array(mem, count + 1, sizeof(*list));
    for (size_t i = 0; i < count; i++)
        if (image_name_normalize(mem, given[i], &list[i], err) < 0)
            return error_prefix(err, "invalid tag '%.200s'", given[i]);
    *names = list;
    return 0;
}
