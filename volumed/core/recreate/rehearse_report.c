/* SPDX-License-Identifier: Apache-2.0 */
/* What the rehearsed container did to its clones, what it said, and what its image would have
 * seeded. */
#include "core/recreate/rehearse_report.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sys.h"
#include "core/container/container.h"
#include "core/container/container_io.h"
#include "core/container/container_stop.h"
#include "core/image/image.h"
#include "core/recreate/recreate_written.h"
#include "core/recreate/seed_drift.h"
#include "mount/overlay.h"

#define STOP_TIMEOUT_MS 10000
#define LOG_LINES       20
#define LOG_BYTES_MAX   8192
#define FRAME_HEAD      8 /* bytes before each piece of a log that is no terminal's */
#define DRIFT_MAX       50

static void report_changes(struct recreate_run *run);
static void report_log(struct recreate_run *run, const struct container *container);
static size_t take_frames(const struct buf *frames, char *text, size_t size);
static void report_drift(struct recreate_run *run, const struct container *container);
static int drift_of(struct task *task, int image_fd, const struct attachment *attachment,
                    json_t *list, struct error *err);

void rehearse_report(struct recreate_run *run)
{
    cleanup_container struct container container = { 0 };
    struct error err;

    recreate_report(run, "judged_ms", json_integer(clock_now_ms()));
    recreate_report(run, "healthy_ms",
                    json_integer(clock_now_ms() - recreate_reported(run, "running_ms")));
    if (container_get(run->task, run->recreation->members[0].new_id, &container, &err) < 0)
        return; /* it was removed: there is nothing to tell */
    if (container_force_down(run->task, &container, STOP_TIMEOUT_MS, &err) < 0)
        log_warn("a rehearsal does not stop container=%s error=\"%s\"", container.name,
                 err.message);
    recreate_report(run, "exit_code", json_integer(container.exit_code));
    report_changes(run);
    report_log(run, &container);
    report_drift(run, &container);
}

static void report_changes(struct recreate_run *run)
{
    const char *set = run->recreation->set_name;

    recreate_report_written(run, set, NULL, arena_printf(run->task->mem, "%s.", set));
}

static void report_log(struct recreate_run *run, const struct container *container)
{
    const struct log_spec spec = { .has_stdout = true, .has_stderr = true, .tail = LOG_LINES };
    struct log_reader *reader = NULL;
    cleanup_buf struct buf frames = { 0 };
    char text[LOG_BYTES_MAX];
    struct error err;

    if (log_open(run->task, container->id, &spec, &reader, &err) < 0)
        return;
    while (frames.size < LOG_BYTES_MAX && log_read(reader, &frames) == 1)
        ;
    size_t length;
    if (log_is_raw(reader)) {
        length = frames.size < sizeof(text) ? frames.size : sizeof(text) - 1;
        memcpy(text, frames.data, length);
    } else {
        length = take_frames(&frames, text, sizeof(text) - 1);
    }
    text[length] = '\0';
    log_close(reader);
    recreate_report(run, "log_tail", json_text(text));
}

static size_t take_frames(const struct buf *frames, char *text, size_t size)
{
    size_t used = 0;

    for (size_t at = 0; at + FRAME_HEAD <= frames->size;) {
        const unsigned char *head = (const unsigned char *)frames->data + at;
        size_t length =
            (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | (size_t)head[7];
        at += FRAME_HEAD;
        if (length > frames->size - at || length > size - used)
            break;
        memcpy(text + used, frames->data + at, length);
        used += length;
        at += length;
    }
    return used;
}

static void report_drift(struct recreate_run *run, const struct container *container)
{
    struct task *task = run->task;
    const char *const *dirs;
    json_t *list = json_array();
    struct error err;

    if (container->chain_id != NULL && image_layers(task, container->chain_id, &dirs, &err) == 0) {
        cleanup_fd int image_fd = overlay_view_open(dirs, &err);
        for (size_t i = 0; image_fd >= 0 && i < container->attachment_count; i++)
            if (drift_of(task, image_fd, &container->attachments[i], list, &err) < 0)
                log_warn("cannot compare the image with volume=%s error=\"%s\"",
                         container->attachments[i].volume_name, err.message);
    }
    recreate_report(run, "seed_drift", list);
}

static int drift_of(struct task *task, int image_fd, const struct attachment *attachment,
                    json_t *list, struct error *err)
{
    struct volume volume;
    cleanup_fd int seed_fd =
        path_open_in_root(image_fd, attachment->destination, O_RDONLY | O_DIRECTORY);

    if (seed_fd < 0 || attachment->subpath[0] != '\0') /* the image seeds nothing there */
        return 0;
    if (volume_get(task, attachment->volume_id, &volume, err) < 0)
        return -1;
    cleanup_fd int volume_fd = volume_open(task, &volume, err);
    const struct seed_drift drift = {
        .seed_fd = seed_fd,
        .volume_fd = volume_fd,
        .base = attachment->destination,
        .max = DRIFT_MAX,
    };
    return volume_fd < 0 ? -1 : seed_drift_find(&drift, list, err);
}
