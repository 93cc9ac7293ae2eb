/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process of a container whose program cannot be one: runs the program, hands signals on
 * to it, reaps whatever is left to it, and ends as the program ends.
 */
#ifndef RUNNER_REAPER_H
#define RUNNER_REAPER_H

#include <stdbool.h>

#include "base/error.h"

/* True when we were started under the name by which containers know their first process. */
bool reaper_is_meant(const char *program_name);

/*
 * Runs 'argv' (NULL-terminated) and returns its exit status as shells see it: 126 and 127, with the
 * reason on standard error, when it cannot be executed.
 */
int reaper_run(char **argv);

#endif
