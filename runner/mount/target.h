/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places inside a container's root as descriptors.  A path from a spec or an image is resolved as a
 * process in the container would, and never anywhere else: below the root's descriptor, without
 * magic links, once.  What is missing is made component by component, each checked before the next.
 */
#ifndef RUNNER_TARGET_H
#define RUNNER_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

enum target_kind {
    TARGET_DIRECTORY,
    TARGET_FILE,
};

/* Opens an existing place (O_PATH).  Links are followed inside the root.  Returns -errno. */
int target_find(int root_fd, const char *path);

/* As target_find, for places that no link may lead to: /proc, /sys, /dev.  Returns -errno. */
int target_find_plain(int root_fd, const char *path);

/*
 * Opens a place for a mount (O_PATH), making it and the directories above it when missing.
 * 'is_plain' refuses links on the way.  Errors: INVALID (a link where none may be, or of the wrong
 * kind).
 */
int target_make(int root_fd, const char *path, enum target_kind kind, bool is_plain,
                struct error *err);

/*
 * As target_make, for many that lie side by side: one that was made (*is_new) leaves the directory
 * that it lies in open for the next.  target_forget() must come before anything is mounted on one
 * that is not new, which may cover that directory, and at the end.
 */
int target_make_new(int root_fd, const char *path, enum target_kind kind, bool is_plain,
                    bool *is_new, struct error *err);

void target_forget(void);

/*
 * Opens the directory that 'path' lies in, making it when missing, and points *name at the last
 * component.  Links are refused.
 */
int target_make_parent(int root_fd, const char *path, const char **name, struct error *err);

/* Attaches a detached mount to a place. */
int target_attach(int mount_fd, int target_fd, const char *path, struct error *err);

#endif
