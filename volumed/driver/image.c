/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees that are filesystems in files of their own: what limits them on a pool that counts nothing
 * is how large the file is.  The file is allocated whole, so that a volume never has less than it
 * shows: a write that its filesystem accepted must not fail in the pool, which would lose it.
 *
 * A copy is one of the file.  Where the pool's filesystem shares blocks it is of one instant, also
 * while the volume is written to, and afterwards each gets blocks of its own again: what is shared
 * would have to be found by the next write.
 */
#include "driver/image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "driver/copying.h"
#include "driver/data.h"
#include "driver/driver.h"

#define RANK       1 /* only ever chosen by name */
#define MIB        ((int64_t)1 << 20)
#define MIN_BYTES  (16 * MIB) /* a quarter is the journal, and more of a smaller one */
#define FILE_MODE  0600
#define TREE_MODE  0711
#define VIEW_MODE  0700
#define SUPERBLOCK 1024 /* where ext4's begins */

static int probe(int dirfd);
static int create(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);
static int remove_tree(const struct driver_pool *pool, int dirfd, const char *name,
                       struct error *err);
static int clone_image(const struct driver_pool *pool, const struct driver_copy *copy,
                       struct error *err);
static int separate(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);
static int sync_view(int fd, struct error *err);
static int check_limit(const struct driver_pool *pool, const struct driver_limit *limit,
                       struct error *err);
static int set_limit(const struct driver_pool *pool, int fd, const struct driver_limit *limit,
                     struct error *err);
static int get_limit(const struct driver_pool *pool, int fd, struct driver_limit *limit,
                     struct error *err);
static int usage(const struct driver_pool *pool, int fd, bool is_fresh, struct driver_usage *usage,
                 struct error *err);
static int make_view(int tree_fd, struct error *err);
static int fill(const struct driver_pool *pool, int tree_fd, const struct driver_copy *copy,
                struct error *err);
static int64_t wanted_bytes(const struct driver_copy *copy, int64_t present);
static int sync_both(int fd, int dirfd);
static int copy_bytes(const struct driver_pool *pool, int from_fd, int to_fd,
                      const struct driver_copy *copy, int64_t size, struct error *err);
static int publish(const struct driver_pool *pool, const struct driver_copy *copy,
                   struct error *err);
static int open_image(int tree_fd, int flags, bool *is_new);
static int allocate(const struct driver_pool *pool, int fd, int64_t size, struct error *err);
static int resize(const struct driver_pool *pool, int fd, int64_t from, int64_t to,
                  struct error *err);
static bool is_tree(const struct driver_pool *pool, int fd);

const struct driver image_driver = {
    .name = "image",
    .clone_cost = COST_BYTES,
    .image = IMAGE_FILESYSTEM,
    .probe = probe,
    .create = create,
    .remove = remove_tree,
    .clone = clone_image,
    .separate = separate,
    .sync = sync_view,
    .check_limit = check_limit,
    .set_limit = set_limit,
    .get_limit = get_limit,
    .usage = usage,
};

/* btrfs limits volumes itself, and writes each block anew, so that nothing there is allocated. */
static int probe(int dirfd)
{
    return fs_magic(dirfd) == BTRFS_SUPER_MAGIC ? 0 : RANK;
}

int image_copy_begin(const struct driver_pool *pool, int tree_fd, int64_t size_bytes,
                     struct error *err)
{
    struct stat st;
    cleanup_fd int from_fd = sys_openat(tree_fd, IMAGE_FILE, O_RDONLY | O_NOFOLLOW, 0);
    int rc = from_fd < 0 ? from_fd : sys_fstatat(from_fd, "", &st, AT_EMPTY_PATH);
    cleanup_fd int to_fd =
        rc < 0 ? rc
               : sys_openat(tree_fd, IMAGE_NEW, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, FILE_MODE);

