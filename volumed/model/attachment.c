/* SPDX-License-Identifier: Apache-2.0 */
/* Words for access modes.  Which may coexist is core's to decide. */
#include "model/attachment.h"

#include <string.h>

static const char *const mode_names[] = {
    [ACCESS_RW] = "rw",
    [ACCESS_RO] = "ro",
    [ACCESS_EXCLUSIVE] = "exclusive",
};

const char *access_mode_name(enum access_mode mode)
{
    return mode_names[mode];
}

int access_mode_find(const char *name, enum access_mode *mode, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(mode_names); i++) {
        if (strcmp(mode_names[i], name) == 0) {
            *mode = (enum access_mode)i;
            return 0;
        }
    }
    return fail(err, ERR_INVALID, "invalid mode: %s", name);
}

bool attachment_is_read_only(const struct attachment *attachment)
{
    if (attachment->is_scratch)
        return false;
    return attachment->mode == ACCESS_RO || attachment->is_held;
}
