/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_notify(3) out of a container: a socket of the container's own, in its state directory and
 * bound at /run/notify, whose messages are handed on to the socket that $NOTIFY_SOCKET names on the
 * host. What a container says of process ids is about its own and not handed on.
 */
#ifndef RUNNER_NOTIFY_H
#define RUNNER_NOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/spec/spec.h"

/* The host's socket, or NULL when nobody is to be told. */
const char *notify_host_socket(void);

/* Gives the spec the mount and the variable; 'root' and 'id' say where the state will be. */
int notify_add(struct arena *mem, struct spec *spec, const char *root, const char *id,
               struct error *err);

/* Makes the directory that is bound; before the mounts are prepared. */
int notify_make_directory(int state_fd, struct error *err);

/* Binds the container's socket, if the container has one; -1 and no error if not. */
int notify_open(int state_fd, int *fd, struct error *err);

/* Hands one message on.  'pid' (0: none) is told as the main process.  True when it was READY=1. */
bool notify_forward(int fd, pid_t pid);

/* Until READY=1, or until the container ends ('pidfd'). */
void notify_await_ready(int fd, int pidfd, pid_t pid);

#endif
