/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writers that are no containers of ours: what other engines run, with a volume of ours mounted,
 * and processes of the host.  Found through mount tables and control groups.
 */
#ifndef CORE_STRANGER_H
#define CORE_STRANGER_H

#include <stddef.h>

#include "base/error.h"
#include "core/fence/liveness.h"
#include "core/operation/task.h"

struct strangers {
    const char **groups; /* directories of control groups that may be frozen; NULL-terminated */
    size_t group_count;
    const char **unfenced; /* the others, for people; NULL-terminated */
    size_t unfenced_count;
};

/*
 * Adds those among the users of a volume.  A group may be frozen unless the host needs it: it holds
 * neither this process nor the first one, nor any that lives in the host's mount namespace.
 */
int strangers_add(struct task *task, const char *volume_name, const struct live_user *users,
                  int count, struct strangers *strangers, struct error *err);

#endif
