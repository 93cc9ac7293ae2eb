/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system call filter (seccomp) of a spec: translated by libseccomp once per profile and kept as
 * the finished program, loaded by seccomp(2) itself.
 */
#ifndef RUNNER_FILTER_H
#define RUNNER_FILTER_H

#include <jansson.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

struct filter {
    struct sock_filter *program;   /* NULL: no filter */
    size_t size;                   /* bytes */
    unsigned int flags;            /* SECCOMP_FILTER_FLAG_* */
    const char *listener_path;     /* NULL unless some rule notifies */
    int listener_socket;           /* connected to it by filter_connect; else -1 */
    const char *listener_metadata; /* NULL or text */
};

/*
 * Translates linux.seccomp, or takes the finished program from 'cache_root' (a directory of ours;
 * NULL for none).  'json' NULL gives no filter.  Errors: INVALID (names, actions, arguments).
 */
int filter_prepare(struct arena *mem, const json_t *json, const char *cache_root,
                   struct filter *filter, struct error *err);

/* Keeps the program as STATE_SECCOMP in a state directory, for later processes of the container. */
int filter_store(const struct filter *filter, int state_fd, struct error *err);

/* As it was stored; 'json' is what container_state_stored tells of it, NULL for none. */
int filter_restore(struct arena *mem, int state_fd, const json_t *json, struct filter *filter,
                   struct error *err);

/* Loads the filter.  *listener_fd (may be NULL) is the notify descriptor or -1. */
int filter_load(const struct filter *filter, int *listener_fd, struct error *err);

/* Connects to listenerPath, if there is one, with the host's view. */
int filter_connect(struct filter *filter, struct error *err);

/* Sends the notify descriptor to listenerPath with the state (spec, "containerProcessState"). */
int filter_notify(const struct filter *filter, int listener_fd, pid_t pid, const json_t *state,
                  struct error *err);

/* filter_compile.c: by libseccomp, into 'mem'. */
int filter_compile(struct arena *mem, const json_t *json, struct filter *filter, struct error *err);

/*
 * filter_prologue.c: instructions to stand before a program for these architectures; returns how
 * many there are.
 */
#define FILTER_ARCHES_MAX   24
#define FILTER_PROLOGUE_MAX (1 + FILTER_ARCHES_MAX * 5)
size_t filter_prologue(const json_t *json, const uint32_t *arches, size_t count,
                       struct sock_filter program[FILTER_PROLOGUE_MAX]);

/* The names that `features` tells; NULL-terminated. */
extern const char *const seccomp_action_names[];
extern const char *const seccomp_operator_names[];
extern const char *const seccomp_arch_names[];
extern const char *const seccomp_flag_names[];

#endif
