/* SPDX-License-Identifier: Apache-2.0 */
/* In what a generation differs from the one before. */
#ifndef CORE_GENERATION_CHANGE_H
#define CORE_GENERATION_CHANGE_H

#include "base/json.h"
#include "model/container.h"

/*
 * [{"option", "from", "to"}], by option: "Image", members of Config ("Cmd"), of its maps and lists
 * one by one ("Env.PATH", "Labels.tier"), and of HostConfig ("HostConfig.Memory"); null is absent.
 * What a container has from its image is told too, since it is as different.  New reference.
 */
json_t *generation_changes(struct arena *mem, const struct container *before,
                           const struct container *after);

#endif
