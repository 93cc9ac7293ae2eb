/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two forms of an image archive, unpacked into a directory: which images it holds, and where
 * their parts lie.  Nothing in it is trusted: parts are opened inside the directory only, and what
 * has a digest is held against it.
 */
#ifndef CORE_IMAGE_ARCHIVE_H
#define CORE_IMAGE_ARCHIVE_H

#include "base/arena.h"
#include "base/json.h"
#include "model/container.h"

struct archive_layer {
    const char *path;   /* in the archive */
    const char *digest; /* of the file as it lies there; NULL: none is told */
};

struct archive_image {
    struct image image;           /* id, config, diff_ids, created_ms */
    const char *const *names;     /* full, NULL-terminated */
    struct archive_layer *layers; /* bottom first, as many as diff_ids */
};

struct image_archive {
    struct arena *mem;
    int dir_fd;
    struct archive_image *images; /* room for LIMIT_IMAGES */
    size_t count;
};

/* Reads what is in it.  INVALID when it is neither form. */
int image_archive_read(struct image_archive *archive, struct error *err);

/* The part for OCI (image_oci.c): index.json and below. */
int image_oci_read(struct image_archive *archive, struct error *err);

/* Opens a file of the archive; *size_bytes may be NULL. */
int image_archive_open(const struct image_archive *archive, const char *path, int64_t *size_bytes,
                       struct error *err);

/* Opens a layer, its digest checked. */
int image_archive_open_layer(const struct image_archive *archive, const struct archive_layer *layer,
                             struct error *err);

/* Reads a small file whole. */
int image_archive_text(const struct image_archive *archive, const char *path, char **text,
                       size_t *size, struct error *err);
json_t *image_archive_json(const struct image_archive *archive, const char *path,
                           struct error *err);

/* Appends an image whose config is 'text'; 'layers' must be as many as its diff_ids. */
int image_archive_add(struct image_archive *archive, const char *text, size_t size,
                      struct archive_image *image, size_t layer_count, struct error *err);

#endif
