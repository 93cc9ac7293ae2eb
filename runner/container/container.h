/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container as the commands and the supervisor see it: made from a bundle, found again by its id,
 * started, signalled, frozen, measured, deleted.  Everything that is true of a container is in its
 * state directory ROOT/ID and in the kernel; a 'struct container' is only a handle on both, so two
 * processes may hold handles on the same container.
 *
 * Single-threaded.  A handle lives in the arena it was made with, its descriptors until
 * container_close().  The spec given to a function may be freed when the function has returned.
 */
#ifndef RUNNER_CONTAINER_H
#define RUNNER_CONTAINER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

struct cgroup;
struct process;
struct spec;

enum container_status {
    CONTAINER_CREATING, /* create is under way (or died half-way) */
    CONTAINER_CREATED,  /* init waits for start */
    CONTAINER_RUNNING,
    CONTAINER_PAUSED,
    CONTAINER_STOPPED,
};

enum cgroup_manager {
    CGROUP_FILES, /* the default: directories made by us */
    CGROUP_SYSTEMD,
    CGROUP_DISABLED, /* the container stays in the caller's cgroups */
};

struct container_options {
    const char *root; /* state root; made when missing */
    const char *id;
    const char *bundle;   /* any path; made absolute */
    const char *pid_file; /* written atomically before the call returns, or NULL */
    enum cgroup_manager cgroup_manager;
    bool without_pivot;
    bool without_keyring;
    bool without_fifo; /* 'run': init goes on to the user's program at once */
    bool notifies;     /* the spec has notify_add()'s mount */
    int preserve_fds;  /* descriptors 3 … 3+n-1 of the caller reach the program */
    int listen_fds;    /* so many of them are the program's LISTEN_FDS */
    int stdio[3];      /* become 0, 1 and 2 of init unless spec asks for a terminal; not consumed */
    uid_t stdio_owner; /* pipes among stdio are given to this user; (uid_t)-1: left alone */
};

struct container {
    const char *id;
    const char *root;
    const char *bundle;
    const char *rootfs;
    const char *owner;
    int state_fd;   /* ROOT/ID */
    pid_t pid;      /* of init, in our PID namespace */
    int pidfd;      /* readable when init has ended; -1 when it is gone */
    int console_fd; /* pty master, after container_create with spec->process->terminal; else -1 */
    int notify_fd;  /* after container_create without a fifo, when it notifies; else -1 */
    int64_t created_ns;
    uint64_t start_ticks; /* of init (proc(5) field 22): tells it from a later user of the PID */
    struct cgroup *cgroup;
    json_t *annotations; /* of config.json, as the state stores them; NULL when none */
    json_t *state;       /* the whole stored state */
};

/* Closes the handle's descriptors; the container itself is not touched. */
void container_close(struct container *container);
void container_cleanup(struct container **container);
#define cleanup_container CLEANUP(container_cleanup)

/*
 * Makes the container that 'spec' (spec_read) describes and leaves its init waiting for
 * container_start (unless options->without_fifo).  Init is a child of the calling process, which
 * must reap it (waitpid or waitid on container->pidfd) or leave it to its subreaper.  On failure
 * nothing is left behind: no process, cgroup, mount or state.
 *
 * Errors: EXISTS (the id is taken), INVALID, NOT_FOUND and DENIED with runc's text when the user's
 * program cannot be found or executed.
 */
int container_create(struct arena *mem, const struct container_options *options,
                     const struct spec *spec, struct container **container, struct error *err);

/* A handle on nothing yet: every descriptor -1. */
struct container *container_new(struct arena *mem, const char *root, const char *id);

/* Finds a container by its id.  Errors: NOT_FOUND ("container 'x' does not exist"). */
int container_open(struct arena *mem, const char *root, const char *id,
                   struct container **container, struct error *err);

/*
 * Lets init execute the user's program, and runs the poststart hooks.  Returns when the program has
 * been executed.  When that fails, the message is the child's own
 * (exec: "nosuch": executable file not found in $PATH) and init has ended with 127 or 126.
 *
 * Errors: CONFLICT (not in state created).
 */
int container_start(struct container *container, struct error *err);

/* What the kernel and the state directory say now. */
enum container_status container_status(const struct container *container);
const char *container_status_name(enum container_status status);

/* Sends a signal to init.  Errors: CONFLICT ("container not running"). */
int container_kill(const struct container *container, int signal_number, struct error *err);

/* Sends a signal to every process of the container's cgroup; none there is success. */
int container_kill_all(const struct container *container, int signal_number, struct error *err);

/*
 * Stops every process of the container by the freezer and returns when all have stopped.  When they
 * have not within 'timeout_ms', thaws again and fails.
 *
 * Errors: TIMEOUT, UNSUPPORTED (no freezer), CONFLICT (not running).
 */
int container_freeze(const struct container *container, int64_t timeout_ms, struct error *err);

/* Undoes container_freeze.  Idempotent. */
int container_thaw(const struct container *container, struct error *err);

/* PIDs of all processes of the container in our PID namespace.  *count may be 0. */
int container_pids(struct arena *mem, const struct container *container, pid_t **pids,
                   size_t *count, struct error *err);

/* Applies an OCI linux.resources object; absent members stay as they are. */
int container_update(const struct container *container, const json_t *resources, struct error *err);

/* What `events --stats` prints as "data".  New reference, NULL on failure. */
json_t *container_stats(const struct container *container, struct error *err);

/*
 * A descriptor that becomes readable when the kernel's OOM killer was at work in the container (it
 * may also do so otherwise: compare container_oom_kills).  Errors: UNSUPPORTED (no memory cgroup).
 */
int container_oom_open(const struct container *container, struct error *err);

/* Processes of the container that the OOM killer has ended so far; 0 when nobody counts. */
int64_t container_oom_kills(const struct container *container);

/* The state as `runner state` prints it.  New reference. */
json_t *container_state_json(const struct container *container, enum container_status status);

/*
 * Removes what is left of a container: with 'is_forced' its processes first (waiting for their end
 * at most 10 s), then poststop hooks, cgroups and the state directory.  Removing cgroups is retried
 * for at most a second, and what then remains is an error, the state directory staying.
 *
 * Errors: CONFLICT (running, and not forced), BUSY (cgroups not empty).
 */
int container_delete(struct container *container, bool is_forced, struct error *err);

struct exec_options {
    const char *pid_file; /* or NULL */
    int preserve_fds;
    int stdio[3];       /* as in container_options */
    uid_t stdio_owner;  /* as in container_options */
    bool is_held;       /* true: wait for container_exec_start before executing the program */
    const char *cgroup; /* below the container's own; or NULL */
    bool ignores_paused;
};

struct exec {
    pid_t pid;      /* a child of the calling process */
    int pidfd;      /* readable when it has ended */
    int console_fd; /* pty master when process->terminal, else -1 */
    int hold_fd;    /* internal: the way to a held process */
};

/*
 * Prepares 'process' (process_read) inside the running container.  Without is_held it returns when
 * the program has been executed, else when it is about to be.
 *
 * Errors: CONFLICT (not running, or paused); text of the child's own as with container_start.
 */
int container_exec(const struct container *container, const struct exec_options *options,
                   const struct process *process, struct exec *exec, struct error *err);

/* Lets a held process execute its program and returns when that is done.  Errors: see above. */
int container_exec_start(struct exec *exec, struct error *err);

void container_exec_close(struct exec *exec);

#endif
