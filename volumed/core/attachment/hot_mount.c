/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of the runner's, and its answers. */
#include "core/attachment/hot_mount.h"

#include <string.h>

#include "base/sys.h"
#include "core/attachment/scratch.h"
#include "core/service.h"
#include "runtime/program.h"

#define OUTPUT_MAX_BYTES 65536
#define TIMEOUT_MS       30000
#define WORDS_MAX        16

struct call {
    const char *command;
    const struct attachment *attachment;
    const char *token;
    const char *options; /* NULL: none */
    bool is_forced;
    int fd; /* -1: none */
};

static int run(struct task *task, const struct call *call, struct error *err);
static int read_error(const char *text, struct error *err);
static const char *mount_options(struct arena *mem, const struct attachment *attachment);

const char *hot_mount_token(const struct attachment *attachment, const char *data_id)
{
    if (attachment->scratch_id != NULL)
        return attachment->scratch_id;
    return attachment->snapshot_id != NULL ? attachment->snapshot_id : data_id;
}

int hot_mount(struct task *task, const struct attachment_mount *mount, const char *token,
              struct error *err)
{
    const struct attachment *attachment = &mount->attachment;
    struct call call = {
        .command = "mount",
        .attachment = attachment,
        .token = token,
        .options = mount_options(task->mem, attachment),
        .fd = mount->fd,
    };
    cleanup_fd int scratch_fd = -1;

    if (attachment->is_scratch) {
        scratch_fd = scratch_mount(task->mem, &mount->scratch, err);
        if (scratch_fd < 0)
            return -1;
        call.fd = scratch_fd;
    }
    return run(task, &call, err);
}

int hot_remount(struct task *task, const struct attachment *attachment, const char *token,
                bool is_read_only, struct error *err)
{
    const struct call call = {
        .command = "remount",
        .attachment = attachment,
        .token = token,
        .options = is_read_only ? "ro" : "rw",
        .fd = -1,
    };

    return run(task, &call, err);
}

int hot_unmount(struct task *task, const struct attachment *attachment, const char *token,
                bool is_forced, struct error *err)
{
    const struct call call = {
        .command = "unmount",
        .attachment = attachment,
        .token = token,
        .is_forced = is_forced,
        .fd = -1,
    };

    return run(task, &call, err);
}

static int run(struct task *task, const struct call *call, struct error *err)
{
    const char *argv[WORDS_MAX] = {
        task->service->runner_path,
        "--root",
        arena_printf(task->mem, "%s/run", task->service->state_dir),
        call->command,
        "--token",
        call->token,
    };
    size_t count = 6;
    struct program runner = {
        .argv = argv,
        .fds = &call->fd,
        .fd_count = call->fd >= 0 ? 1 : 0,
        .timeout_ms = TIMEOUT_MS,
    };
    cleanup_buf struct buf output = { 0 };
    int exit_code = 0;

    if (call->options != NULL) {
        argv[count++] = "--options";
        argv[count++] = call->options;
    }
    if (call->is_forced)
        argv[count++] = "--force";
    argv[count++] = call->attachment->container_id;
    argv[count] = call->attachment->destination;
    if (program_run(&runner, OUTPUT_MAX_BYTES, &output, &exit_code, err) < 0)
        return -1;
    return exit_code == 0 ? 0 : read_error(output.size > 0 ? output.data : "", err);
}

/* "error CODE text" */
static int read_error(const char *text, struct error *err)
{
    char code[32] = "";
    size_t line = strcspn(text, "\n");

    if (strncmp(text, "error ", 6) != 0)
        return fail(err, ERR_SYSTEM, "the runner failed: %.*s", (int)line, text);
    const char *name = text + 6;
    size_t length = strcspn(name, " \n");
    if (length < sizeof(code))
        memcpy(code, name, length);
    (void)fail(err, error_code_find(code), "%.*s", (int)(line - 7 - length),
               name[length] == ' ' ? name + length + 1 : "");
    /* What the runner does not know does not run. */
    if (err->code == ERR_NOT_FOUND && strstr(err->message, "does not exist") != NULL)
        err->code = ERR_CONFLICT;
    return -1;
}

/* As at a start (oci_mounts.c). */
static const char *mount_options(struct arena *mem, const struct attachment *attachment)
{
    return arena_printf(mem, "rbind%s%s%s%s", attachment_is_read_only(attachment) ? ",rro" : "",
                        attachment->is_nosuid ? ",nosuid" : "",
                        attachment->is_nodev ? ",nodev" : "",
                        attachment->is_noexec ? ",noexec" : "");
}
