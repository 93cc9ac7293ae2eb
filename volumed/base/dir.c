/* SPDX-License-Identifier: Apache-2.0 */
/* Thin over readdir(3).  A stream is of one thread, which is all that glibc asks for. */
#include "base/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/sys.h"

int dir_open(int dirfd, const char *path, DIR **dir)
{
    cleanup_fd int fd = sys_openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (fd < 0)
        return fd;
    *dir = fdopendir(fd);
    if (*dir == NULL)
        return -errno;
    (void)move_fd(&fd); /* closed with the stream */
    return 0;
}

void dir_close(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir); /* only read from */
    *dir = NULL;
}

const struct dirent *dir_next(DIR *dir)
{
    const struct dirent *entry;

    do
        entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): see above */
    while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry;
}
