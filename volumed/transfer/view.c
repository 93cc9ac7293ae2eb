/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors come from the daemon, so their mounts are cloned before the namespaces are left, and
 * attached after.  A running container's root is cloned inside its own mount namespace, entered by
 * pidfd; a stopped one's overlay is mounted here and goes with this process.
 */
#include "transfer/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "transfer/sandbox.h"

#define OVERLAY_OPTIONS_MAX 4096 /* a page is what mount(2) takes */
#define TREE_ATTRIBUTES     (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int read_mounts(struct confined *run, struct view *view, const json_t *request,
                       struct error *err);
static int clone_running_root(int64_t pidfd, struct error *err);
static int mount_stopped_root(struct confined *run, const json_t *request, struct error *err);
static int enter_scratch(const char *scratch, struct error *err);
static int link_layers(struct confined *run, const json_t *request, struct buf *options,
                       struct error *err);
static int link_upper(struct confined *run, const json_t *request, struct error *err);
static int make_upper(const char *target, const char *name);
static int attach(struct view_mount *mount, struct error *err);
static int open_target(const char *path, bool is_dir);
static int make_read_only(struct error *err);
static int mount_id(int fd, uint64_t *id);

int view_enter(struct confined *run, struct view *view, struct error *err)
{
    const json_t *request = json_member(run->request, "view");
    int64_t pidfd = -1;

    if (json_get_int(request, "pidfd", &pidfd, err) < 0 ||
        json_get_bool(request, "is_read_only", &view->is_read_only, err) < 0 ||
        read_mounts(run, view, request, err) < 0)
        return -1;
    cleanup_fd int running = pidfd < 0 ? -1 : clone_running_root(pidfd, err);
    if ((pidfd >= 0 && running < 0) || sandbox_unshare(err) < 0)
        return -1;
    cleanup_fd int tree = pidfd < 0 ? mount_stopped_root(run, request, err) : move_fd(&running);
    if (tree < 0 || sandbox_enter(tree, err) < 0)
        return -1;
    for (size_t i = 0; i < view->mount_count; i++)
        if (attach(&view->mounts[i], err) < 0)
            return error_prefix(err, "mount '%.200s'", view->mounts[i].path);
    return view->is_read_only ? make_read_only(err) : 0;
}

int view_check_writable(const struct view *view, int fd, struct error *err)
{
    uint64_t id = 0;
    int rc = mount_id(fd, &id);

    if (rc < 0)
        return fail_sys(err, rc, "cannot tell a directory's mount");
    for (size_t i = 0; i < view->mount_count; i++) {
        if (view->mounts[i].mount_id != id)
            continue;
        return view->mounts[i].is_read_only
                   ? fail(err, ERR_DENIED, "mounted volume is marked read-only")
                   : 0;
    }
    return view->is_read_only ? fail(err, ERR_DENIED, "container rootfs is marked read-only") : 0;
}

static int read_mounts(struct confined *run, struct view *view, const json_t *request,
                       struct error *err)
{
    const json_t *list = json_member(request, "mounts");

    view->mount_count = json_array_size(list);
    view->mounts = arena_array(run->mem, view->mount_count, sizeof(*view->mounts));
    for (size_t i = 0; i < view->mount_count; i++) {
        const json_t *item = json_array_get(list, i);
        struct view_mount *mount = &view->mounts[i];
        int64_t fd = -1;
        if (json_get_int(item, "fd", &fd, err) < 0 ||
            json_get_text(item, "path", run->mem, &mount->path, err) < 0 ||
            json_get_bool(item, "is_read_only", &mount->is_read_only, err) < 0)
            return -1;
        uint64_t read_only = mount->is_read_only ? MOUNT_ATTR_RDONLY : 0;
        mount->tree_fd = sandbox_tree((int)fd, TREE_ATTRIBUTES | read_only, err);
        if (mount->tree_fd < 0)
            return error_prefix(err, "mount '%.200s'", mount->path);
    }
    return 0;
}

/* Without what is mounted in it. */
static int clone_running_root(int64_t pidfd, struct error *err)
{
    if (setns((int)pidfd, CLONE_NEWNS) < 0)
        return fail_sys(err, -errno, "cannot enter the container's mounts");
    cleanup_fd int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    return root < 0 ? fail_sys(err, root, "cannot open the container's root")
                    : sandbox_tree(root, TREE_ATTRIBUTES, err);
}

/*
 * Layers are named through short links in a tmpfs of our own: mount(2) takes one page of options
 * whatever the length of our paths, and no path can smuggle an option in.
 */
