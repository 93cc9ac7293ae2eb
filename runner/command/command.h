/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, each a function; main.c has their table. */
#ifndef RUNNER_COMMAND_H
#define RUNNER_COMMAND_H

#include "runner/command/options.h"

/* Returns the exit status, or -1 with err filled. */
typedef int (*command_fn)(struct arena *mem, struct options *options, struct error *err);

int command_create(struct arena *mem, struct options *options, struct error *err);
int command_run(struct arena *mem, struct options *options, struct error *err);
int command_start(struct arena *mem, struct options *options, struct error *err);
int command_exec(struct arena *mem, struct options *options, struct error *err);
int command_state(struct arena *mem, struct options *options, struct error *err);
int command_kill(struct arena *mem, struct options *options, struct error *err);
int command_delete(struct arena *mem, struct options *options, struct error *err);
int command_pause(struct arena *mem, struct options *options, struct error *err);
int command_resume(struct arena *mem, struct options *options, struct error *err);
int command_list(struct arena *mem, struct options *options, struct error *err);
int command_ps(struct arena *mem, struct options *options, struct error *err);
int command_update(struct arena *mem, struct options *options, struct error *err);
int command_events(struct arena *mem, struct options *options, struct error *err);
int command_spec(struct arena *mem, struct options *options, struct error *err);
int command_features(struct arena *mem, struct options *options, struct error *err);
int command_supervise(struct arena *mem, struct options *options, struct error *err);
int command_hold(struct arena *mem, struct options *options, struct error *err);
int command_reaper(struct arena *mem, struct options *options, struct error *err);
int command_mount(struct arena *mem, struct options *options, struct error *err);
int command_remount(struct arena *mem, struct options *options, struct error *err);
int command_unmount(struct arena *mem, struct options *options, struct error *err);
int command_mounts(struct arena *mem, struct options *options, struct error *err);
int command_checkpoint(struct arena *mem, struct options *options, struct error *err);
int command_restore(struct arena *mem, struct options *options, struct error *err);

/* The container that the first argument names. */
int command_open(struct arena *mem, const struct options *options, struct container **container,
                 struct error *err);

/* Sends what --pidfd-socket and --console-socket ask for. */
int command_hand_over(const struct options *options, struct container *container,
                      struct error *err);

/* Waits for a process and returns its status as shells tell it (128 + signal). */
int command_wait(pid_t pid);

#endif