    if (to_fd < 0)
        return fail_sys(err, to_fd, "cannot copy an image");
    if (copy_bytes(pool, from_fd, to_fd, &(struct driver_copy){ .source_fd = tree_fd }, st.st_size,
                   err) < 0 ||
        (size_bytes > st.st_size && allocate(pool, to_fd, size_bytes, err) < 0)) {
        (void)sys_unlinkat(tree_fd, IMAGE_NEW, 0); /* the failure counts */
        return -1;
    }
    return move_fd(&to_fd);
}

int64_t image_filesystem_bytes(int fd)
{
    struct {
        uint32_t inodes;
        uint32_t blocks;
        uint32_t others[4];
        uint32_t block_shift; /* over 1024 */
        uint32_t more[7];
        uint16_t magic;
    } block = { 0 };

    if (pread(fd, &block, sizeof(block), SUPERBLOCK) < (ssize_t)sizeof(block) ||
        block.magic != EXT4_SUPER_MAGIC || block.block_shift > 6)
        return 0;
    return (int64_t)block.blocks * 1024 << block.block_shift;
}

/* Without an image yet: how large that is, is its limit. */
static int create(const struct driver_pool *pool, int dirfd, const char *name, struct error *err)
{
    if (copying_create(pool, dirfd, name, err) < 0)
        return -1;
    cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open '%s' in pool '%s'", name, pool->name)
                  : make_view(fd, err);
}

/* The view first: it refuses while something is mounted there, and then nothing has been done. */
static int remove_tree(const struct driver_pool *pool, int dirfd, const char *name,
                       struct error *err)
{
    cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    int rc = fd < 0 ? 0 : sys_unlinkat(fd, IMAGE_VIEW, AT_REMOVEDIR);

    if (rc < 0 && rc != -ENOENT)
        return fail_sys(err, rc, "cannot remove '%s' from pool '%s'", name, pool->name);
    return copying_remove(pool, dirfd, name, err);
}

static int clone_image(const struct driver_pool *pool, const struct driver_copy *copy,
                       struct error *err)
{
    if (remove_tree(pool, pool->tmp_fd, copy->name, err) < 0) /* left by a crash */
        return -1;
    cleanup_fd int tree_fd = fs_make_dir(pool->tmp_fd, copy->name, TREE_MODE, err);
    if (tree_fd < 0 || make_view(tree_fd, err) < 0 || fill(pool, tree_fd, copy, err) < 0 ||
        publish(pool, copy, err) < 0)
        return error_prefix(err, "pool '%s'", pool->name);
    return 0;
}

static int separate(const struct driver_pool *pool, int dirfd, const char *name, struct error *err)
{
    bool is_new = false;
    struct stat st;
    cleanup_fd int tree_fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    cleanup_fd int fd = tree_fd < 0 ? tree_fd : open_image(tree_fd, O_RDWR, &is_new);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &st, AT_EMPTY_PATH);

    if (rc >= 0 && !is_new)
        rc = sys_fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, st.st_size);
    if (rc == -EOPNOTSUPP) /* then nothing is shared either */
        rc = 0;
    return rc < 0 ? fail_sys(err, rc, "pool '%s' has no room for a copy", pool->name) : 0;
}

