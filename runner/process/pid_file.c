/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic against readers: engines poll for it. */
#include "runner/process/pid_file.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"

int pid_file_write(struct arena *mem, const char *path, pid_t pid, struct error *err)
{
    if (path == NULL)
        return 0;
    const char *name = path_base(path);
    const char *dir = name == path ? "." : arena_strndup(mem, path, (size_t)(name - path));
    const char *text = arena_printf(mem, "%d", (int)pid);
    cleanup_fd int dir_fd = sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
    if (dir_fd < 0)
        return fail_sys(err, dir_fd, "cannot open the directory of pid file '%s'", path);
    return fs_write_volatile(dir_fd, name, text, strlen(text), 0644, err);
}
