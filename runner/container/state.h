/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory ROOT/ID of a container: state.json (what is constant from the moment init
 * exists), exec.fifo (there as long as init waits for start), seccomp.bpf (the filter, for exec).
 * Making the directory claims the id.
 */
#ifndef RUNNER_STATE_H
#define RUNNER_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

#define STATE_FIFO    "exec.fifo"
#define STATE_NOTIFY  "notify" /* a directory (notify.h) */
#define STATE_SECCOMP "seccomp.bpf"

/* The default state root of the calling user. */
const char *state_default_root(struct arena *mem);

/* Letters, digits and "_+-." not beginning with a dot; INVALID otherwise. */
int state_check_id(const char *id, struct error *err);

/* Opens the state root, making it when missing. */
int state_open_root(const char *root, struct error *err);

/* Claims an id.  Errors: EXISTS. */
int state_make(int root_fd, const char *id, struct error *err);

/* Opens ROOT/ID.  Errors: NOT_FOUND ("container 'x' does not exist"). */
int state_open(const char *root, const char *id, struct error *err);

int state_write(int state_fd, const json_t *state, struct error *err);

/* New reference; NULL with NOT_FOUND when create has not come that far. */
json_t *state_read(struct arena *mem, int state_fd, struct error *err);

/* Removes ROOT/ID; idempotent. */
int state_remove(const char *root, const char *id, struct error *err);

bool state_has_fifo(int state_fd);

/*
 * When the process began, in ticks since boot: together with its PID it names a process for good.
 * 0 when there is none, or it has ended.
 */
uint64_t process_start_ticks(pid_t pid);

#endif
