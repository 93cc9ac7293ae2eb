/* SPDX-License-Identifier: Apache-2.0 */
/* An image's name taken apart; core/image/image.h has the two functions that others need. */
#ifndef CORE_IMAGE_NAME_H
#define CORE_IMAGE_NAME_H

#include "base/arena.h"
#include "base/error.h"

struct image_name {
    const char *domain; /* "docker.io" */
    const char *path;   /* "library/busybox" */
    const char *tag;    /* NULL: not given */
    const char *digest; /* NULL: not given */
};

/*
 * Takes a name as people write it apart, as Docker does: a missing domain is docker.io, a single
 * component there lies in library/.  INVALID with dockerd's texts.
 */
int image_name_parse(struct arena *mem, const char *text, struct image_name *name,
                     struct error *err);

/* "domain/path[:tag][@digest]". */
const char *image_name_text(struct arena *mem, const struct image_name *name);

/* The full name of a repository and a tag as an API's two arguments; a NULL or empty tag is that in
 * 'repo', else "latest". */
int image_name_join(struct arena *mem, const char *repo, const char *tag, const char **full,
                    struct error *err);

#endif
