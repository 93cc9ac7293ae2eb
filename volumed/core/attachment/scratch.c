/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of scratches, and how they are mounted. */
#include "core/attachment/scratch.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/sys.h"
#include "core/box/box.h"
#include "driver/attributes.h"
#include "mount/overlay.h"

static int make_upper(int dir_fd, int lower_fd, struct error *err);
static const char *escape(struct arena *mem, const char *path);

int scratch_open(struct task *task, const struct attachment *attachment, int lower_fd,
                 const char *lower, struct scratch *scratch, struct error *err)
{
    const char *container_id = attachment->container_id;
    const char *scratch_id = attachment->scratch_id;
    cleanup_fd int box_fd = box_open(task, container_id, err);
    if (box_fd < 0)
        return -1;
    cleanup_fd int all_fd = fs_make_dir(box_fd, "scratch", 0700, err);
    if (all_fd < 0)
        return -1;
    cleanup_fd int dir_fd = fs_make_dir(all_fd, scratch_id, 0700, err);
    if (dir_fd < 0)
        return -1;
    cleanup_fd int work_fd = fs_make_dir(dir_fd, "work", 0700, err);
    if (work_fd < 0 || make_upper(dir_fd, lower_fd, err) < 0)
        return error_prefix(err, "cannot make a scratch");
    const char *dir =
        arena_printf(task->mem, "%s/scratch/%s", box_path(task, container_id), scratch_id);
    *scratch = (struct scratch){
        .lower = lower,
        .upper = arena_printf(task->mem, "%s/upper", dir),
        .work = arena_printf(task->mem, "%s/work", dir),
    };
    return 0;
}

/*
 * Nothing of what overlayfs offers to do better is wanted here: with these off, the upper layer can
 * be read by whoever knows whiteouts and opaque directories, which is how a scratch is promoted.
 */
const char *const *scratch_options(struct arena *mem, const struct scratch *scratch)
{
    static const char *const plain[] = { "redirect_dir=off", "metacopy=off", "index=off" };
    const char **options = arena_array(mem, ARRAY_SIZE(plain) + 4, sizeof(*options));

    options[0] = arena_printf(mem, "lowerdir=%s", escape(mem, scratch->lower));
    options[1] = arena_printf(mem, "upperdir=%s", escape(mem, scratch->upper));
    options[2] = arena_printf(mem, "workdir=%s", escape(mem, scratch->work));
    memcpy(options + 3, plain, sizeof(plain));
    return options;
}

int scratch_mount(struct arena *mem, const struct scratch *scratch, struct error *err)
{
    return overlay_mount_detached(scratch_options(mem, scratch), err);
}

/* It appears under its name when it has its attributes. */
static int make_upper(int dir_fd, int lower_fd, struct error *err)
{
    struct stat st;

    if (sys_fstatat(dir_fd, "upper", &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    cleanup_fd int fd = fs_make_dir(dir_fd, "upper.new", 0700, err);
    if (fd < 0)
        return -1;
    cleanup_fd int from_fd = sys_openat(lower_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    int rc = from_fd < 0 ? from_fd : sys_fstatat(from_fd, "", &st, AT_EMPTY_PATH);
    if (rc >= 0)
        rc = attributes_copy(&(struct attributes_place){ .fd = from_fd }, &st,
                             &(struct attributes_place){ .fd = fd }, true);
    if (rc >= 0)
        rc = sys_renameat2(dir_fd, "upper.new", dir_fd, "upper", 0);
    return rc < 0 ? fail_sys(err, rc, "cannot make the upper layer") : 0;
}

/* What separates layers in an overlay's options. */
static const char *escape(struct arena *mem, const char *path)
{
    char *escaped = arena_alloc(mem, 2 * strlen(path) + 1);
    size_t used = 0;

    for (; *path != '\0'; path++) {
        if (*path == ':' || *path == '\\' || *path == ',')
            escaped[used++] = '\\';
        escaped[used++] = *path;
    }
    return escaped;
}
