/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Application hooks around a cut: a command in each container that writes to what is cut, before
 * its writers stand still and after they run again.  By label (org.volumed.hook.before, .after) or
 * by request, which goes before the label.
 */
#ifndef CORE_HOOK_H
#define CORE_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/task.h"

#define HOOK_LABEL_BEFORE       "org.volumed.hook.before"
#define HOOK_LABEL_AFTER        "org.volumed.hook.after"
#define HOOK_TIMEOUT_MS_DEFAULT 30000

struct hook {
    const char *container; /* in a request: name or id; in a plan: the id */
    const char *name;
    const char *before; /* for /bin/sh -c; NULL: none */
    const char *after;
};

struct hook_spec {
    const struct hook *items;
    size_t count;
    int64_t timeout_ms; /* of each; 0: the default */
    bool is_off;        /* labels are not looked at either */
};

#endif
