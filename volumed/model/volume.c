/* SPDX-License-Identifier: Apache-2.0 */
/* Words for what copies cost. */
#include "model/volume.h"

static const char *const cost_names[] = {
    [COST_O1] = "O(1)",
    [COST_FILES] = "O(files)",
    [COST_BYTES] = "O(bytes)",
};

const char *cost_name(enum cost cost)
{
    return cost_names[cost];
}
