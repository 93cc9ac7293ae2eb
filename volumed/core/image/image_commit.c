/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit: what a container wrote becomes a layer on top of its image's.  Its upper directory goes
 * through two confined children, one that packs and one that unpacks, so that the new layer is made
 * in the one way in which all are.
 */
#include <fcntl.h>
#include <string.h>

#include "base/sys.h"
#include "core/box/box.h"
#include "core/container/container.h"
#include "core/container/container_event.h"
#include "core/fence/freezer.h"
#include "core/image/image.h"
#include "core/image/image_build.h"
#include "core/image/image_change.h"
#include "core/image/image_config.h"
#include "core/image/image_name.h"
#include "core/image/image_ref.h"
#include "core/operation/image_kinds.h"
#include "core/service.h"
#include "transfer/child.h"

#define PAUSE_MS_MAX 600000

struct commit {
    struct image_build build; /* first: the shared steps take it for op->data */
    const struct commit_spec *spec;
    const struct container *container;
    json_t *runtime; /* Docker's Config of the new image */
};

static json_t *merge_config(struct task *task, const struct container *container,
                            const struct commit_spec *spec, struct error *err);
static int commit_apply(struct task *task, struct op *op, struct error *err);
static int commit_finish(struct task *task, struct op *op, struct error *err);
static int add_layer(struct task *task, struct commit *commit, struct error *err);
static int add_held(struct task *task, struct commit *commit, struct error *err);
static int make_config(struct task *task, struct commit *commit, struct error *err);
static json_t *base_config(struct task *task, struct commit *commit);
static const char *command_line(struct arena *mem, const struct container *container);

const struct op_kind image_commit_kind = {
    .name = "image.commit",
    .apply = commit_apply,
    .finish = commit_finish,
    .revert = image_build_revert,
    .after = image_build_after,
};

int image_commit(struct task *task, const struct commit_spec *spec, const char **id,
                 struct error *err)
{
    cleanup_container struct container container = { 0 };
    const char **names = arena_array(task->mem, 2, sizeof(*names));

    if (spec->repo != NULL && *spec->repo != '\0' &&
        image_name_join(task->mem, spec->repo, spec->tag, &names[0], err) < 0)
        return -1;
    if (container_get(task, spec->container, &container, err) < 0)
        return -1;
    cleanup_json json_t *runtime = merge_config(task, &container, spec, err);
    if (runtime == NULL)
        return -1;
    struct commit commit = { .spec = spec, .container = &container, .runtime = runtime };
    cleanup_op struct op op = {
        .kind = &image_commit_kind,
        .data = &commit,
        .subject = arena_printf(task->mem, "container '%s'", container.name),
    };
    image_build_init(&commit.build, task->mem);
    commit.build.names = names;
    commit.build.action = "create";
    int rc = image_build_run(task, &op, id, err);
    image_build_done(&commit.build);
    return rc;
}

/* The container's, with what the request says over it, and the changes over both. */
static json_t *merge_config(struct task *task, const struct container *container,
                            const struct commit_spec *spec, struct error *err)
{
    static const char *const own[] = { "Hostname", "Domainname", "Image" }; /* of it alone */
    cleanup_json json_t *config = json_deep_copy(container->config);
    const char *key;
    json_t *value;

    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        (void)json_object_del(config, own[i]); /* it may not be there */
    cleanup_json json_t *wanted = json_deep_copy(spec->config);
    json_object_foreach(wanted, key, value)
    {
        if (!json_is_null(value))
            json_set(config, key, json_incref(value));
    }
    if (image_change_apply(task->mem, config, spec->changes, err) < 0)
        return NULL;
    return json_incref(config);
}

static int commit_apply(struct task *task, struct op *op, struct error *err)
{
    struct commit *commit = op->data;

    if (image_build_base(task, &commit->build, commit->container->chain_id, err) < 0 ||
        add_held(task, commit, err) < 0)
        return -1;
    return make_config(task, commit, err);
}

static int commit_finish(struct task *task, struct op *op, struct error *err)
{
    const struct commit *commit = op->data;

    if (image_build_finish(task, op, err) < 0)
        return -1;
    return container_emit_with(task, commit->container, "commit", "imageID", commit->build.image.id,
                               err);
}

/* The layer, of a container that stands still if that was asked for. */
static int add_held(struct task *task, struct commit *commit, struct error *err)
{
    const struct freezer *freezer = task->service->freezer;
    bool is_held = commit->spec->is_paused && freezer != NULL &&
                   strcmp(commit->container->state, "running") == 0;
    void *lease = NULL;
    int64_t pause_ns;

    if (is_held && freezer->freeze(task, commit->container->id, PAUSE_MS_MAX, &lease, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        is_held = false; /* it has ended meanwhile, which is as good */
    }
    int rc = add_layer(task, commit, err);
    struct error late;
    if (is_held && freezer->thaw(task, lease, &pause_ns, rc < 0 ? &late : err) < 0)
        return rc < 0 ? -1
                      : error_prefix(err, "cannot commit container %s", commit->container->name);
    return rc;
}

static int add_layer(struct task *task, struct commit *commit, struct error *err)
{
    cleanup_child struct child packer = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };
    cleanup_fd int box = box_open(task, commit->container->id, err);
    cleanup_fd int upper =
        box < 0 ? -1 : sys_openat(box, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    struct child_spec spec = {
        .program = task->service->confined_path,
        .verb = "pack-layer",
        .output = CHILD_PIPE,
        .fds = &upper,
        .fd_count = 1,
    };

    if (box < 0)
        return -1;
    if (upper < 0)
        return fail_sys(err, upper, "cannot open the layer of container %s",
                        commit->container->name);
    if (child_start(&packer, &spec, err) < 0)
        return -1;
    struct layer_spec layer = { .tar_fd = packer.output_fd };
    if (image_build_add(task, &commit->build, &layer, err) < 0)
        return -1;
    return child_wait(&packer, &report, err); /* or what was unpacked is not all of it */
}

static int make_config(struct task *task, struct commit *commit, struct error *err)
{
    cleanup_json json_t *base = base_config(task, commit);
    const struct image_build *build = &commit->build;
    struct image_config_spec spec = {
        .base = base,
        .runtime = commit->runtime,
        .diff_id = build->layers[build->layer_count - 1].layer.diff_id,
        .author = commit->spec->author,
        .comment = commit->spec->comment,
        .created_by = command_line(task->mem, commit->container),
    };

    if (image_config_make(task->mem, &spec, &commit->build.image, err) < 0)
        return -1;
    commit->build.image.parent = commit->container->image_id;
    return 0;
}

/* Of the image it was made from; when that was removed by force, its layers still tell enough. */
static json_t *base_config(struct task *task, struct commit *commit)
{
    const struct image_build *build = &commit->build;
    struct image image;
    struct error ignored;

    if (image_read(task, commit->container->image_id, &image, &ignored) == 0)
        return image_config_read(&image, &ignored);
    json_t *diff_ids = json_array();
    for (size_t i = 0; i + 1 < build->layer_count; i++)
        (void)json_array_append_new(/* fails only for want of memory */
                                    diff_ids, json_string(build->layers[i].layer.diff_id));
    return json_pack("{s:{s:s, s:o}}", "rootfs", "type", "layers", "diff_ids", diff_ids);
}

static const char *command_line(struct arena *mem, const struct container *container)
{
    const char *line = container->path;

    for (size_t i = 0; container->args != NULL && container->args[i] != NULL; i++)
        line = arena_printf(mem, "%s %s", line, container->args[i]);
    return line;
}
