/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hard links need the first copy of an inode again, however far away it was made.  It gets a second
 * name, by device and inode, in a scratch directory: no table in memory, no descriptors kept.  That
 * directory is in the target's root while the copy lasts, since btrfs links only within a
 * subvolume.
 */
#include "driver/entry_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/sys.h"
#include "base/thread.h"
#include "driver/attributes.h"
#include "driver/data.h"
#include "driver/tree_merge.h"

#define LINK_NAME_SIZE 40

static int make_linked(struct entry_copier *copier, const struct entry_place *place);
static int make_entry(struct entry_copier *copier, const struct entry_place *place);
static int copy_file(struct entry_copier *copier, const struct entry_place *place);
static int copy_contents(struct entry_copier *copier, int from_fd, int to_fd,
                         const struct stat *st);
static int copy_link(struct entry_copier *copier, const struct entry_place *place);
static int copy_special(struct entry_copier *copier, const struct entry_place *place);
static int copy_attributes(struct entry_copier *copier, const struct entry_place *place);
static int link_known(struct entry_copier *copier, const struct entry_place *place);
static int link_remember(struct entry_copier *copier, const struct entry_place *place);
static void link_name(const struct stat *st, char name[LINK_NAME_SIZE]);

void entry_copier_init(struct entry_copier *copier, int links_dirfd)
{
    *copier = (struct entry_copier){ .links_dirfd = links_dirfd, .links_fd = -1 };
    (void)pthread_mutex_init(&copier->links_lock, NULL); /* cannot fail with default attributes */
    uuid_make(copier->links_name);
}

int entry_copier_end(struct entry_copier *copier, struct error *err)
{
    if (copier->links_fd < 0)
        return 0;
    sys_close_fd(&copier->links_fd);
    return fs_remove_tree(copier->links_dirfd, copier->links_name, err);
}

void entry_copier_done(struct entry_copier *copier)
{
    sys_close_fd(&copier->links_fd);
    (void)pthread_mutex_destroy(&copier->links_lock);
}

int entry_copy(struct entry_copier *copier, const struct entry_place *place)
{
    if (entry_copier_is_late(copier))
        return -ETIMEDOUT;
    int rc = copier->is_upper ? merge_away(place->to_dirfd, place->to_name) : 0;
    if (rc < 0 || (copier->is_upper && merge_is_whiteout(place->st)))
        return rc;
    return place->st->st_nlink > 1 && copier->links_dirfd >= 0 ? make_linked(copier, place)
                                                               : make_entry(copier, place);
}

int entry_copy_directory(const struct entry_copier *copier, const struct attributes_place *from,
                         const struct stat *st, int to_fd)
{
    struct attributes_place source = *from;
    int rc = copier->is_upper ? attributes_clear(to_fd) : 0;

    source.is_upper = copier->is_upper;
    return rc < 0 ? rc
                  : attributes_copy(&source, st, &(struct attributes_place){ .fd = to_fd },
                                    copier->is_lenient);
}

bool entry_copier_is_late(const struct entry_copier *copier)
{
    return copier->deadline_ms != 0 && clock_mono_ms() >= copier->deadline_ms;
}

/* One thread at a time: two names of an inode that nobody has copied yet are one copy. */
static int make_linked(struct entry_copier *copier, const struct entry_place *place)
{
    LOCK_SCOPE(&copier->links_lock);
    int rc = link_known(copier, place);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = make_entry(copier, place);
    return rc >= 0 ? link_remember(copier, place) : rc;
}

static int make_entry(struct entry_copier *copier, const struct entry_place *place)
{
    if (S_ISREG(place->st->st_mode))
        return copy_file(copier, place);
    return S_ISLNK(place->st->st_mode) ? copy_link(copier, place) : copy_special(copier, place);
}

