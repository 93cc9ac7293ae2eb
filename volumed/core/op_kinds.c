/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of operation that leaves an intent, so that a crash's remains find their code by name.
 */
#include "core/op.h"

const struct op_kind *const op_kinds[] = {
    NULL,
};
