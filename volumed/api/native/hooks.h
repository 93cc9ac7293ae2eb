/* SPDX-License-Identifier: Apache-2.0 */
/* What requests that cut volumes say about application hooks. */
#ifndef API_NATIVE_HOOKS_H
#define API_NATIVE_HOOKS_H

#include "api/native/decode.h"
#include "core/snapshot/hook.h"

struct hooks_request {
    const char *hooks; /* JSON: {"container": {"before": "…", "after": "…"}} */
    int64_t timeout_ms;
    bool is_off;
};

/* Rows of a table of fields, for a member of type struct hooks_request. */
#define HOOKS_FIELDS(owner, member)                                           \
    FIELD_AS(OBJECT, "hooks", owner, member.hooks, OPTIONAL),                 \
        FIELD_AS(INT, "hook_timeout_ms", owner, member.timeout_ms, OPTIONAL), \
        FIELD_AS(BOOL, "no_hooks", owner, member.is_off, OPTIONAL)

int decode_hooks(const struct call *call, const struct hooks_request *request,
                 struct hook_spec *spec, struct error *err);

#endif
