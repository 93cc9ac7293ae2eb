/* SPDX-License-Identifier: Apache-2.0 */
/* What names may look like. */
#ifndef MODEL_NAME_H
#define MODEL_NAME_H

#include "base/error.h"

#define NAME_LENGTH_MAX 255

/*
 * Volumes, snapshots, containers, pools: [a-zA-Z0-9][a-zA-Z0-9_.-]*; of volumes and containers at
 * least two characters, as with Docker.  'kind' ("volume") also chooses the message, whose text
 * follows dockerd's.
 */
int name_check(const char *kind, const char *name, struct error *err);

#endif
