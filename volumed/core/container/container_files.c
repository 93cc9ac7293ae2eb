/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cp and export: a view of the container's root for a confined child, and bytes between it and the
 * client.  Putting files into a stopped container holds it still, since its own layer is mounted
 * meanwhile; a running one is only joined.
 */
#include "core/container/container_files.h"

#include <string.h>
#include <sys/stat.h>

#include "core/container/container.h"
#include "core/container/container_view.h"
#include "core/container/stream.h"
#include "core/operation/image_kinds.h"
#include "core/service.h"

/* Go's os.FileMode. */
#define GO_DIR         (UINT32_C(1) << 31)
#define GO_SYMLINK     (UINT32_C(1) << 27)
#define GO_DEVICE      (UINT32_C(1) << 26)
#define GO_FIFO        (UINT32_C(1) << 25)
#define GO_SOCKET      (UINT32_C(1) << 24)
#define GO_SETUID      (UINT32_C(1) << 23)
#define GO_SETGID      (UINT32_C(1) << 22)
#define GO_CHAR_DEVICE (UINT32_C(1) << 21)
#define GO_STICKY      (UINT32_C(1) << 20)

struct copy {
    const struct container *container;
    const char *ref; /* for messages */
    const struct archive_put_spec *spec;
    const struct byte_source *source;
};

static int start(struct task *task, struct container_view *view, const char *verb, const char *path,
                 struct child *child, struct error *err);
static int send(struct task *task, const struct container *container, const char *verb,
                const char *path, const struct byte_sink *sink, struct error *err);
static int say_missing(const char *ref, const char *path, struct error *err);
static uint32_t go_mode(uint32_t mode);
static int copy_prepare(struct task *task, struct op *op, struct error *err);
static int copy_apply(struct task *task, struct op *op, struct error *err);
static int copy_load(struct task *task, struct op *op, struct error *err);

const struct op_kind container_copy_kind = {
    .name = "container.copy",
    .prepare = copy_prepare,
    .apply = copy_apply,
    .load = copy_load,
};

int container_path_stat(struct task *task, const char *ref, const char *path,
                        struct path_stat *stat, struct error *err)
{
    static const struct container_view_spec spec = { .has_mounts = true };
    cleanup_container struct container container = { 0 };
    cleanup_container_view struct container_view view = { 0 };
    cleanup_child struct child child = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };
    struct path_stat found = { 0 };
    int64_t mode;

    if (container_get(task, ref, &container, err) < 0 ||
        container_view_open(task, &container, &spec, &view, err) < 0 ||
        start(task, &view, "stat", path, &child, err) < 0)
        return -1;
    if (child_wait(&child, &report, err) < 0)
        return say_missing(ref, path, err);
    if (report_get_int(&report, "size", &found.size_bytes, err) < 0 ||
        report_get_int(&report, "mode", &mode, err) < 0 ||
        report_get_int(&report, "mtime_ns", &found.mtime_ns, err) < 0)
        return -1;
    found.name = arena_strdup(task->mem, report_get(&report, "name"));
    found.link_target = arena_strdup(task->mem, report_get(&report, "link_target"));
    found.go_mode = go_mode((uint32_t)mode);
    *stat = found;
    return 0;
}

int container_archive_get(struct task *task, const char *ref, const char *path,
                          const struct byte_sink *sink, struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    return send(task, &container, "get", path, sink, err) < 0 ? say_missing(ref, path, err) : 0;
}

int container_archive_put(struct task *task, const char *ref, const struct archive_put_spec *spec,
                          const struct byte_source *source, struct error *err)
{
    cleanup_container struct container container = { 0 };
    struct copy copy = { .container = &container, .ref = ref, .spec = spec, .source = source };
    cleanup_op struct op op = { .kind = &container_copy_kind, .data = &copy };

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    op.subject = arena_printf(task->mem, "container '%s'", container.name);
    if (!container_is_running(&container))
        op.objects[0] = arena_printf(task->mem, "container:%s", container.id);
    return op_run(task, &op, err);
}

int container_export(struct task *task, const char *ref, const struct byte_sink *sink,
                     struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    return send(task, &container, "export", NULL, sink, err);
}

