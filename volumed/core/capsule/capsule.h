/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capsules: a container with all that it is made of, its options, image and volumes, in one stream
 * that can be verified and made a container again elsewhere, on whatever driver.
 */
#ifndef CORE_CAPSULE_H
#define CORE_CAPSULE_H

#include "core/image/image.h"
#include "core/operation/task.h"

enum capsule_snapshots {
    CAPSULE_SNAPSHOTS_NONE,
    CAPSULE_SNAPSHOTS_LAST,
    CAPSULE_SNAPSHOTS_ALL
};

int capsule_snapshots_find(const char *name, enum capsule_snapshots *which, struct error *err);

/* Its volumes are cut at one instant first; the container runs on. */
int capsule_export(struct task *task, const char *container, enum capsule_snapshots snapshots,
                   const struct byte_sink *sink, struct error *err);

/* Reads it to its end; *manifest (a new reference) tells what is in it, *bytes how long it is. */
int capsule_verify(struct task *task, const struct byte_source *source, json_t **manifest,
                   int64_t *bytes, struct error *err);

struct capsule_import_spec {
    struct pairs renames; /* of the container and its volumes: old name to new */
    const char *pool;     /* NULL: the default */
};

/*
 * Reads it to its end, and makes nothing: *told (a new reference) says what capsule_import() would
 * make, under which names.  Its errors are those of capsule_import() that can be told before.
 */
int capsule_foretell(struct task *task, const struct capsule_import_spec *spec,
                     const struct byte_source *source, json_t **told, struct error *err);

/*
 * An operation: container and volumes appear together, under their names, when all of them are
 * whole, or none does.  CONFLICT when a name is taken; CORRUPT names the damage's place.  *id is
 * the container's.
 */
int capsule_import(struct task *task, const struct capsule_import_spec *spec,
                   const struct byte_source *source, const char **id, struct error *err);

#endif
