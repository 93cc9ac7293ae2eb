/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sharing and copying a file's contents.  copy_file_range(2) lets the filesystem do it its own way;
 * between filesystems that cannot, bytes pass through a buffer.
 */
#include "driver/data.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"

#define CHUNK_BYTES  ((int64_t)16 << 20) /* so that a deadline is looked at now and then */
#define BUFFER_BYTES 8192

static int copy_range(int from_fd, int to_fd, off_t start, off_t end, int64_t deadline_ms);
static ssize_t copy_chunk(int from_fd, int to_fd, off_t at, size_t size);
static ssize_t copy_through_buffer(int from_fd, int to_fd, off_t at, size_t size);
static bool is_past(int64_t deadline_ms);

int data_open(int dirfd, const char *name, struct stat *st)
{
    char path[32];
    cleanup_fd int fd = sys_openat(dirfd, name, O_PATH | O_NOFOLLOW, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", st, AT_EMPTY_PATH);

    if (rc < 0)
        return rc;
    if (!S_ISREG(st->st_mode))
        return -EBUSY;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* fits */
    return sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
}

int data_share(int from_fd, int to_fd)
{
    struct file_clone_range range = { .src_fd = from_fd }; /* length 0: to the end */

    return sys_ioctl(to_fd, FICLONERANGE, &range);
}

int data_copy(int from_fd, int to_fd, off_t size, int64_t deadline_ms)
{
    off_t at = 0;

    /* The size first: a hole at the end is then no more work. */
    int rc = size > 0 ? sys_ftruncate(to_fd, size) : 0;
    while (rc >= 0 && at < size) {
        off_t start = lseek(from_fd, at, SEEK_DATA);
        if (start < 0 && errno == ENXIO)
            return 0;
        if (start < 0)
            start = at; /* no holes known here: all is data */
        off_t end = lseek(from_fd, start, SEEK_HOLE);
        if (end < 0 || end > size)
            end = size;
        if (start >= end)
            return 0; /* it was truncated under us */
        rc = copy_range(from_fd, to_fd, start, end, deadline_ms);
        at = end;
    }
    return rc;
}

static int copy_range(int from_fd, int to_fd, off_t start, off_t end, int64_t deadline_ms)
{
    while (start < end) {
        if (is_past(deadline_ms))
            return -ETIMEDOUT;
        size_t size = (size_t)(end - start > CHUNK_BYTES ? CHUNK_BYTES : end - start);
        ssize_t copied = copy_chunk(from_fd, to_fd, start, size);
        if (copied <= 0)
            return (int)copied; /* 0: it was truncated under us */
        start += copied;
    }
    return 0;
}

static ssize_t copy_chunk(int from_fd, int to_fd, off_t at, size_t size)
{
    off_t from = at;
    off_t to = at;
    ssize_t copied = sys_copy_file_range(from_fd, &from, to_fd, &to, size);

    if (copied == -EXDEV || copied == -EINVAL || copied == -EOPNOTSUPP)
        return copy_through_buffer(from_fd, to_fd, at, size);
    return copied;
}

static ssize_t copy_through_buffer(int from_fd, int to_fd, off_t at, size_t size)
{
    char buffer[BUFFER_BYTES];
    size_t done = 0;

    if (lseek(to_fd, at, SEEK_SET) < 0)
        return -errno;
    while (done < size) {
        size_t wanted = size - done < sizeof(buffer) ? size - done : sizeof(buffer);
        ssize_t got = pread(from_fd, buffer, wanted, at + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : (ssize_t)done;
        int rc = sys_write_all(to_fd, buffer, (size_t)got);
        if (rc < 0)
            return rc;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static bool is_past(int64_t deadline_ms)
{
    return deadline_ms != 0 && clock_mono_ms() >= deadline_ms;
}
