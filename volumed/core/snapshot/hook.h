/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Application hooks around a cut: a command in each container that writes to what is cut, before
 * its writers stand still and after they run again.  By label (org.volumed.hook.before, .after) or
 * by request, which goes before the label.  Once a container's hook before was begun, its hook
 * after runs, whatever happens: also when the first failed, when the cut did, and at the next start
 * when volumed died.
 */
#ifndef CORE_HOOK_H
#define CORE_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "core/snapshot/cut.h"

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

struct hook_plan {
    struct hook *items; /* in the order of the containers' ids */
    size_t count;
    int64_t timeout_ms;
    const char *const *failures; /* of hooks after, for people; NULL-terminated, or NULL */
};

/* CONFLICT: a container that the request names does not run. */
int hook_plan(struct task *task, const struct hook_spec *spec, const struct cut *cut,
              struct hook_plan *plan, struct error *err);

/*
 * Runs the hooks before, body(context), the hooks after.  The error is the hook's before that
 * failed (CONFLICT; TIMEOUT; then body is not run), or body's.
 */
typedef int (*hook_body_fn)(struct task *task, void *context, struct error *err);
int hook_around(struct task *task, struct hook_plan *plan, hook_body_fn body, void *context,
                struct error *err);

/* Adds the failures of hooks after to a list of warnings (NULL-terminated, or NULL). */
void hook_warn(struct task *task, const struct hook_plan *plan, const char *const **warnings);

#endif
