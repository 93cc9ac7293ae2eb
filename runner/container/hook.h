/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: programs of the engine that are run at points of a container's life. */
#ifndef RUNNER_HOOK_H
#define RUNNER_HOOK_H

#include <jansson.h>

#include "base/error.h"
#include "runner/spec/spec.h"

/*
 * Runs those of one kind one after the other, with the container's state on their stdin; each has
 * until its timeout.  Errors: "error running createRuntime hook #1: …"; the rest is not run.
 */
int hooks_run(const struct array hooks[HOOK_KINDS], enum hook_kind kind, const json_t *state,
              struct error *err);

#endif
