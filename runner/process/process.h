/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process of a container or of an exec, as the runtime specification's `process` object: what
 * it is.  Becoming it is identity.c's (users, capabilities, limits) and init.c's (the steps).
 */
#ifndef RUNNER_PROCESS_H
#define RUNNER_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/spec/field.h"

/* Sets of capabilities by name; NULL is an empty set. */
struct capability_names {
    const char *const *bounding;
    const char *const *effective;
    const char *const *permitted;
    const char *const *inheritable;
    const char *const *ambient;
};

struct process_rlimit {
    const char *type;
    int64_t soft; /* the bits of an unsigned number; -1 is unlimited */
    int64_t hard;
};

struct process {
    bool terminal;
    uint32_t console_rows; /* 0: not set */
    uint32_t console_columns;
    uint32_t uid;
    uint32_t gid;
    struct limit umask;
    json_t *additional_gids; /* array of whole numbers, or NULL */
    const char *const *args; /* at least one */
    const char *const *env;  /* NULL: empty */
    const char *cwd;
    bool has_capabilities; /* false: none are given at all */
    struct capability_names capabilities;
    struct array rlimits; /* struct process_rlimit */
    bool no_new_privileges;
    struct limit oom_score_adj;
    const char *apparmor_profile;
    const char *selinux_label;
    json_t *scheduler;         /* object, or NULL */
    json_t *io_priority;       /* object, or NULL */
    json_t *exec_cpu_affinity; /* object, or NULL */
    json_t *json;              /* what process_read() read; NULL when part of a spec */
};

/* Members of `process` for a table that embeds the struct (FIELD_NESTED). */
extern const struct field process_fields[];

/*
 * Reads a file that holds a process object (`exec --process`).  The process lives as long as 'mem',
 * its JSON until process_close().  Errors: INVALID, NOT_FOUND.
 */
int process_read(struct arena *mem, const char *path, struct process **process, struct error *err);
void process_close(struct process *process);

/* Checks what tables cannot: a program, an absolute working directory, known limits. */
int process_check(struct process *process, struct error *err);

/* The value of NAME in the environment list, or NULL. */
const char *process_env(const struct process *process, const char *name);

#endif
