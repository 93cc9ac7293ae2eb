/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the mounts of a container that runs, by the runner (runner(8): mount, remount, unmount).
 * Each is idempotent, and goes by what the kernel has mounted at the place: a mount is ours when
 * its line in the container's mount table holds the attachment's token, the UUID of its tree or
 * scratch.
 *
 * Errors of all: CONFLICT when the container does not run.
 */
#ifndef CORE_HOT_MOUNT_H
#define CORE_HOT_MOUNT_H

#include <stdbool.h>

#include "core/attachment/attachment.h"

/* What tells an attachment's mount; 'data_id' is its volume's. */
const char *hot_mount_token(const struct attachment *attachment, const char *data_id);

/* Takes mount->fd (of a scratch: what is above it) into the container. */
int hot_mount(struct task *task, const struct attachment_mount *mount, const char *token,
              struct error *err);

/* BUSY, naming the process that has a file open for writing. */
int hot_remount(struct task *task, const struct attachment *attachment, const char *token,
                bool is_read_only, struct error *err);

/* BUSY, naming who uses it, unless forced. */
int hot_unmount(struct task *task, const struct attachment *attachment, const char *token,
                bool is_forced, struct error *err);

#endif
