/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a tree while walking it.  The source is hostile (base/tree.h); the target is ours alone,
 * so that ".." and names in it can be trusted.
 *
 * Hard links need the first copy of an inode again, however far away it was made.  It gets a second
 * name, by device and inode, in a scratch directory: no table in memory, no descriptors kept.  That
 * directory is in the target's root while the copy lasts, since btrfs links only within a
 * subvolume.
 */
#include "driver/tree_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/sys.h"
#include "base/tree.h"
#include "base/uuid.h"
#include "driver/attributes.h"
#include "driver/data.h"

#define LINK_NAME_SIZE 40

struct copier {
    const struct tree_copy_spec *spec;
    int target_fd;              /* the directory that mirrors the one being walked */
    int links_fd;               /* the scratch directory; -1 until the first hard link */
    char links_name[UUID_SIZE]; /* no entry of the source can have guessed it */
};

static int enter_directory(void *context, const struct tree_entry *entry, struct error *err);
static int leave_directory(void *context, const struct tree_entry *entry, struct error *err);
static int copy_entry(void *context, const struct tree_entry *entry, struct error *err);
static int make_entry(struct copier *copier, const struct tree_entry *entry);
static int copy_file(struct copier *copier, const struct tree_entry *entry);
static int copy_contents(struct copier *copier, int from_fd, int to_fd, const struct stat *st);
static int copy_link(struct copier *copier, const struct tree_entry *entry);
static int copy_special(struct copier *copier, const struct tree_entry *entry);
static int copy_attributes_by_name(const struct copier *copier, const struct tree_entry *entry);
static bool is_whiteout(const struct stat *st);
static int merge_directory(int target_fd, const struct tree_entry *entry);
static int merge_away(int target_fd, const char *name);
static int link_known(struct copier *copier, const struct tree_entry *entry);
static int link_remember(struct copier *copier, const struct tree_entry *entry);
static void link_name(const struct stat *st, char name[LINK_NAME_SIZE]);
static int finish(struct copier *copier, struct error *err);
static bool is_late(const struct tree_copy_spec *spec);

