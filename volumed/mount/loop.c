/* SPDX-License-Identifier: Apache-2.0 */
/* The ioctls of loop(4).  Which file a device has is asked of the device, by device and inode. */
#include "mount/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/sys.h"

#define CONTROL       "/dev/loop-control"
#define TRIES         16 /* others take free devices too */
#define SECTOR_BYTES  512
#define SECTOR_LARGE  4096
#define DIRECTORY_SYS "/sys/block"

static bool is_bound(int sys_fd, const char *name);
static int match(const char *name, const struct stat *image, struct loop *loop);
static int configure(int image_fd, const char *name, struct loop *loop);
static uint32_t choose_block_size(int image_fd);

int loop_open(int image_fd, const char *name, struct loop *loop, struct error *err)
{
    int rc = loop_find(image_fd, loop, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    cleanup_fd int control = sys_openat(AT_FDCWD, CONTROL, O_RDWR, 0);
    if (control < 0)
        return fail_sys(err, control, "there are no loop devices: cannot open '" CONTROL "'");
    rc = -EBUSY;
    for (int tries = 0; rc == -EBUSY && tries < TRIES; tries++) {
        int number = sys_ioctl(control, LOOP_CTL_GET_FREE, NULL);
        if (number < 0)
            return fail_sys(err, number, "there is no free loop device");
        (void)snprintf(loop->path, sizeof(loop->path), "/dev/loop%d", number);
        loop->fd = sys_openat(AT_FDCWD, loop->path, O_RDWR, 0);
        rc = loop->fd < 0 ? loop->fd : configure(image_fd, name, loop);
        if (rc < 0)
            sys_close_fd(&loop->fd);
    }
    return rc < 0 ? fail_sys(err, rc, "cannot set up '%s' for '%s'", loop->path, name) : 0;
}

void loop_close(struct loop *loop)
{
    sys_close_fd(&loop->fd);
}

int loop_find(int image_fd, struct loop *loop, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    struct stat image;
    int rc = sys_fstatat(image_fd, "", &image, AT_EMPTY_PATH);

    *loop = (struct loop){ .fd = -1 };
    if (rc >= 0)
        rc = dir_open(AT_FDCWD, DIRECTORY_SYS, &dir);
    if (rc < 0)
        return fail_sys(err, rc, "cannot look for loop devices");
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        if (strncmp(entry->d_name, "loop", 4) != 0 || !is_bound(dirfd(dir), entry->d_name))
            continue;
        if (match(entry->d_name, &image, loop) > 0)
            return 1;
    }
    return 0;
}

int loop_resize(const struct loop *loop, struct error *err)
{
    int rc = sys_ioctl(loop->fd, LOOP_SET_CAPACITY, NULL);

    return rc < 0 ? fail_sys(err, rc, "cannot resize '%s'", loop->path) : 0;
}

static bool is_bound(int sys_fd, const char *name)
{
    char path[LOOP_PATH_SIZE * 2];
    struct stat st;

    if (snprintf(path, sizeof(path), "%s/loop/backing_file", name) >= (int)sizeof(path))
        return false;
    return sys_fstatat(sys_fd, path, &st, 0) == 0;
}

/* 1: it is the image's, and open.  A device that went away meanwhile is none. */
static int match(const char *name, const struct stat *image, struct loop *loop)
{
    struct loop_info64 info = { 0 };

    if (snprintf(loop->path, sizeof(loop->path), "/dev/%s", name) >= (int)sizeof(loop->path))
        return 0;
    loop->fd = sys_openat(AT_FDCWD, loop->path, O_RDWR, 0);
    if (loop->fd >= 0 && ioctl(loop->fd, LOOP_GET_STATUS64, &info) == 0 &&
        info.lo_device == image->st_dev && info.lo_inode == image->st_ino) {
        loop->is_direct = (info.lo_flags & LO_FLAGS_DIRECT_IO) != 0;
        return 1;
    }
    sys_close_fd(&loop->fd);
    return 0;
}

static int configure(int image_fd, const char *name, struct loop *loop)
{
    struct loop_config config = {
        .fd = (uint32_t)image_fd,
        .block_size = choose_block_size(image_fd),
        .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
    };
    struct loop_info64 info = { 0 };

    (void)snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s", name);
    int rc = sys_ioctl(loop->fd, LOOP_CONFIGURE, &config);
    if (rc == -EINVAL) { /* a host's filesystem without direct I/O, on some kernels */
        config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
        rc = sys_ioctl(loop->fd, LOOP_CONFIGURE, &config);
    }
    if (rc >= 0 && ioctl(loop->fd, LOOP_GET_STATUS64, &info) == 0)
        loop->is_direct = (info.lo_flags & LO_FLAGS_DIRECT_IO) != 0;
    return rc < 0 ? rc : 0;
}

/* Sectors of 512 bytes, which every program can write, unless the host's disk has larger ones. */
static uint32_t choose_block_size(int image_fd)
{
    struct statx stx = { 0 };

    if (statx(image_fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) < 0 ||
        (stx.stx_mask & STATX_DIOALIGN) == 0)
        return SECTOR_BYTES;
    return stx.stx_dio_offset_align == SECTOR_LARGE ? SECTOR_LARGE : SECTOR_BYTES;
}
