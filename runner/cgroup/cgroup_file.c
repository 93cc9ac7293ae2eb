/* SPDX-License-Identifier: Apache-2.0 */
/* Small files, one system call a value. */
#include "runner/cgroup/cgroup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "runner/process/descriptor.h"

#define READ_WHOLE_MAX 2048 /* a first read that gives no more has given all */

static int open_file(const char *directory, const char *name, int flags);

int cgroup_file_write(const char *directory, const char *name, const char *text)
{
    cleanup_fd_later int fd = open_file(directory, name, O_WRONLY);

    return fd < 0 ? fd : sys_write_all(fd, text, strlen(text));
}

int cgroup_file_printf(const char *directory, const char *name, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    int length = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof(text))
        return -EINVAL;
    return cgroup_file_write(directory, name, text);
}

int cgroup_file_set(const char *directory, const char *name, const char *text, struct error *err)
{
    int rc = cgroup_file_write(directory, name, text);

    if (rc == -ENOENT)
        return fail(err, ERR_UNSUPPORTED, "cannot set '%s': this host's control groups lack it",
                    name);
    return rc < 0 ? fail_sys(err, rc, "cannot set '%s' to '%s'", name, text) : 0;
}

int cgroup_file_set_number(const char *directory, const char *name, int64_t value,
                           struct error *err)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%lld", (long long)value); /* fits */
    return cgroup_file_set(directory, name, text, err);
}

ssize_t cgroup_file_read(const char *directory, const char *name, char text[CGROUP_TEXT_SIZE])
{
    cleanup_fd_later int fd = open_file(directory, name, O_RDONLY);

    if (fd < 0)
        return fd;
    ssize_t size = sys_read(fd, text, CGROUP_TEXT_SIZE - 1);
    if (size > READ_WHOLE_MAX) { /* the kernel gives these files by pages */
        ssize_t more = sys_read_all(fd, text + size, CGROUP_TEXT_SIZE - 1 - (size_t)size);
        size = more < 0 ? more : size + more;
    }
    if (size < 0)
        return size;
    if (size > 0 && text[size - 1] == '\n')
        size--;
    text[size] = '\0';
    return size;
}

int64_t cgroup_file_number(const char *directory, const char *name, int64_t otherwise)
{
    char text[CGROUP_TEXT_SIZE];
    char *end;

    if (cgroup_file_read(directory, name, text) <= 0)
        return otherwise;
    if (strcmp(text, "max") == 0)
        return INT64_MAX;
    long long number = strtoll(text, &end, 10);
    return end == text ? otherwise : number;
}

int64_t cgroup_file_keyed(const char *directory, const char *name, const char *key,
                          int64_t otherwise)
{
    char text[CGROUP_TEXT_SIZE];

    if (cgroup_file_read(directory, name, text) <= 0)
        return otherwise;
    return cgroup_text_keyed(text, key, otherwise);
}

int64_t cgroup_text_keyed(const char *text, const char *key, int64_t otherwise)
{
    size_t length = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoll(line + length + 1, NULL, 10);
    }
    return otherwise;
}

static int open_file(const char *directory, const char *name, int flags)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s", directory, name);

    if (length < 0 || (size_t)length >= sizeof(path))
        return -ENAMETOOLONG;
    return sys_openat(AT_FDCWD, path, flags, 0);
}
