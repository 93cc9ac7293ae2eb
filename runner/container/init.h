/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a container's first process, and of one that joins later, from the clone to the
 * execution of the user's program: two tables of steps.  Everything a step needs was prepared by
 * the parent and is inherited; what goes wrong travels back as a message that names the step.
 */
#ifndef RUNNER_INIT_H
#define RUNNER_INIT_H

#include <stdbool.h>

#include "base/arena.h"
#include "runner/cgroup/cgroup.h"
#include "runner/cgroup/cgroup_member.h"
#include "runner/container/container.h"
#include "runner/mount/mount.h"
#include "runner/process/capability.h"
#include "runner/process/console.h"
#include "runner/process/filter.h"
#include "runner/process/namespace.h"
#include "runner/process/process.h"
#include "runner/spec/spec.h"

struct init {
    struct arena *mem;
    const char *id;
    const struct spec *spec; /* NULL in an exec */
    const struct process *process;
    const json_t *personality;
    struct namespaces namespaces;
    struct mounts mounts;
    struct cgroup_members members; /* to be joined; of an exec joined before (launch.c) */
    struct filter filter;
    struct capabilities capabilities;
    uint32_t ignored_signals; /* bit n-1: signal n is ignored, and must not be in the program */
    int stdio[3];
    int preserve_fds;
    int listen_fds;
    bool without_pivot;
    bool without_keyring;
    bool is_held; /* exec: wait for a second GO before the program is executed */
    int sync_fd;  /* to the parent */
    int fifo_fd;  /* O_PATH; -1: not held by a fifo */
    int root_fd;
    /* of the process itself, while the steps run */
    int proc_fd;
    int null_fd;
    int devpts_fd;
    int report_fd; /* where errors go: sync_fd, then the opened fifo */
    pid_t host_pid;
    struct console console;
    const char *program;
    const char *const *env;
};

#define FIRST_EXTRA_FD 3 /* from here on descriptors are the caller's to pass, or ours */

/* Neither returns: the process becomes the program, or ends. */
void init_run(struct init *init) __attribute__((noreturn));
void init_run_exec(struct init *init) __attribute__((noreturn));

/* The new namespaces that are not made with the process but by it, later. */
unsigned int init_late_namespaces(const struct init *init);

/* init_root.c: the steps that make and enter the root. */
int init_open_host(struct init *init, struct error *err);
int init_open_sources(struct init *init, struct error *err);
int init_build_root(struct init *init, struct error *err);
int init_open_console(struct init *init, struct error *err);
int init_run_create_hooks(struct init *init, struct error *err);
int init_enter_root(struct init *init, struct error *err);
int init_hide_paths(struct init *init, struct error *err);
int init_set_names(struct init *init, struct error *err);
int init_set_sysctl(struct init *init, struct error *err);

/* init_program.c: the steps from there to the program. */
int init_take_stdio(struct init *init, struct error *err);
int init_label(struct init *init, struct error *err);
int init_confine_early(struct init *init, struct error *err);
int init_take_identity(struct init *init, struct error *err);
int init_close_descriptors(struct init *init, struct error *err);
int init_enter_cwd(struct init *init, struct error *err);
int init_find_program(struct init *init, struct error *err);
int init_report_ready(struct init *init, struct error *err);
int init_wait_for_start(struct init *init, struct error *err);
int init_run_start_hooks(struct init *init, struct error *err);
int init_confine(struct init *init, struct error *err);
int init_execute(struct init *init, struct error *err);

/* Waits for the parent's MESSAGE_GO. */
int init_wait_for_go(struct init *init, struct error *err);

#endif
