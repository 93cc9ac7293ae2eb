/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A running container is named by a pidfd, a stopped one by its layers and box; volumes and binds
 * are opened here, where links and namespaces are the host's own.
 */
#include "core/container/container_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/units.h"
#include "core/attachment/attachment.h"
#include "core/box/box.h"
#include "core/image/image.h"
#include "core/service.h"

#define PID_FILE      "supervise.pid"
#define PROC_FILE_MAX ((size_t)4096)

/* Volumes and binds in one list, to be put in order. */
struct place_fd {
    const char *path;
    int fd;
    bool is_read_only;
};

static int add_root(struct task *task, const struct container *container, bool is_writable,
                    struct container_view *view, struct error *err);
static int add_running(struct task *task, const struct container *container,
                       struct container_view *view, json_t *request, struct error *err);
static int check_parent(struct task *task, const struct container *container, struct error *err);
static int read_number(struct arena *mem, int dirfd, const char *name, int64_t *number);
static int read_parent(struct arena *mem, int64_t pid, int64_t *parent);
static int add_mounts(struct task *task, const struct container *container,
                      struct container_view *view, struct error *err);
static int open_scratch(struct task *task, const struct container_view *view,
                        struct attachment_mount *mount, struct error *err);
static int open_binds(const struct container *container, struct place_fd *places, size_t *count,
                      struct error *err);
static int compare_places(const void *left, const void *right);
static int add_fd(struct container_view *view, int *fd, struct error *err);

bool container_is_running(const struct container *container)
{
    return container->pid > 0 &&
           (strcmp(container->state, "running") == 0 || strcmp(container->state, "paused") == 0);
}

int container_view_open(struct task *task, const struct container *container,
                        const struct container_view_spec *spec, struct container_view *view,
                        struct error *err)
{
    *view = (struct container_view){ .request = json_object() };
    json_set(view->request, "view", json_object());
    if (strcmp(container->state, "starting") == 0 || strcmp(container->state, "removing") == 0)
        return fail(err, ERR_BUSY, "container %s is %s", container->name, container->state);
    view->is_running = container_is_running(container);
    if (add_root(task, container, spec->is_writable, view, err) < 0)
        return -1;
    return spec->has_mounts ? add_mounts(task, container, view, err) : 0;
}

void container_view_done(struct container_view *view)
{
    for (size_t i = 0; i < view->fd_count; i++)
        sys_close_fd(&view->fds[i]);
    view->fd_count = 0;
    json_decref(view->request);
    view->request = NULL;
}

static int add_root(struct task *task, const struct container *container, bool is_writable,
                    struct container_view *view, struct error *err)
{
    json_t *request = json_object_get(view->request, "view");
    const char *box = box_path(task, container->id);
    const char *const *dirs;
    json_t *layers;

    json_set(request, "is_read_only",
             json_boolean(json_is_true(json_member(container->host_config, "ReadonlyRootfs"))));
    if (view->is_running)
        return add_running(task, container, view, request, err);
    if (box_make(task, container->id, err) < 0 ||
        image_layers(task, container->chain_id, &dirs, err) < 0)
        return -1;
    layers = json_list(dirs);
    json_set(request, "layers", layers);
    json_set(request, "scratch",
             json_text(arena_printf(task->mem, "%s/tmp", task->service->state_dir)));
    json_t *upper = json_text(arena_printf(task->mem, "%s/upper", box));
    if (is_writable) {
        json_set(request, "upper", upper);
        json_set(request, "work", json_text(arena_printf(task->mem, "%s/work", box)));
    } else {
        /* Only looked at, so that a start meanwhile is not in the way of anything. */
        (void)json_array_insert_new(layers, 0, upper); /* fails only for want of memory */
    }
    return 0;
}

static int add_running(struct task *task, const struct container *container,
                       struct container_view *view, json_t *request, struct error *err)
{
    cleanup_fd int pidfd = sys_pidfd_open((pid_t)container->pid);

    if (pidfd < 0)
        return fail(err, ERR_BUSY, "container %s is ending", container->name);
    /* With the pidfd in hand: the number cannot have a new owner any more. */
    if (check_parent(task, container, err) < 0)
        return -1;
    json_set(request, "pidfd", json_integer(CHILD_FIRST_FD + (json_int_t)view->fd_count));
    return add_fd(view, &pidfd, err);
}

/* The row's pid may be of the past: its process is the container's only below its supervisor. */
static int check_parent(struct task *task, const struct container *container, struct error *err)
{
    int64_t supervisor = 0;
    int64_t parent = -1;
    cleanup_fd int box = box_open(task, container->id, err);

    if (box < 0)
        return -1;
    if (read_number(task->mem, box, PID_FILE, &supervisor) < 0 ||
        read_parent(task->mem, container->pid, &parent) < 0 || parent != supervisor)
        return fail(err, ERR_BUSY, "container %s is ending", container->name);
    return 0;
}

