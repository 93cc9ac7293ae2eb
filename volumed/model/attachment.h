/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment: a volume made visible to a container at a path, in an access mode. */
#ifndef MODEL_ATTACHMENT_H
#define MODEL_ATTACHMENT_H

#include <stdbool.h>

#include "model/pairs.h"

enum access_mode {
    ACCESS_RW,
    ACCESS_RO,
    ACCESS_EXCLUSIVE
};

const char *access_mode_name(enum access_mode mode); /* "rw", "ro", "exclusive" */
int access_mode_find(const char *name, enum access_mode *mode, struct error *err);

struct attachment {
    const char *container_id;
    const char *volume_id;   /* empty in a request; core fills it */
    const char *volume_name; /* NULL in a request: make an anonymous volume */
    const char *destination; /* cleaned, absolute, never "/" */
    const char *subpath;     /* "" for the whole volume */
    enum access_mode mode;
    bool is_anonymous;
    bool is_nocopy;
    bool can_create_subpath;
    bool is_nosuid; /* nosuid and nodev are the default of core for volumes */
    bool is_nodev;
    bool is_noexec;
    const char *propagation; /* "" = rprivate */
    const char *uid_map;     /* "" or "inside:outside:count,…": an idmapped mount */
    const char *gid_map;
    const char *driver; /* of a volume to be made; NULL = default */
    struct pairs driver_options;
    struct pairs labels;
};

#endif
