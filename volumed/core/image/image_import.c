/* SPDX-License-Identifier: Apache-2.0 */
/* import: the tar of a root filesystem becomes an image of one layer. */
#include "core/image/image.h"
#include "core/image/image_build.h"
#include "core/image/image_change.h"
#include "core/image/image_config.h"
#include "core/image/image_name.h"
#include "core/operation/image_kinds.h"

struct import {
    struct image_build build; /* first: the shared steps take it for op->data */
    const struct image_import_spec *spec;
    const struct byte_source *source;
    json_t *runtime; /* Docker's Config of the new image */
};

static int import_apply(struct task *task, struct op *op, struct error *err);

const struct op_kind image_import_kind = {
    .name = "image.import",
    .apply = import_apply,
    .finish = image_build_finish,
    .revert = image_build_revert,
    .after = image_build_after,
};

int image_import(struct task *task, const struct image_import_spec *spec,
                 const struct byte_source *source, const char **id, struct error *err)
{
    cleanup_json json_t *runtime = json_object();
    struct import import = { .spec = spec, .source = source, .runtime = runtime };
    const char **names = arena_array(task->mem, 2, sizeof(*names));
    cleanup_op struct op op = { .kind = &image_import_kind, .data = &import };

    if (spec->repo != NULL && *spec->repo != '\0' &&
        image_name_join(task->mem, spec->repo, spec->tag, &names[0], err) < 0)
        return -1;
    if (image_change_apply(task->mem, runtime, spec->changes, err) < 0)
        return -1;
    image_build_init(&import.build, task->mem);
    import.build.names = names;
    import.build.action = "import";
    op.subject = arena_printf(task->mem, "image '%s'", names[0] != NULL ? names[0] : "");
    int rc = image_build_run(task, &op, id, err);
    image_build_done(&import.build);
    return rc;
}

static int import_apply(struct task *task, struct op *op, struct error *err)
{
    struct import *import = op->data;
    struct layer_spec layer = { .source = import->source, .tar_fd = -1 };
    struct image_config_spec config = {
        .runtime = import->runtime,
        .comment = import->spec->message != NULL && *import->spec->message != '\0'
                       ? import->spec->message
                       : "Imported from -",
    };

    if (image_build_add(task, &import->build, &layer, err) < 0)
        return -1;
    config.diff_id = import->build.layers[0].layer.diff_id;
    return image_config_make(task->mem, &config, &import->build.image, err);
}
