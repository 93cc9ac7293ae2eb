/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment: a volume made visible to a container at a path, in an access mode. */
#ifndef MODEL_ATTACHMENT_H
#define MODEL_ATTACHMENT_H

#include <stdbool.h>
#include <stdint.h>

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
    const char *snapshot; /* NULL: the volume itself; else the name of what is seen of it */
    const char *snapshot_id;
    const char *scratch_id; /* of its writable overlay in the box; NULL: none */
    bool is_scratch;        /* what is written stays with the container */
    bool is_snapshot_own;   /* the snapshot was cut for this attachment and goes with it */
    bool is_standby;        /* starts read-only while another writes, and is promoted after it */
    bool is_held;           /* its lease lets it only read at present */
    int64_t wait_ms;        /* so long a start waits for another writer to end */
    const char *driver;     /* of a volume to be made; NULL = default */
    struct pairs driver_options;
    struct pairs labels;
};

/* What the container can do at the place: a scratch is written to, a held writer is not. */
bool attachment_is_read_only(const struct attachment *attachment);

#endif