static int mount_stopped_root(struct confined *run, const json_t *request, struct error *err)
{
    cleanup_buf struct buf options = { 0 };
    const char *scratch = "/";

    if (json_get_text(request, "scratch", run->mem, &scratch, err) < 0 ||
        enter_scratch(scratch, err) < 0 || link_upper(run, request, err) < 0 ||
        link_layers(run, request, &options, err) < 0)
        return -1;
    if (options.size >= OVERLAY_OPTIONS_MAX)
        return fail(err, ERR_UNSUPPORTED, "the container has too many layers");
    if (mkdir("root", 0755) < 0 || mount("overlay", "root", "overlay", 0, options.data) < 0)
        return fail_sys(err, -errno, "cannot mount the container's root");
    cleanup_fd int root = sys_openat(AT_FDCWD, "root", O_PATH | O_DIRECTORY, 0);
    return root < 0 ? fail_sys(err, root, "cannot open the container's root")
                    : sandbox_tree(root, TREE_ATTRIBUTES, err);
}

static int enter_scratch(const char *scratch, struct error *err)
{
    cleanup_fd int fs = sys_fsopen("tmpfs");
    int rc = fs < 0 ? fs : sys_fsconfig_create(fs);

    cleanup_fd int tree = rc < 0 ? rc : sys_fsmount(fs, 0);
    if (tree >= 0)
        rc = sys_move_mount(tree, "", AT_FDCWD, scratch, MOVE_MOUNT_F_EMPTY_PATH);
    if (tree < 0 || rc < 0)
        return fail_sys(err, tree < 0 ? tree : rc, "cannot mount a scratch directory");
    return fchdir(tree) < 0 ? fail_sys(err, -errno, "cannot enter a scratch directory") : 0;
}

static int link_upper(struct confined *run, const json_t *request, struct error *err)
{
    const char *upper = NULL;
    const char *work = NULL;

    if (json_get_text(request, "upper", run->mem, &upper, err) < 0 ||
        json_get_text(request, "work", run->mem, &work, err) < 0)
        return -1;
    int rc = make_upper(upper, "u");
    if (rc >= 0)
        rc = make_upper(work, "w");
    return rc < 0 ? fail_sys(err, rc, "cannot name the container's own layer") : 0;
}

static int make_upper(const char *target, const char *name)
{
    return target == NULL ? sys_mkdirat(AT_FDCWD, name, 0755)
                          : sys_symlinkat(target, AT_FDCWD, name);
}

/* The last layer is an empty one: overlayfs wants a lower directory, also of an image of nothing.
 */
static int link_layers(struct confined *run, const json_t *request, struct buf *options,
                       struct error *err)
{
    const char *const *layers = NULL;
    size_t count = 0;
    char name[16];

    if (json_get_list(request, "layers", run->mem, &layers, err) < 0)
        return -1;
    buf_text(options, "lowerdir=");
    for (; layers != NULL && layers[count] != NULL; count++) {
        (void)snprintf(name, sizeof(name), "%zu", count); /* fits */
        if (symlink(layers[count], name) < 0)
            return fail_sys(err, -errno, "cannot name a layer");
        buf_printf(options, "%s:", name);
    }
    if (mkdir("e", 0755) < 0)
        return fail_sys(err, -errno, "cannot make an empty layer");
    buf_text(options, "e,upperdir=u,workdir=w,redirect_dir=off,metacopy=off,index=off");
    return 0;
}

static int attach(struct view_mount *mount, struct error *err)
{
    struct stat st;

    if (fstat(mount->tree_fd, &st) < 0)
        return fail_sys(err, -errno, "cannot look at it");
    cleanup_fd int target = open_target(mount->path, S_ISDIR(st.st_mode));
    if (target < 0)
        return fail_sys(err, target, "cannot open its place");
    int rc = sys_move_mount(mount->tree_fd, "", target, "",
                            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    if (rc >= 0)
        rc = mount_id(mount->tree_fd, &mount->mount_id);
    sys_close_fd(&mount->tree_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot attach it") : 0;
}

/* A container that never ran may lack the places of its mounts. */
static int open_target(const char *path, bool is_dir)
{
    cleanup_fd int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    int fd = root < 0 ? root : path_open_in_root(root, path, O_PATH);

    if (fd != -ENOENT)
        return fd;
    if (is_dir)
        return path_make_beneath(root, path, 0755);
    cleanup_arena struct arena *mem = arena_new();
    const char *base = path_base(path);
    const char *directory = arena_strndup(mem, path, (size_t)(base - path));
    cleanup_fd int parent = path_make_beneath(root, directory, 0755);
    if (parent < 0)
        return parent;
    cleanup_fd int made = sys_openat(parent, base, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    return made < 0 ? made : sys_openat(parent, base, O_PATH | O_NOFOLLOW, 0);
}

/* The root alone, once the places of the mounts are made. */
static int make_read_only(struct error *err)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
    int rc = sys_mount_setattr(AT_FDCWD, "/", 0, &attr);

    return rc < 0 ? fail_sys(err, rc, "cannot make the root read-only") : 0;
}

static int mount_id(int fd, uint64_t *id)
{
    struct statx st;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
        return -errno;
    *id = st.stx_mnt_id;
    return 0;
}
