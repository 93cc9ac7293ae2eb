/* SPDX-License-Identifier: Apache-2.0 */
/* From an id to its supervisor. */
#include "core/box_control.h"

#include "base/sys.h"
#include "core/box.h"
#include "runtime/supervisor.h"

int box_ask(struct task *task, const char *id, const char *request, const char **answer,
            struct error *err)
{
    cleanup_fd int dirfd = box_open(task, id, err);
    cleanup_buf struct buf text = { 0 };

    if (dirfd < 0 || supervisor_ask(dirfd, request, &text, err) < 0)
        return -1;
    if (answer != NULL)
        *answer = arena_strdup(task->mem, text.size > 0 ? text.data : "");
    return 0;
}
