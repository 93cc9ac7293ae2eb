/* SPDX-License-Identifier: Apache-2.0 */
/*
 * criu, which stores the processes of a container and brings them back, as a program of the host
 * that is started for one request (`criu swrk`).  Not by its command line: a terminal's master and
 * the moment for hooks come over this connection only, and directories go as descriptors.  What a
 * container has that criu must be told of is external.c's.
 */
#ifndef RUNNER_CRIU_H
#define RUNNER_CRIU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* criu_req_type */
enum criu_action {
    CRIU_DUMP = 1,
    CRIU_RESTORE = 2,
    CRIU_PRE_DUMP = 4,
};

/* Fields of criu_opts. */
enum criu_option {
    CRIU_IMAGES_DIR_FD = 1,
    CRIU_PID = 2,
    CRIU_LEAVE_RUNNING = 3,
    CRIU_EXT_UNIX_SK = 4,
    CRIU_TCP_ESTABLISHED = 5,
    CRIU_SHELL_JOB = 7,
    CRIU_FILE_LOCKS = 8,
    CRIU_LOG_LEVEL = 9,
    CRIU_LOG_FILE = 10,
    CRIU_PAGE_SERVER = 11,
    CRIU_NOTIFY_SCRIPTS = 12,
    CRIU_ROOT = 13,
    CRIU_PARENT_IMG = 14,
    CRIU_TRACK_MEM = 15,
    CRIU_AUTO_DEDUP = 16,
    CRIU_WORK_DIR_FD = 17,
    CRIU_LINK_REMAP = 18,
    CRIU_MANAGE_CGROUPS = 24,
    CRIU_CG_ROOT = 25,
    CRIU_RST_SIBLING = 26,
    CRIU_INHERIT_FD = 27,
    CRIU_MANAGE_CGROUPS_MODE = 34,
    CRIU_EXTERNAL = 37,
    CRIU_EMPTY_NS = 38,
    CRIU_JOIN_NS = 39,
    CRIU_FREEZE_CGROUP = 44,
    CRIU_TCP_SKIP_IN_FLIGHT = 46,
    CRIU_LAZY_PAGES = 48,
    CRIU_STATUS_FD = 49,
    CRIU_ORPHAN_PTS_MASTER = 50,
    CRIU_TCP_CLOSE = 52,
    CRIU_LSM_PROFILE = 53,
    CRIU_LSM_MOUNT_CONTEXT = 65,
};

#define CRIU_INHERITED_MAX 8

struct criu_call {
    enum criu_action action;
    const char *image_path;
    const char *work_path; /* its log is there */
    int image_fd;
    int work_fd;
    struct buf options; /* criu_opts */
    int inherited[CRIU_INHERITED_MAX];
    int inherited_count;
    void *owner;
    /* In criu's process before it is executed, to change its mount namespace; may be NULL. */
    int (*enter)(void *owner, struct error *err);
    /* At a point of criu's work that it names; a descriptor that came with it is in *fd. */
    int (*notify)(void *owner, const char *point, pid_t pid, int *fd, struct error *err);
    pid_t pid; /* of the restored process */
};

void criu_number(struct criu_call *call, enum criu_option option, int64_t value);
void criu_text(struct criu_call *call, enum criu_option option, const char *text);

/* A message of two members, 'first' being field 1. */
void criu_pair(struct criu_call *call, enum criu_option option, const char *first,
               const char *second);

/* criu's process keeps the caller's descriptor 'fd', and takes it for what 'key' names. */
void criu_inherit(struct criu_call *call, const char *key, int fd);

/* Where criu is installed, or NULL. */
const char *criu_find(struct arena *mem);

/*
 * Does the request and waits for criu to end.  Errors: UNSUPPORTED (criu is not installed); SYSTEM
 * with the last error of criu's log; what notify and enter said.
 */
int criu_run(struct arena *mem, struct criu_call *call, struct error *err);

void criu_done(struct criu_call *call);

#endif