static int copy_file(struct entry_copier *copier, const struct entry_place *place)
{
    struct stat st;
    cleanup_fd int from_fd =
        sys_openat(place->from_dirfd, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

    int rc = from_fd < 0 ? from_fd : sys_fstatat(from_fd, "", &st, AT_EMPTY_PATH);
    if (rc < 0)
        return rc;
    if (!S_ISREG(st.st_mode))
        return -EBUSY; /* replaced since it was seen */
    /* Its mode at once, where the umask lets it, saves a change of the inode; never set-id bits. */
    cleanup_fd int to_fd = sys_openat(place->to_dirfd, place->to_name,
                                      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, st.st_mode & 0777);
    if (to_fd < 0)
        return to_fd == -ENOENT ? -ESTALE : to_fd;
    rc = copy_contents(copier, from_fd, to_fd, &st);
    if (rc < 0)
        return rc;
    struct attributes_place from = { .fd = from_fd, .is_upper = copier->is_upper };
    return attributes_copy(&from, &st, &(struct attributes_place){ .fd = to_fd },
                           copier->is_lenient);
}

static int copy_contents(struct entry_copier *copier, int from_fd, int to_fd, const struct stat *st)
{
    if (st->st_size == 0)
        return 0;
    if (copier->is_shared) {
        int rc = data_share(from_fd, to_fd);
        if (rc != -EOPNOTSUPP && rc != -EXDEV && rc != -EINVAL && rc != -ETXTBSY)
            return rc;
    }
    return data_copy(from_fd, to_fd, st->st_size, copier->deadline_ms);
}

static int copy_link(struct entry_copier *copier, const struct entry_place *place)
{
    char *target = mem_alloc(PATH_MAX);
    ssize_t length = readlinkat(place->from_dirfd, place->name, target, PATH_MAX - 1);
    int rc = length < 0 ? -errno : 0;

    if (rc == 0) {
        target[length] = '\0';
        rc = sys_symlinkat(target, place->to_dirfd, place->to_name);
    }
    free(target);
    return rc < 0 ? rc : copy_attributes(copier, place);
}

static int copy_special(struct entry_copier *copier, const struct entry_place *place)
{
    int rc = sys_mknodat(place->to_dirfd, place->to_name, (place->st->st_mode & S_IFMT) | 0600,
                         place->st->st_rdev);

    return rc < 0 ? rc : copy_attributes(copier, place);
}

static int copy_attributes(struct entry_copier *copier, const struct entry_place *place)
{
    const struct attributes_place from = { -1, place->from_dirfd, place->name, copier->is_upper };
    const struct attributes_place to = { .fd = -1,
                                         .dirfd = place->to_dirfd,
                                         .name = place->to_name };

    return attributes_copy(&from, place->st, &to, copier->is_lenient);
}

/* 1: the inode was copied before and has its further name now; 0: this is its first. */
static int link_known(struct entry_copier *copier, const struct entry_place *place)
{
    char name[LINK_NAME_SIZE];

    if (copier->links_fd < 0)
        return 0;
    link_name(place->st, name);
    int rc = sys_linkat(copier->links_fd, name, place->to_dirfd, place->to_name, 0);
    if (rc == -ENOENT)
        return 0;
    return rc < 0 ? rc : 1;
}

static int link_remember(struct entry_copier *copier, const struct entry_place *place)
{
    char name[LINK_NAME_SIZE];
    struct error ignored;

    if (copier->links_fd < 0) {
        int fd = fs_make_dir(copier->links_dirfd, copier->links_name, 0700, &ignored);
        if (fd < 0)
            return -EIO;
        copier->links_fd = fd;
    }
    link_name(place->st, name);
    int rc = sys_linkat(place->to_dirfd, place->to_name, copier->links_fd, name, 0);
    return rc == -EMLINK ? 0 : rc; /* as many names as the filesystem allows: begin anew */
}

static void link_name(const struct stat *st, char name[LINK_NAME_SIZE])
{
    (void)snprintf(name, LINK_NAME_SIZE, "%jx-%jx", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
}