/* Of the tree's own directory; a view that is not mounted has nothing to write. */
static int sync_view(int fd, struct error *err)
{
    cleanup_fd int view_fd = sys_openat(fd, IMAGE_VIEW, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    int rc = sys_syncfs(view_fd < 0 ? fd : view_fd);

    return rc < 0 ? fail_sys(err, rc, "cannot sync") : 0;
}

static int check_limit(const struct driver_pool *pool, const struct driver_limit *limit,
                       struct error *err)
{
    if (limit->inodes > 0)
        return fail(err, ERR_UNSUPPORTED,
                    "the images of pool '%s' limit bytes and not inodes, which project quota does"
                    " ('pquota' on XFS, 'prjquota' on ext4)",
                    pool->name);
    if (limit->size_bytes < MIN_BYTES)
        return fail(err, ERR_INVALID, "a volume of driver '%s' has 16 MiB at least", "image");
    return 0;
}

static int set_limit(const struct driver_pool *pool, int fd, const struct driver_limit *limit,
                     struct error *err)
{
    bool is_new = false;
    struct stat st;
    int64_t size = limit->size_bytes / MIB * MIB;
    cleanup_fd int image_fd = open_image(fd, O_RDWR, &is_new);

    if (image_fd == -ENOENT) {
        image_fd = sys_openat(fd, IMAGE_NEW, O_RDWR | O_CREAT | O_NOFOLLOW, FILE_MODE);
        if (image_fd < 0)
            return fail_sys(err, image_fd, "cannot make an image in pool '%s'", pool->name);
        if (allocate(pool, image_fd, size, err) < 0)
            return -1;
        int rc = sys_fsync(fd);
        return rc < 0 ? fail_sys(err, rc, "cannot sync an image in pool '%s'", pool->name) : 0;
    }
    int rc = image_fd < 0 ? image_fd : sys_fstatat(image_fd, "", &st, AT_EMPTY_PATH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot open an image in pool '%s'", pool->name);
    return resize(pool, image_fd, st.st_size, size, err);
}

static int get_limit(const struct driver_pool *pool, int fd, struct driver_limit *limit,
                     struct error *err)
{
    bool is_new = false;
    struct stat st;
    cleanup_fd int image_fd = open_image(fd, O_RDONLY, &is_new);
    int rc = image_fd < 0 ? image_fd : sys_fstatat(image_fd, "", &st, AT_EMPTY_PATH);

    if (rc < 0)
        return fail_sys(err, rc, "cannot measure an image in pool '%s'", pool->name);
    *limit = (struct driver_limit){ .size_bytes = st.st_size };
    return 0;
}

static int usage(const struct driver_pool *pool, int fd, bool is_fresh, struct driver_usage *usage,
                 struct error *err)
{
    struct statvfs space;

    if (is_tree(pool, fd))
        return fail(err, ERR_UNSUPPORTED, "its image is not mounted");
    int rc = is_fresh ? sys_syncfs(fd) : 0;
    if (rc >= 0 && fstatvfs(fd, &space) < 0)
        rc = -errno;
    if (rc < 0)
        return fail_sys(err, rc, "cannot measure an image in pool '%s'", pool->name);
    *usage = (struct driver_usage){
        .referenced_bytes = (int64_t)((space.f_blocks - space.f_bfree) * space.f_frsize),
        .exclusive_bytes = (int64_t)((space.f_blocks - space.f_bfree) * space.f_frsize),
        .inodes = (int64_t)(space.f_files - space.f_ffree),
    };
    return 0;
}

static int make_view(int tree_fd, struct error *err)
{
    int rc = sys_mkdirat(tree_fd, IMAGE_VIEW, VIEW_MODE);

    if (rc >= 0 || rc == -EEXIST)
        rc = sys_fsync(tree_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot make a view") : 0;
}

/* What has no filesystem yet is copied as that: another file of the size. */
static int fill(const struct driver_pool *pool, int tree_fd, const struct driver_copy *copy,
                struct error *err)
{
    bool is_new = false;
    struct stat st;
    cleanup_fd int from_fd = open_image(copy->source_fd, O_RDONLY, &is_new);
    int rc = from_fd < 0 ? from_fd : sys_fstatat(from_fd, "", &st, AT_EMPTY_PATH);
    cleanup_fd int to_fd = rc < 0 ? rc
                                  : sys_openat(tree_fd, is_new ? IMAGE_NEW : IMAGE_FILE,
                                               O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);

    if (to_fd < 0)
        return fail_sys(err, to_fd, "cannot copy an image");
    int64_t size = wanted_bytes(copy, st.st_size);
    if (size < st.st_size)
        return fail(err, ERR_NO_SPACE,
                    "an image of %lld MiB does not fit into one of %lld MiB: copy it to another"
                    " pool for that",
                    (long long)(st.st_size / MIB), (long long)(size / MIB));
    if (!is_new && copy_bytes(pool, from_fd, to_fd, copy, st.st_size, err) < 0)
        return -1;
    if (!copy->is_read_only && allocate(pool, to_fd, size, err) < 0)
        return -1;
    rc = is_new && copy->is_read_only ? sys_ftruncate(to_fd, size) : 0;
    if (rc >= 0)
        rc = sync_both(to_fd, tree_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot write an image") : 0;
}

static int64_t wanted_bytes(const struct driver_copy *copy, int64_t present)
{
    bool is_given = copy->limit != NULL && copy->limit->size_bytes > 0;

    return is_given ? copy->limit->size_bytes / MIB * MIB : present;
}

static int sync_both(int fd, int dirfd)
{
    int rc = sys_fsync(fd);

    return rc < 0 ? rc : sys_fsync(dirfd);
}

static int copy_bytes(const struct driver_pool *pool, int from_fd, int to_fd,
                      const struct driver_copy *copy, int64_t size, struct error *err)
{
    int rc = 0;

    if (sync_view(copy->source_fd, err) < 0)
        return -1;
    rc = data_share(from_fd, to_fd);
    if (rc >= 0 && !copy->is_read_only)
        rc = sys_fallocate(to_fd, FALLOC_FL_UNSHARE_RANGE, 0, size);
    else if (rc == -EOPNOTSUPP || rc == -EINVAL || rc == -EXDEV)
        rc = copy->is_read_only || allocate(pool, to_fd, size, err) == 0
                 ? data_copy(from_fd, to_fd, size, copy->deadline_ms)
                 : 1;
    if (rc == 1)
        return -1;
    return rc < 0 ? fail_sys(err, rc, "cannot copy an image") : 0;
}

static int publish(const struct driver_pool *pool, const struct driver_copy *copy,
                   struct error *err)
{
    int rc = sys_renameat2(pool->tmp_fd, copy->name, copy->dirfd, copy->name, 0);

    if (rc >= 0)
        rc = sys_fsync(copy->dirfd);
    return rc < 0 ? fail_sys(err, rc, "cannot publish '%s'", copy->name) : 0;
}

/* -ENOENT: the tree has none yet. */
static int open_image(int tree_fd, int flags, bool *is_new)
{
    int fd = sys_openat(tree_fd, IMAGE_FILE, flags | O_NOFOLLOW, 0);

    *is_new = fd == -ENOENT;
    return *is_new ? sys_openat(tree_fd, IMAGE_NEW, flags | O_NOFOLLOW, 0) : fd;
}

/* All of it or none: what was got of a size that is not there is given back. */
static int allocate(const struct driver_pool *pool, int fd, int64_t size, struct error *err)
{
    struct stat st;
    int rc = sys_fstatat(fd, "", &st, AT_EMPTY_PATH);

    if (rc >= 0)
        rc = sys_fallocate(fd, 0, 0, size);
    if (rc < 0)
        (void)sys_ftruncate(fd, st.st_size); /* the first failure counts */
    if (rc >= 0)
        rc = sys_fsync(fd);
    return rc < 0 ? fail_sys(err, rc, "pool '%s' cannot give an image %lld MiB", pool->name,
                             (long long)(size / MIB))
                  : 0;
}

/* A file that grew, and whose filesystem has not taken that in, may become smaller again. */
static int resize(const struct driver_pool *pool, int fd, int64_t from, int64_t to,
                  struct error *err)
{
    if (to == from)
        return 0;
    if (to > from)
        return allocate(pool, fd, to, err);
    if (image_filesystem_bytes(fd) > to)
        return fail(err, ERR_UNSUPPORTED,
                    "a filesystem cannot be made smaller while it is mounted");
    int rc = sys_ftruncate(fd, to);
    if (rc >= 0)
        rc = sys_fsync(fd);
    return rc < 0 ? fail_sys(err, rc, "cannot resize an image in pool '%s'", pool->name) : 0;
}

static bool is_tree(const struct driver_pool *pool, int fd)
{
    struct stat tree;
    struct stat root;

    return sys_fstatat(fd, "", &tree, AT_EMPTY_PATH) < 0 ||
           sys_fstatat(pool->fd, "", &root, AT_EMPTY_PATH) < 0 || tree.st_dev == root.st_dev;
}
