/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images behind loop devices.  A filesystem is made under the name "image.new", so that "image" is
 * always whole; it is mounted for writing even where nobody may write, since its journal has to be
 * replayed after a crash, and in a copy of a volume in use always.
 *
 * In the filesystem the contents' directory bears the tree's place and name.  A tree that was
 * copied or moved has another, and the directory follows when it is next mounted.
 */
#include "core/volume/volume_image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/operation/claim.h"
#include "driver/image.h"
#include "driver/resize.h"
#include "mount/disk.h"
#include "mount/loop.h"
#include "runtime/mkfs.h"

#define CONTENTS_MODE 0755
#define PLACE_MODE    0700

static int make_filesystem(int tree_fd, const char *path, struct error *err);
static int allocate_again(int tree_fd);
static int mount_image(int image_fd, const char *path, struct error *err);
static int name_contents(int root_fd, enum tree_place place, const char *name, struct error *err);
static int find_contents(int root_fd, struct arena *mem, const char **path, struct error *err);
static int clone_mount(int root_fd, enum tree_place place, const char *name, bool is_read_only,
                       struct error *err);

int image_open(const struct driver_pool *pool, int tree_fd, enum tree_place place, const char *name,
               bool is_read_only, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    cleanup_claim struct claim turn = { 0 }; /* two loop devices of one file would ruin it */
    const char *path =
        arena_printf(mem, "%s/%s/%s/" IMAGE_FILE, pool->path, tree_place_name(place), name);

    claim_enter(&turn, path);
    cleanup_fd int image_fd = sys_openat(tree_fd, IMAGE_FILE, O_RDWR | O_NOFOLLOW, 0);
    if (image_fd == -ENOENT) {
        if (make_filesystem(tree_fd, path, err) < 0)
            return -1;
        image_fd = sys_openat(tree_fd, IMAGE_FILE, O_RDWR | O_NOFOLLOW, 0);
    }
    if (image_fd < 0)
        return fail_sys(err, image_fd, "cannot open the image of '%s'", name);
    cleanup_fd int mount_fd = mount_image(image_fd, path, err);
    if (mount_fd < 0)
        return -1;
    cleanup_fd int root_fd = sys_openat(mount_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (root_fd < 0)
        return fail_sys(err, root_fd, "cannot open the image of '%s'", name);
    if (name_contents(root_fd, place, name, err) < 0)
        return -1;
    return clone_mount(root_fd, place, name, is_read_only, err);
}

int image_grow(const struct driver_pool *pool, int tree_fd, int view_fd, struct error *err)
{
    struct loop loop = { .fd = -1 };
    struct stat st;
    cleanup_fd int fd = sys_openat(tree_fd, IMAGE_FILE, O_RDWR | O_NOFOLLOW, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &st, AT_EMPTY_PATH);

    if (rc < 0)
        return fail_sys(err, rc, "cannot open an image in pool '%s'", pool->name);
    if (image_filesystem_bytes(fd) == st.st_size)
        return 0;
    int found = loop_find(fd, &loop, err);
    if (found > 0)
        rc = loop_resize(&loop, err);
    loop_close(&loop);
    if (found < 0 || rc < 0)
        return -1;
    return resize_filesystem(view_fd, IMAGE_FILESYSTEM, st.st_size, err);
}

int image_rebuild(const struct driver_pool *pool, int tree_fd, enum tree_place place,
                  const char *name, int64_t size_bytes, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *path =
        arena_printf(mem, "%s/%s/%s/" IMAGE_NEW, pool->path, tree_place_name(place), name);
    cleanup_fd int fd = image_copy_begin(pool, tree_fd, size_bytes, err);

    if (fd < 0)
        return -1;
    int rc = mkfs_resize(mem, IMAGE_FILESYSTEM, path, size_bytes, err);
    if (rc == 0) {
        rc = sys_ftruncate(fd, size_bytes);
        if (rc >= 0)
            rc = allocate_again(tree_fd);
        if (rc >= 0)
            rc = sys_renameat2(tree_fd, IMAGE_NEW, tree_fd, IMAGE_FILE, 0);
        if (rc >= 0)
            rc = sys_fsync(tree_fd);
        if (rc < 0)
            (void)fail_sys(err, rc, "cannot replace the image of '%s'", name);
    }
    if (rc < 0)
        (void)sys_unlinkat(tree_fd, IMAGE_NEW, 0); /* the failure counts */
    return rc < 0 ? -1 : 0;
}

int image_check(struct error *err)
{
    if (!mkfs_is_there(IMAGE_FILESYSTEM))
        return fail(err, ERR_UNSUPPORTED, "there is no 'mkfs.ext4' here: install e2fsprogs");
    if (access("/dev/loop-control", F_OK) < 0)
        return fail(err, ERR_UNSUPPORTED, "there are no loop devices here");
    return 0;
}

static int make_filesystem(int tree_fd, const char *path, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    char id[UUID_SIZE];

    uuid_make(id);
    const struct mkfs_spec spec = {
        .type = IMAGE_FILESYSTEM,
        .path = arena_printf(mem, "%.*s/" IMAGE_NEW, (int)(strrchr(path, '/') - path), path),
        .uuid = id,
        .is_forced = true, /* of one that was killed */
    };
    if (mkfs_run(mem, &spec, err) < 0)
        return -1;
    int rc = allocate_again(tree_fd);
    if (rc >= 0)
        rc = sys_renameat2(tree_fd, IMAGE_NEW, tree_fd, IMAGE_FILE, 0);
    if (rc >= 0)
        rc = sys_fsync(tree_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot keep image '%s'", path) : 0;
}

/* The programs zero by making holes where nothing better is there. */
static int allocate_again(int tree_fd)
{
    struct stat st;
    cleanup_fd int fd = sys_openat(tree_fd, IMAGE_NEW, O_RDWR | O_NOFOLLOW, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &st, AT_EMPTY_PATH);

    if (rc >= 0)
        rc = sys_fallocate(fd, 0, 0, st.st_size);
    return rc < 0 ? rc : sys_fsync(fd);
}

/* Discards would give back what was allocated. */
static int mount_image(int image_fd, const char *path, struct error *err)
{
    static const char *const options[] = { "nodiscard", NULL };
    struct loop loop = { .fd = -1 };

    if (loop_open(image_fd, path, &loop, err) < 0)
        return -1;
    int mount_fd = disk_open(
        &(struct disk_spec){ .type = IMAGE_FILESYSTEM, .device = loop.path, .options = options },
        err);
    loop_close(&loop); /* without a mount it goes */
    return mount_fd;
}

static int name_contents(int root_fd, enum tree_place place, const char *name, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *wanted = arena_printf(mem, "%s/%s", tree_place_name(place), name);
    const char *present = NULL;
    cleanup_fd int place_fd = fs_make_dir(root_fd, tree_place_name(place), PLACE_MODE, err);

    if (place_fd < 0 || find_contents(root_fd, mem, &present, err) < 0)
        return -1;
    if (present != NULL && strcmp(present, wanted) == 0)
        return 0;
    int rc = present != NULL ? sys_renameat2(root_fd, present, root_fd, wanted, RENAME_NOREPLACE)
                             : sys_mkdirat(root_fd, wanted, CONTENTS_MODE);
    if (rc >= 0 && present == NULL) /* whatever our umask */
        rc = sys_fchmodat(root_fd, wanted, CONTENTS_MODE);
    if (rc >= 0)
        rc = sys_syncfs(root_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot name the contents of '%s'", name) : 0;
}

/* NULL: a new filesystem has none. */
static int find_contents(int root_fd, struct arena *mem, const char **path, struct error *err)
{
    for (enum tree_place place = TREE_IN_VOLUMES; place <= TREE_IN_TMP; place++) {
        cleanup_dir DIR *dir = NULL;
        int rc = dir_open(root_fd, tree_place_name(place), &dir);
        if (rc == -ENOENT)
            continue;
        if (rc < 0)
            return fail_sys(err, rc, "cannot read an image");
        for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
            if (!uuid_is_valid(entry->d_name))
                continue;
            *path = arena_printf(mem, "%s/%s", tree_place_name(place), entry->d_name);
            return 0;
        }
    }
    *path = NULL;
    return 0;
}

static int clone_mount(int root_fd, enum tree_place place, const char *name, bool is_read_only,
                       struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
    cleanup_fd int fd =
        sys_open_tree(root_fd, arena_printf(mem, "%s/%s", tree_place_name(place), name),
                      OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
    int rc = fd < 0 ? fd : 0;

    if (rc == 0 && is_read_only)
        rc = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
    return rc < 0 ? fail_sys(err, rc, "cannot mount the contents of '%s'", name) : move_fd(&fd);
}
