/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that gives space back when a pool is nearly full, what is missed least first. */
#include "core/pool/space_reliefs.h"

#include <stddef.h>

const struct space_relief *const space_reliefs[] = {
    &policy_relief,
    &trash_relief,
    NULL,
};
