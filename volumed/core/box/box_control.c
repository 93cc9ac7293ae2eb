/* SPDX-License-Identifier: Apache-2.0 */
/* From an id to its supervisor. */
#include "core/box/box_control.h"

#include "base/log.h"
#include "base/sys.h"
#include "core/box/box.h"
#include "core/service.h"
#include "runtime/program.h"
#include "runtime/supervisor.h"

#define OUTPUT_MAX_BYTES 65536

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

void box_end_remains(struct task *task, const char *id)
{
    const char *argv[] = {
        task->service->runner_path,
        "--root",
        arena_printf(task->mem, "%s/run", task->service->state_dir),
        "delete",
        "--force",
        id,
        NULL,
    };
    struct program runner = { .argv = argv };
    cleanup_buf struct buf output = { 0 };
    struct error err;
    int exit_code;

    if (program_run(&runner, OUTPUT_MAX_BYTES, &output, &exit_code, &err) < 0)
        log_warn("cannot clean up behind a container id=%s error=\"%s\"", id, err.message);
}
