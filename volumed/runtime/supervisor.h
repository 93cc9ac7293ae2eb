/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of `runner supervise`: starts a supervisor, and speaks with it over the socket
 * 'ctl.sock' in the directory 'dirfd' (a container's box or an exec's).  No connection is kept
 * between calls but those that are returned as descriptors.
 *
 * Errors of all: CONFLICT when there is no supervisor (what it watched has ended), TIMEOUT when it
 * does not answer, and those that it answers with.
 */
#ifndef RUNTIME_SUPERVISOR_H
#define RUNTIME_SUPERVISOR_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/program.h"

/* Runs `runner … supervise …`; returns when the container or exec exists and waits for "start". */
int supervisor_spawn(const struct program *runner, struct error *err);

/* One request line, one answer; 'answer' (may be NULL) gets what follows "ok ". */
int supervisor_ask(int dirfd, const char *request, struct buf *answer, struct error *err);

/* "stdin,stdout": returns the stream. */
int supervisor_attach(int dirfd, const char *streams, struct error *err);

/* Returns a connection on which lines come: "oom", and at last "exited …". */
int supervisor_watch(int dirfd, struct error *err);

/* Returns the lease, a descriptor for supervisor_thaw(); closing it thaws too. */
int supervisor_freeze(int dirfd, int64_t timeout_ms, struct error *err);

/*
 * Makes a lease on control groups (directories, NULL-terminated) that have no supervisor, held by a
 * `runner hold` of its own: a descriptor, for supervisor_hold_freeze() and supervisor_thaw();
 * closing it thaws too.  Nothing is frozen yet.  note: an empty file, for what is frozen by it at a
 * time; -1: none.
 */
int supervisor_hold(const char *runner_path, const char *const *groups, int note,
                    struct error *err);
int supervisor_hold_freeze(int lease, int64_t timeout_ms, struct error *err);

/* Thaws the groups, whoever has frozen them: for a lease whose holder has died. */
int supervisor_hold_release(int lease, struct error *err);

/* Takes the lease over. */
int supervisor_thaw(int lease, int64_t *pause_ns, struct error *err);

#endif
