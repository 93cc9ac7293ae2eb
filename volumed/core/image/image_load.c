/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: an archive is spooled into STATE/tmp, since its table of contents may come last; then each
 * image in it is an operation of its own.
 */
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/container/stream.h"
#include "core/image/image.h"
#include "core/image/image_archive.h"
#include "core/image/image_build.h"
#include "core/operation/image_kinds.h"
#include "core/service.h"
#include "transfer/child.h"
#include "transfer/limits.h"

struct load {
    struct image_build build; /* first: the shared steps take it for op->data */
    const struct image_archive *archive;
    const struct archive_image *image;
};

static int load_from(struct task *task, int dir_fd, const struct byte_source *source,
                     const struct progress *progress, struct error *err);
static int load_one_from(struct task *task, int dir_fd, const struct byte_source *source,
                         const char *id, struct error *err);
static int keep_free_names(struct task *task, struct archive_image *image, struct error *err);
static void drop_spool(struct task *task, const char *name);
static int spool(struct task *task, int dir_fd, const struct byte_source *source,
                 struct error *err);
static int load_image(struct task *task, const struct image_archive *archive,
                      const struct archive_image *image, struct error *err);
static int load_apply(struct task *task, struct op *op, struct error *err);
static void report_loaded(struct task *task, const struct archive_image *image,
                          const struct progress *progress);
static void report_line(const struct progress *progress, const char *line);

const struct op_kind image_load_kind = {
    .name = "image.load",
    .apply = load_apply,
    .finish = image_build_finish,
    .revert = image_build_revert,
    .after = image_build_after,
};

int image_load(struct task *task, const struct byte_source *source, const struct progress *progress,
               struct error *err)
{
    char name[UUID_SIZE];

    uuid_make(name);
    cleanup_fd int dir = fs_make_dir(task->service->tmp_fd, name, 0700, err);
    if (dir < 0)
        return -1;
    int rc = load_from(task, dir, source, progress, err);
    drop_spool(task, name);
    return rc;
}

int image_load_one(struct task *task, const struct byte_source *source, const char *id,
                   struct error *err)
{
    char name[UUID_SIZE];

    uuid_make(name);
    cleanup_fd int dir = fs_make_dir(task->service->tmp_fd, name, 0700, err);
    if (dir < 0)
        return -1;
    int rc = load_one_from(task, dir, source, id, err);
    drop_spool(task, name);
    return rc;
}

static void drop_spool(struct task *task, const char *name)
{
    struct error failure;

    if (fs_remove_tree(task->service->tmp_fd, name, &failure) < 0)
        log_warn("spooled archive left name=%s error=\"%s\"", name, failure.message);
}

static int load_one_from(struct task *task, int dir_fd, const struct byte_source *source,
                         const char *id, struct error *err)
{
    struct image_archive archive = { .mem = task->mem, .dir_fd = dir_fd };

    if (spool(task, dir_fd, source, err) < 0 || image_archive_read(&archive, err) < 0)
        return -1;
    if (archive.count != 1 || strcmp(archive.images[0].image.id, id) != 0)
        return fail(err, ERR_CORRUPT, "it is not the one image that it should be");
    if (keep_free_names(task, &archive.images[0], err) < 0)
        return -1;
    return load_image(task, &archive, &archive.images[0], err);
}

static int keep_free_names(struct task *task, struct archive_image *image, struct error *err)
{
    const char **names = arena_array(task->mem, LIMIT_IMAGES, sizeof(*names));
    size_t count = 0;

    for (size_t i = 0; image->names[i] != NULL && count + 1 < LIMIT_IMAGES; i++) {
        struct image taken;
        int rc = image_get(task, image->names[i], &taken, err);
        if (rc < 0 && err->code != ERR_NOT_FOUND)
            return -1;
        if (rc < 0 || strcmp(taken.id, image->image.id) == 0)
            names[count++] = image->names[i];
    }
    image->names = names;
    return 0;
}

static int load_from(struct task *task, int dir_fd, const struct byte_source *source,
                     const struct progress *progress, struct error *err)
{
    struct image_archive archive = { .mem = task->mem, .dir_fd = dir_fd };

    if (spool(task, dir_fd, source, err) < 0 || image_archive_read(&archive, err) < 0)
        return -1;
    for (size_t i = 0; i < archive.count; i++) {
        if (load_image(task, &archive, &archive.images[i], err) < 0)
            return -1;
        report_loaded(task, &archive.images[i], progress);
    }
    return 0;
}

static int spool(struct task *task, int dir_fd, const struct byte_source *source, struct error *err)
{
    cleanup_child struct child child = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };
    struct child_spec spec = {
        .program = task->service->confined_path,
        .verb = "unpack-files",
        .input = CHILD_PIPE,
        .fds = &dir_fd,
        .fd_count = 1,
    };

    if (child_start(&child, &spec, err) < 0 || stream_feed(&child, source, err) < 0)
        return -1;
    return child_wait(&child, &report, err);
}

static int load_image(struct task *task, const struct image_archive *archive,
                      const struct archive_image *image, struct error *err)
{
    struct load load = { .archive = archive, .image = image };
    struct task own = *task;
    const char *id;
    cleanup_op struct op op = {
        .kind = &image_load_kind,
        .data = &load,
        .subject = arena_printf(task->mem, "image '%s'", image->image.id),
    };

    image_build_init(&load.build, task->mem);
    load.build.image = image->image;
    load.build.names = image->names;
    load.build.action = "load";
    if (task->idempotency_key != NULL) /* one request, an operation for each image */
        own.idempotency_key =
            arena_printf(task->mem, "%s/%s", task->idempotency_key, image->image.id);
    int rc = image_build_run(&own, &op, &id, err);
    image_build_done(&load.build);
    return rc;
}

static int load_apply(struct task *task, struct op *op, struct error *err)
{
    struct load *load = op->data;

    for (size_t i = 0; load->image->image.diff_ids[i] != NULL; i++) {
        cleanup_fd int fd = image_archive_open_layer(load->archive, &load->image->layers[i], err);
        struct layer_spec spec = { .tar_fd = fd, .diff_id = load->image->image.diff_ids[i] };
        if (fd < 0)
            return -1;
        if (image_build_add(task, &load->build, &spec, err) < 0)
            return error_prefix(err, "layer '%.200s'", load->image->layers[i].path);
    }
    return 0;
}

static void report_loaded(struct task *task, const struct archive_image *image,
                          const struct progress *progress)
{
    for (size_t i = 0; image->names[i] != NULL; i++)
        report_line(progress, arena_printf(task->mem, "Loaded image: %s\n",
                                           image_name_familiar(task->mem, image->names[i])));
    if (image->names[0] == NULL)
        report_line(progress, arena_printf(task->mem, "Loaded image ID: %s\n", image->image.id));
}

static void report_line(const struct progress *progress, const char *line)
{
    cleanup_json json_t *message = json_object();

    if (progress == NULL || progress->report == NULL)
        return;
    json_set(message, "stream", json_text(line));
    progress->report(progress->context, message);
}
