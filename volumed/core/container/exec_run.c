/* SPDX-License-Identifier: Apache-2.0 */
/* A command in a container, run to its end by us: no client, no events. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/box/exec_box.h"
#include "core/container/container.h"
#include "core/container/exec.h"
#include "runtime/supervisor.h"

#define FRAME_HEAD    8
#define PIECE_SIZE    4096
#define COLLECTED_MAX (1 << 20)

static int run(struct task *task, struct exec *exec, const struct container *container,
               const struct exec_run_spec *spec, struct buf *output, struct error *err);
static int collect(int fd, const struct exec_run_spec *spec, struct buf *output, struct error *err);
static const char *unframe(struct task *task, const struct buf *framed, size_t max_bytes);
static json_t *config_json(const char *const *argv);

int exec_run(struct task *task, const char *container_id, const struct exec_run_spec *spec,
             struct exec_result *result, struct error *err)
{
    cleanup_container struct container container = { 0 };
    cleanup_json json_t *config = config_json(spec->argv);
    cleanup_buf struct buf framed = { 0 };
    char id[HEX_ID_SIZE];
    struct exec exec = { .id = id, .config = config };
    struct box_exit end;
    struct error ignored; /* what stays goes with the container's box */

    hex_id_make(id);
    if (container_get(task, container_id, &container, err) < 0)
        return -1;
    if (!container_is_live(&container))
        return fail(err, ERR_CONFLICT, "Container %s is not running", container.id);
    exec.container_id = container.id;
    int rc = run(task, &exec, &container, spec, &framed, err);
    if (rc == 0 && !exec_box_read_exit(task, &exec, &end))
        rc = fail(err, ERR_SYSTEM, "the command's exit code is not known");
    (void)exec_box_remove(task, &exec, &ignored);
    if (rc < 0)
        return -1;
    result->exit_code = end.code;
    result->output = unframe(task, &framed, spec->max_bytes);
    return 0;
}

static int run(struct task *task, struct exec *exec, const struct container *container,
               const struct exec_run_spec *spec, struct buf *output, struct error *err)
{
    cleanup_fd int dirfd = exec_box_make(task, exec, container, err);

    if (dirfd < 0)
        return -1;
    cleanup_fd int fd = supervisor_attach(dirfd, "stdout,stderr", err);
    if (fd < 0 || supervisor_ask(dirfd, "start", NULL, err) < 0)
        return -1;
    if (collect(fd, spec, output, err) == 0)
        return 0;
    struct error ignored; /* it may have ended just now */
    (void)supervisor_ask(dirfd, "kill 9", NULL, &ignored);
    return -1;
}

/* Until the stream ends: the exit was written before. */
static int collect(int fd, const struct exec_run_spec *spec, struct buf *output, struct error *err)
{
    int64_t until_ms = clock_mono_ms() + spec->timeout_ms;

    for (;;) {
        struct pollfd polled[] = {
            { .fd = fd, .events = POLLIN },
            { .fd = spec->cancel_fd, .events = POLLIN },
        };
        int64_t left_ms = until_ms - clock_mono_ms();
        if (left_ms <= 0)
            return fail(err, ERR_TIMEOUT, "Health check exceeded timeout (%lldms)",
                        (long long)spec->timeout_ms);
        if (poll(polled, ARRAY_SIZE(polled), left_ms > 60000 ? 60000 : (int)left_ms) <= 0)
            continue;
        if (polled[1].revents != 0)
            return fail(err, ERR_CONFLICT, "the check was cancelled");
        char *room = buf_reserve(output, PIECE_SIZE);
        ssize_t got = sys_read(fd, room, PIECE_SIZE);
        if (got <= 0)
            return 0;
        if (output->size < COLLECTED_MAX) /* more is read, so that it can end, and forgotten */
            output->size += (size_t)got;
    }
}

static const char *unframe(struct task *task, const struct buf *framed, size_t max_bytes)
{
    cleanup_buf struct buf text = { 0 };
    size_t at = 0;

    while (at + FRAME_HEAD <= framed->size && text.size < max_bytes) {
        const unsigned char *head = (const unsigned char *)framed->data + at;
        size_t size =
            (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
        at += FRAME_HEAD;
        size = size < framed->size - at ? size : framed->size - at;
        buf_append(&text, framed->data + at, size);
        at += size;
    }
    return text.size == 0 ? "" : arena_strndup(task->mem, text.data, max_bytes);
}

static json_t *config_json(const char *const *argv)
{
    return json_pack("{so sb sb}", "Cmd", json_list(argv), "AttachStdout", true, "AttachStderr",
                     true);
}
