/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of operations on volumes and snapshots that leave intents, for the table of kinds. */
#ifndef CORE_STORAGE_KINDS_H
#define CORE_STORAGE_KINDS_H

#include "core/operation/op.h"

extern const struct op_kind volume_seed_kind;
extern const struct op_kind volume_resize_kind;
extern const struct op_kind snapshot_rollback_kind;
extern const struct op_kind pool_adopt_kind;
extern const struct op_kind file_restore_kind;
extern const struct op_kind pool_disk_create_kind;
extern const struct op_kind pool_disk_remove_kind;
extern const struct op_kind pool_disk_resize_kind;
extern const struct op_kind set_rollback_kind;
extern const struct op_kind hook_kind;

#endif