static int read_number(struct arena *mem, int dirfd, const char *name, int64_t *number)
{
    struct error ignored;
    char *text;

    if (fs_read_file(mem, dirfd, name, PROC_FILE_MAX, &text, NULL, &ignored) < 0)
        return -1;
    text[strcspn(text, "\n")] = '\0';
    return units_parse_int(text, number);
}

/* The fourth field of /proc/PID/stat; the second, in brackets, may hold anything. */
static int read_parent(struct arena *mem, int64_t pid, int64_t *parent)
{
    const char *path = arena_printf(mem, "/proc/%lld/stat", (long long)pid);
    struct error ignored;
    char *text;

    if (fs_read_file(mem, AT_FDCWD, path, PROC_FILE_MAX, &text, NULL, &ignored) < 0)
        return -1;
    char *fields = strrchr(text, ')');
    if (fields == NULL || strlen(fields) < strlen(") S 1"))
        return -1;
    fields += strlen(") S ");
    fields[strcspn(fields, " ")] = '\0';
    return units_parse_int(fields, parent);
}

static int add_mounts(struct task *task, const struct container *container,
                      struct container_view *view, struct error *err)
{
    struct attachment_mount *volumes;
    struct place_fd places[CHILD_FDS_MAX];
    size_t volume_count;
    size_t count = 0;
    json_t *list = json_array();

    json_set(json_object_get(view->request, "view"), "mounts", list);
    if (attachment_open(task, container->id, &volumes, &volume_count, err) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < volume_count && count < ARRAY_SIZE(places); i++) {
        const struct attachment *attachment = &volumes[i].attachment;
        if (attachment->is_scratch)
            rc = open_scratch(task, view, &volumes[i], err);
        if (rc == 0)
            places[count++] = (struct place_fd){ attachment->destination, move_fd(&volumes[i].fd),
                                                 attachment_is_read_only(attachment) };
    }
    attachment_close(volumes, volume_count);
    if (rc == 0)
        rc = open_binds(container, places, &count, err);
    qsort(places, count, sizeof(places[0]), compare_places);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_object();
        json_set(item, "fd", json_integer(CHILD_FIRST_FD + (json_int_t)view->fd_count));
        json_set(item, "path", json_text(places[i].path));
        json_set(item, "is_read_only", json_boolean(places[i].is_read_only));
        (void)json_array_append_new(list, item); /* fails only for want of memory */
        if (rc == 0)
            rc = add_fd(view, &places[i].fd, err);
        sys_close_fd(&places[i].fd);
    }
    return rc;
}

/* Of a stopped container, nobody else has it mounted; a running one is joined, and has its own. */
static int open_scratch(struct task *task, const struct container_view *view,
                        struct attachment_mount *mount, struct error *err)
{
    if (view->is_running)
        return 0;
    int fd = scratch_mount(task->mem, &mount->scratch, err);
    if (fd < 0)
        return error_prefix(err, "cannot see '%s'", mount->attachment.destination);
    sys_close_fd(&mount->fd);
    mount->fd = fd;
    return 0;
}

static int open_binds(const struct container *container, struct place_fd *places, size_t *count,
                      struct error *err)
{
    size_t index;
    const json_t *mount;

    json_array_foreach(container->mounts, index, mount)
    {
        const char *type = json_string_value(json_object_get(mount, "Type"));
        const char *source = json_string_value(json_object_get(mount, "Source"));
        const char *path = json_string_value(json_object_get(mount, "Destination"));
        if (type == NULL || strcmp(type, "bind") != 0 || source == NULL || path == NULL)
            continue;
        if (*count == CHILD_FDS_MAX)
            return fail(err, ERR_UNSUPPORTED, "the container has too many mounts");
        int fd = sys_openat(AT_FDCWD, source, O_PATH, 0);
        if (fd == -ENOENT) /* it will be made, or missed, at the start */
            continue;
        if (fd < 0)
            return fail_sys(err, fd, "cannot open '%s'", source);
        bool is_writable = json_is_true(json_object_get(mount, "RW"));
        places[(*count)++] = (struct place_fd){ path, fd, !is_writable };
    }
    return 0;
}

/* Parents first. */
static int compare_places(const void *left, const void *right)
{
    const struct place_fd *a = left;
    const struct place_fd *b = right;
    int by_depth = path_depth(a->path) - path_depth(b->path);

    return by_depth != 0 ? by_depth : strcmp(a->path, b->path);
}

static int add_fd(struct container_view *view, int *fd, struct error *err)
{
    if (view->fd_count == ARRAY_SIZE(view->fds))
        return fail(err, ERR_UNSUPPORTED, "the container has too many mounts");
    view->fds[view->fd_count++] = move_fd(fd);
    return 0;
}
