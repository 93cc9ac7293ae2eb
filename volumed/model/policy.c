/* SPDX-License-Identifier: Apache-2.0 */
/* What policies can be for. */
#include "model/policy.h"

#include <string.h>

bool policy_targets(const struct policy *policy, const char *kind)
{
    return strcmp(policy->target_kind, kind) == 0;
}
