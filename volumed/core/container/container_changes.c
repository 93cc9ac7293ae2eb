/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writable layer: what it changes of the image, and how large it is.  Read from the layer's
 * directory itself, also while the container runs: the answer is then a moment's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/dir.h"
#include "base/path.h"
#include "base/sys.h"
#include "core/box/box.h"
#include "core/container/container.h"
#include "core/image/image.h"
#include "mount/overlay.h"

#define DEPTH_MAX 128

enum change_kind {
    CHANGE_MODIFIED = 0,
    CHANGE_ADDED = 1,
    CHANGE_DELETED = 2
};

struct walk {
    struct task *task;
    int lower_fd; /* the image's tree; -1: there is none, or only sizes are wanted */
    json_t *changes;
    size_t hidden; /* places of mounts that were passed over */
    int64_t bytes;
    int depth;
};

/* Made by starts for what is mounted there; the container did not change them. */
static const char *const mount_places[] = { "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
                                            "/dev",       "/proc",         "/sys" };

static int open_upper(struct task *task, const char *id, struct error *err);
static int walk_dir(struct walk *walk, int dirfd, const char *path, struct error *err);
static int visit(struct walk *walk, int dirfd, const char *name, const char *path,
                 struct error *err);
static int visit_dir(struct walk *walk, int dirfd, const char *name, const char *path,
                     struct error *err);
static void note_change(struct walk *walk, const struct stat *st, const char *path);
static bool is_mount_place(const char *path);
static bool is_whiteout(const struct stat *st);

int container_changes(struct task *task, const char *ref, json_t **changes, struct error *err)
{
    cleanup_container struct container container = { 0 };
    cleanup_json json_t *list = json_array();
    const char *const *dirs;

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    cleanup_fd int upper_fd = open_upper(task, container.id, err);
    cleanup_fd int lower_fd = -1;
    if (upper_fd < 0)
        return -1;
    if (container.chain_id != NULL) {
        if (image_layers(task, container.chain_id, &dirs, err) < 0)
            return -1;
        lower_fd = overlay_view_open(dirs, err);
        if (lower_fd < 0)
            return -1;
    }
    struct walk walk = { .task = task, .lower_fd = lower_fd, .changes = list };
    if (walk_dir(&walk, upper_fd, "", err) < 0)
        return -1;
    *changes = json_incref(list);
    return 0;
}

int container_sizes(struct task *task, const struct container *container, int64_t *writable_bytes,
                    int64_t *root_bytes, struct error *err)
{
    struct walk walk = { .task = task, .lower_fd = -1 };
    struct image image = { 0 };
    struct error gone; /* an image that was removed by force adds nothing that can be told */
    cleanup_fd int upper_fd = open_upper(task, container->id, err);

    if (upper_fd < 0 || walk_dir(&walk, upper_fd, "", err) < 0)
        return -1;
    if (image_get(task, container->image_id, &image, &gone) < 0)
        image.size_bytes = 0;
    *writable_bytes = walk.bytes;
    *root_bytes = walk.bytes + image.size_bytes;
    return 0;
}

static int open_upper(struct task *task, const char *id, struct error *err)
{
    cleanup_fd int box_fd = box_open(task, id, err);

    if (box_fd < 0)
        return -1;
    int fd = sys_openat(box_fd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open the writable layer of '%s'", id) : fd;
}

static int walk_dir(struct walk *walk, int dirfd, const char *path, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(dirfd, ".", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read '%s'", path);
    if (walk->depth == DEPTH_MAX)
        return fail(err, ERR_UNSUPPORTED, "'%s' is nested too deeply", path);
    walk->depth++;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        const char *below = arena_printf(walk->task->mem, "%s/%s", path, entry->d_name);
        if (visit(walk, dirfd, entry->d_name, below, err) < 0)
            return -1;
    }
    walk->depth--;
    return 0;
}

/* What vanishes under us is no failure: the container may be running. */
static int visit(struct walk *walk, int dirfd, const char *name, const char *path,
                 struct error *err)
{
    struct stat st;
    int rc = sys_fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot look at '%s'", path);
    if (S_ISREG(st.st_mode))
        walk->bytes += st.st_size;
    if (walk->changes != NULL)
        note_change(walk, &st, path);
    return S_ISDIR(st.st_mode) ? visit_dir(walk, dirfd, name, path, err) : 0;
}

/* A directory that is in the layer only to hold places of mounts has not changed either. */
static int visit_dir(struct walk *walk, int dirfd, const char *name, const char *path,
                     struct error *err)
{
    cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    size_t listed = json_array_size(walk->changes);
    size_t hidden = walk->hidden;

    if (fd == -ENOENT)
        return 0;
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", path);
    if (walk_dir(walk, fd, path, err) < 0)
        return -1;
    if (listed > 0 && json_array_size(walk->changes) == listed && walk->hidden > hidden)
        (void)json_array_remove(walk->changes, listed - 1); /* its own entry */
    return 0;
}

static void note_change(struct walk *walk, const struct stat *st, const char *path)
{
    enum change_kind kind = CHANGE_ADDED;

    if (is_whiteout(st)) {
        kind = CHANGE_DELETED;
    } else if (walk->lower_fd >= 0) {
        cleanup_fd int fd = path_open_beneath(walk->lower_fd, path, O_PATH | O_NOFOLLOW);
        if (fd >= 0)
            kind = CHANGE_MODIFIED;
    }
    if (kind == CHANGE_ADDED && is_mount_place(path) &&
        (S_ISDIR(st->st_mode) || st->st_size == 0)) {
        walk->hidden++;
        return;
    }
    json_array_append_new(walk->changes,
                          json_pack("{so si}", "Path", json_text(path), "Kind", (int)kind));
}

static bool is_mount_place(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(mount_places); i++)
        if (strcmp(path, mount_places[i]) == 0)
            return true;
    return false;
}

static bool is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}
