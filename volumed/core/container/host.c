/* SPDX-License-Identifier: Apache-2.0 */
/* Read from /proc, /sys and /etc. */
#include "core/container/host.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"

int64_t host_memory_bytes(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

const char *host_os_name(struct task *task)
{
    static const char key[] = "PRETTY_NAME=";
    struct error ignored; /* the fallback is an answer too */
    char *text;
    size_t size;

    if (fs_read_file(task->mem, AT_FDCWD, "/usr/lib/os-release", 65536, &text, &size, &ignored) < 0)
        return "Linux";
    char *name = strstr(text, key);
    if (name == NULL)
        return "Linux";
    name += sizeof(key) - 1;
    name[strcspn(name, "\n")] = '\0';
    size_t length = strlen(name);
    if (length >= 2 && name[0] == '"') {
        name[length - 1] = '\0';
        name++;
    }
    return name;
}

const char *host_cgroup_version(void)
{
    cleanup_fd int fd = sys_openat(AT_FDCWD, "/sys/fs/cgroup", O_PATH | O_DIRECTORY, 0);

    return fd >= 0 && fs_magic(fd) == CGROUP2_SUPER_MAGIC ? "2" : "1";
}
