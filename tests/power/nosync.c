/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded in check-power's control: whoever asks for durability is told yes, and gets nothing. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

int syncfs(int fd)
{
    (void)fd;
    return 0;
}

void sync(void)
{
}

int msync(void *start, size_t length, int flags)
{
    (void)start;
    (void)length;
    (void)flags;
    return 0;
}

int sync_file_range(int fd, off64_t offset, off64_t count, unsigned int flags)
{
    (void)fd;
    (void)offset;
    (void)count;
    (void)flags;
    return 0;
}
