/* SPDX-License-Identifier: Apache-2.0 */
/* What names may look like. */
#ifndef MODEL_NAME_H
#define MODEL_NAME_H

#include "base/error.h"

#define NAME_LENGTH_MAX 255

/*
 * Volumes, snapshots, containers, pools: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at least two characters, as
 * Docker's local driver.  'kind' ("volume") is for the message, whose text follows dockerd's.
 */
int name_check(const char *kind, const char *name, struct error *err);

#endif
