/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of operations on containers, for the table of kinds. */
#ifndef CORE_CONTAINER_KINDS_H
#define CORE_CONTAINER_KINDS_H

#include "core/operation/op.h"

extern const struct op_kind container_create_kind;
extern const struct op_kind container_start_kind;
extern const struct op_kind container_rename_kind;
extern const struct op_kind container_update_kind;
extern const struct op_kind container_remove_kind;

extern const struct op_kind capsule_import_kind;

#endif
