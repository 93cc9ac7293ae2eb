/* SPDX-License-Identifier: Apache-2.0 */
/* One small file. */
#include "runner/process/oom.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/sys.h"

int oom_score_adjust(pid_t pid, const struct limit *score, struct error *err)
{
    char path[48];
    char text[24];

    if (!score->is_set)
        return 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);   /* fits */
    int size = snprintf(text, sizeof(text), "%lld", (long long)score->value); /* fits */
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
    int rc = fd < 0 ? fd : sys_write_all(fd, text, (size_t)size);
    return rc < 0 ? fail_sys(err, rc, "cannot set oom_score_adj to %s", text) : 0;
}