int tree_copy(const struct tree_copy_spec *spec, struct error *err)
{
    static const struct tree_visitor visitor = {
        .enter = enter_directory,
        .leave = leave_directory,
        .visit = copy_entry,
    };
    struct copier copier = { .spec = spec, .links_fd = -1 };

    uuid_make(copier.links_name);
    copier.target_fd = sys_openat(spec->target_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (copier.target_fd < 0)
        return fail_sys(err, copier.target_fd, "cannot open the copy's directory");
    int rc = tree_walk(spec->source_fd, &visitor, &copier, err);
    sys_close_fd(&copier.target_fd);
    if (rc == 0)
        rc = finish(&copier, err);
    sys_close_fd(&copier.links_fd);
    return rc;
}

static int enter_directory(void *context, const struct tree_entry *entry, struct error *err)
{
    struct copier *copier = context;
    int rc = is_late(copier->spec) ? -ETIMEDOUT : 0;

    if (rc == 0)
        rc = copier->spec->is_upper ? merge_directory(copier->target_fd, entry)
                                    : sys_mkdirat(copier->target_fd, entry->name, 0700);
    int fd =
        rc < 0 ? rc
               : sys_openat(copier->target_fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot copy directory '%s'", entry->name);
    sys_close_fd(&copier->target_fd);
    copier->target_fd = fd;
    return 0;
}

static int leave_directory(void *context, const struct tree_entry *entry, struct error *err)
{
    struct copier *copier = context;
    struct attributes_place from = { entry->fd, entry->dirfd, entry->name, copier->spec->is_upper };
    struct attributes_place to = { .fd = copier->target_fd };
    int rc = copier->spec->is_upper ? attributes_clear(to.fd) : 0;
    if (rc >= 0)
        rc = attributes_copy(&from, &entry->st, &to, copier->spec->is_lenient);
    int up = rc < 0 ? rc : sys_openat(copier->target_fd, "..", O_RDONLY | O_DIRECTORY, 0);

    if (up < 0)
        return fail_sys(err, up, "cannot copy directory '%s'", entry->name);
    sys_close_fd(&copier->target_fd);
    copier->target_fd = up;
    return 0;
}

static int copy_entry(void *context, const struct tree_entry *entry, struct error *err)
{
    struct copier *copier = context;
    int rc = is_late(copier->spec) ? -ETIMEDOUT : 0;

    if (rc == 0 && copier->spec->is_upper)
        rc = merge_away(copier->target_fd, entry->name);
    if (rc == 0 && !(copier->spec->is_upper && is_whiteout(&entry->st)))
        rc = make_entry(copier, entry);
    if (rc == -ENOENT) /* it vanished between being seen and being read */
        return 0;
    return rc < 0 ? fail_sys(err, rc, "cannot copy '%s'", entry->name) : 0;
}

static int make_entry(struct copier *copier, const struct tree_entry *entry)
{
    bool is_linked = entry->st.st_nlink > 1;
    int rc = is_linked ? link_known(copier, entry) : 0;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (S_ISREG(entry->st.st_mode))
        rc = copy_file(copier, entry);
    else if (S_ISLNK(entry->st.st_mode))
        rc = copy_link(copier, entry);
    else
        rc = copy_special(copier, entry);
    return rc >= 0 && is_linked ? link_remember(copier, entry) : rc;
}

static int copy_file(struct copier *copier, const struct tree_entry *entry)
{
    struct stat st;
    cleanup_fd int from_fd =
        sys_openat(entry->dirfd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

    int rc = from_fd < 0 ? from_fd : sys_fstatat(from_fd, "", &st, AT_EMPTY_PATH);
    if (rc < 0)
        return rc;
    if (!S_ISREG(st.st_mode))
        return -EBUSY; /* replaced since it was seen */
    cleanup_fd int to_fd =
        sys_openat(copier->target_fd, entry->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (to_fd < 0)
        return to_fd == -ENOENT ? -ESTALE : to_fd;
    rc = copy_contents(copier, from_fd, to_fd, &st);
    if (rc < 0)
        return rc;
    struct attributes_place from = { .fd = from_fd, .is_upper = copier->spec->is_upper };
    return attributes_copy(&from, &st, &(struct attributes_place){ .fd = to_fd },
                           copier->spec->is_lenient);
}

static int copy_contents(struct copier *copier, int from_fd, int to_fd, const struct stat *st)
{
    if (st->st_size == 0)
        return 0;
    if (copier->spec->is_shared) {
        int rc = data_share(from_fd, to_fd);
        if (rc != -EOPNOTSUPP && rc != -EXDEV && rc != -EINVAL && rc != -ETXTBSY)
            return rc;
    }
    return data_copy(from_fd, to_fd, st->st_size, copier->spec->deadline_ms);
}

static int copy_link(struct copier *copier, const struct tree_entry *entry)
{
    char *target = mem_alloc(PATH_MAX);
    ssize_t length = readlinkat(entry->dirfd, entry->name, target, PATH_MAX - 1);
    int rc = length < 0 ? -errno : 0;

    if (rc == 0) {
        target[length] = '\0';
        rc = sys_symlinkat(target, copier->target_fd, entry->name);
    }
    free(target);
    return rc < 0 ? rc : copy_attributes_by_name(copier, entry);
}

static int copy_special(struct copier *copier, const struct tree_entry *entry)
{
    int rc = sys_mknodat(copier->target_fd, entry->name, (entry->st.st_mode & S_IFMT) | 0600,
                         entry->st.st_rdev);

    return rc < 0 ? rc : copy_attributes_by_name(copier, entry);
}

static int copy_attributes_by_name(const struct copier *copier, const struct tree_entry *entry)
{
    const struct attributes_place from = { -1, entry->dirfd, entry->name, copier->spec->is_upper };
    const struct attributes_place to = { .fd = -1,
                                         .dirfd = copier->target_fd,
                                         .name = entry->name };

    return attributes_copy(&from, &entry->st, &to, copier->spec->is_lenient);
}

/* Names of Documentation/filesystems/overlayfs.rst. */
static bool is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* Goes into the directory that is there, or makes one in the place of what is. */
static int merge_directory(int target_fd, const struct tree_entry *entry)
{
    static const char *const foreign[] = { "trusted.overlay.redirect", "trusted.overlay.metacopy" };
    struct stat st;
    char value = 'n';

    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
        if (fgetxattr(entry->fd, foreign[i], NULL, 0) >= 0)
            return -EOPNOTSUPP;
    bool is_opaque = fgetxattr(entry->fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
    int rc = sys_fstatat(target_fd, entry->name, &st, AT_SYMLINK_NOFOLLOW);
    if (rc == 0 && S_ISDIR(st.st_mode) && !is_opaque)
        return 0;
    rc = merge_away(target_fd, entry->name);
    return rc < 0 ? rc : sys_mkdirat(target_fd, entry->name, 0700);
}

/* Whatever it is; nothing there is success. */
static int merge_away(int target_fd, const char *name)
{
    struct error ignored;
    int rc = sys_unlinkat(target_fd, name, 0);

    if (rc == -EISDIR || rc == -EPERM)
        return fs_remove_tree(target_fd, name, &ignored) < 0 ? -EIO : 0;
    return rc == -ENOENT ? 0 : rc;
}

/* 1: the inode was copied before and has its further name now; 0: this is its first. */
static int link_known(struct copier *copier, const struct tree_entry *entry)
{
    char name[LINK_NAME_SIZE];

    if (copier->links_fd < 0)
        return 0;
    link_name(&entry->st, name);
    int rc = sys_linkat(copier->links_fd, name, copier->target_fd, entry->name, 0);
    if (rc == -ENOENT)
        return 0;
    return rc < 0 ? rc : 1;
}

static int link_remember(struct copier *copier, const struct tree_entry *entry)
{
    const struct tree_copy_spec *spec = copier->spec;
    char name[LINK_NAME_SIZE];
    struct error ignored;

    if (copier->links_fd < 0) {
        int fd = fs_make_dir(spec->target_fd, copier->links_name, 0700, &ignored);
        if (fd < 0)
            return -EIO;
        copier->links_fd = fd;
    }
    link_name(&entry->st, name);
    int rc = sys_linkat(copier->target_fd, entry->name, copier->links_fd, name, 0);
    return rc == -EMLINK ? 0 : rc; /* as many names as the filesystem allows: begin anew */
}

static void link_name(const struct stat *st, char name[LINK_NAME_SIZE])
{
    (void)snprintf(name, LINK_NAME_SIZE, "%jx-%jx", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
}

static int finish(struct copier *copier, struct error *err)
{
    const struct tree_copy_spec *spec = copier->spec;
    struct stat st;

    if (copier->links_fd >= 0 && fs_remove_tree(spec->target_fd, copier->links_name, err) < 0)
        return -1;
    int rc = sys_fstatat(spec->source_fd, "", &st, AT_EMPTY_PATH);
    if (rc >= 0 && spec->is_upper)
        rc = attributes_clear(spec->target_fd);
    if (rc >= 0)
        rc = attributes_copy(
            &(struct attributes_place){ .fd = spec->source_fd, .is_upper = spec->is_upper }, &st,
            &(struct attributes_place){ .fd = spec->target_fd }, spec->is_lenient);
    if (rc >= 0 && spec->is_durable)
        rc = sys_syncfs(spec->target_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot finish a copy") : 0;
}

static bool is_late(const struct tree_copy_spec *spec)
{
    return spec->deadline_ms != 0 && clock_mono_ms() >= spec->deadline_ms;
}