static int start(struct task *task, struct container_view *view, const char *verb, const char *path,
                 struct child *child, struct error *err)
{
    struct child_spec spec = {
        .program = task->service->confined_path,
        .verb = verb,
        .argument = path,
        .request = view->request,
        .input = strcmp(verb, "put") == 0 ? CHILD_PIPE : CHILD_NOTHING,
        .output =
            strcmp(verb, "get") == 0 || strcmp(verb, "export") == 0 ? CHILD_PIPE : CHILD_NOTHING,
        .fds = view->fds,
        .fd_count = view->fd_count,
    };

    return child_start(child, &spec, err);
}

static int send(struct task *task, const struct container *container, const char *verb,
                const char *path, const struct byte_sink *sink, struct error *err)
{
    struct container_view_spec spec = { .has_mounts = path != NULL };
    cleanup_container_view struct container_view view = { 0 };
    cleanup_child struct child child = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };

    if (container_view_open(task, container, &spec, &view, err) < 0 ||
        start(task, &view, verb, path, &child, err) < 0 || stream_drain(&child, sink, err) < 0)
        return -1;
    return child_wait(&child, &report, err);
}

/* dockerd's text where the child found nothing at the path. */
static int say_missing(const char *ref, const char *path, struct error *err)
{
    if (err->code != ERR_NOT_FOUND)
        return -1;
    return fail(err, ERR_NOT_FOUND, "Could not find the file %s in container %s", path, ref);
}

static uint32_t go_mode(uint32_t mode)
{
    static const struct {
        uint32_t kind;
        uint32_t go;
    } kinds[] = {
        { S_IFDIR, GO_DIR },    { S_IFLNK, GO_SYMLINK },
        { S_IFBLK, GO_DEVICE }, { S_IFCHR, GO_DEVICE | GO_CHAR_DEVICE },
        { S_IFIFO, GO_FIFO },   { S_IFSOCK, GO_SOCKET },
    };

    uint32_t go = mode & 0777;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if ((mode & S_IFMT) == kinds[i].kind)
            go |= kinds[i].go;
    go |= (mode & S_ISUID) != 0 ? GO_SETUID : 0;
    go |= (mode & S_ISGID) != 0 ? GO_SETGID : 0;
    go |= (mode & S_ISVTX) != 0 ? GO_STICKY : 0;
    return go;
}

/* It must not have been started or stopped since we chose how to reach it. */
static int copy_prepare(struct task *task, struct op *op, struct error *err)
{
    const struct copy *copy = op->data;
    cleanup_container struct container now = { 0 };

    if (container_get(task, copy->container->id, &now, err) < 0)
        return -1;
    if (container_is_running(&now) != container_is_running(copy->container))
        return fail(err, ERR_BUSY, "container %s is changing its state; try again", now.name);
    return 0;
}

static int copy_apply(struct task *task, struct op *op, struct error *err)
{
    static const struct container_view_spec spec = { .has_mounts = true, .is_writable = true };
    const struct copy *copy = op->data;
    cleanup_container_view struct container_view view = { 0 };
    cleanup_child struct child child = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };

    if (op->is_resumed)
        return fail(err, ERR_SYSTEM, "the copy was cut off; its bytes are gone");
    if (container_view_open(task, copy->container, &spec, &view, err) < 0)
        return -1;
    json_set(view.request, "is_no_overwrite_dir_non_dir",
             json_boolean(copy->spec->is_no_overwrite_dir_non_dir));
    if (copy->spec->is_copy_uid_gid)
        json_set(view.request, "user", json_incref(json_member(copy->container->config, "User")));
    if (start(task, &view, "put", copy->spec->path, &child, err) < 0 ||
        stream_feed(&child, copy->source, err) < 0)
        return -1;
    if (child_wait(&child, &report, err) < 0)
        return say_missing(copy->ref, copy->spec->path, err);
    return 0;
}

static int copy_load(struct task *task, struct op *op, struct error *err)
{
    (void)task; /* apply looks at nothing of a resumed copy */
    (void)op;
    (void)err;
    return 0;
}
