/* SPDX-License-Identifier: Apache-2.0 */
/* What a capsule's manifest says is to be made, checked, under which names.  Nothing is touched. */
#ifndef CORE_CAPSULE_PLAN_H
#define CORE_CAPSULE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "core/operation/task.h"
#include "model/attachment.h"

#define CAPSULE_VOLUMES_MAX 1000

struct capsule_volume {
    const char *old_name;
    const char *name;   /* in the end */
    const char *hidden; /* until then */
    const char *id;     /* NULL until it is made */
    const json_t *item; /* of the manifest; borrowed */
    struct pairs labels;
    struct pairs options;
    const char *last; /* the snapshot that it holds, while it is made; NULL: nothing yet */
    bool is_anonymous;
    bool is_whole;
};

struct capsule_plan {
    const json_t *manifest; /* borrowed */
    const char *old_name;   /* of the container */
    const char *name;
    const char *hidden;
    const char *image_id;
    const char *image_name;
    json_t *config;
    json_t *host_config; /* with the volumes' names as they will be */
    json_t *networking;
    struct capsule_volume *volumes;
    size_t count;
    struct attachment *attachments;
    size_t attachment_count;
    bool has_image;
};

/* CORRUPT or UNSUPPORTED with what is wrong.  capsule_plan_done() also after a failure. */
int capsule_plan_make(struct task *task, const json_t *manifest, const struct pairs *renames,
                      struct capsule_plan *plan, struct error *err);
void capsule_plan_done(struct capsule_plan *plan);

/* CONFLICT, naming it, when a container or volume has one of the names. */
int capsule_plan_check_names(struct task *task, const struct capsule_plan *plan, struct error *err);

/* The host_config without volumes, which the attachments bring.  New reference. */
json_t *capsule_plan_bare_host(const struct capsule_plan *plan);

/* To the volumes that were made. */
struct attachment *capsule_plan_attachments(struct task *task, const struct capsule_plan *plan);

#endif
