/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of operations on leases and running attachments, for the table of kinds. */
#ifndef CORE_LEASE_KINDS_H
#define CORE_LEASE_KINDS_H

#include "core/operation/op.h"

extern const struct op_kind lease_promote_kind;
extern const struct op_kind lease_fence_kind;
extern const struct op_kind attachment_attach_kind;
extern const struct op_kind attachment_detach_kind;

#endif
