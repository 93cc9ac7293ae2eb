/* SPDX-License-Identifier: Apache-2.0 */
/* A running container's mounts, seen from outside: its root, its namespace, its mount table. */
#ifndef RUNNER_HOT_PLACE_H
#define RUNNER_HOT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/container/container.h"

struct hot_place {
    int root_fd;       /* of the container's first process */
    int ns_fd;         /* its mount namespace */
    int proc_fd;       /* the caller's /proc, usable after joining */
    const char *table; /* mountinfo as the first process sees it */
    pid_t *pids;       /* of the container, looked up before joining */
    size_t pid_count;
};

#define HOT_PLACE_NONE                            \
    {                                             \
        .root_fd = -1, .ns_fd = -1, .proc_fd = -1 \
    }

/* One mount of the table. */
struct hot_line {
    uint64_t id;
    uint64_t parent_id;
    const char *target; /* from the container's root */
};

/* Errors: CONFLICT (it does not run), UNSUPPORTED (it has the host's mounts). */
int hot_place_open(struct arena *mem, const struct container *container, struct hot_place *place,
                   struct error *err);
void hot_place_close(struct hot_place *place);
#define cleanup_hot_place CLEANUP(hot_place_close)

/*
 * The mount on top at 'path', if its line holds 'token': 1 and *line is filled; 0: another mount or
 * none is there; -errno.
 */
int hot_place_find(struct arena *mem, const struct hot_place *place, const char *path,
                   const char *token, struct hot_line *line);

/* True when something is mounted in the mount; *target (may be NULL) tells where. */
bool hot_place_has_child(struct arena *mem, const struct hot_place *place, uint64_t id,
                         const char **target);

/* Makes the mount namespace the caller's own.  No way back. */
int hot_place_join(const struct hot_place *place, struct error *err);

/* The kernel's number of the mount that 'path' below 'dirfd' ("" is dirfd itself) lies on, or 0. */
uint64_t hot_mount_id(int dirfd, const char *path);

/*
 * A process of the container that uses the mount (with 'is_writer': has a file of it open for
 * writing), as "process 12 (sh) …"; NULL when none is found.
 */
const char *hot_user_find(struct arena *mem, const struct hot_place *place, uint64_t id,
                          bool is_writer);

#endif
