/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of operation that leaves an intent, so that a crash's remains find their code by name.
 */
#include "core/operation/container_kinds.h"
#include "core/operation/image_kinds.h"
#include "core/operation/lease_kinds.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"

/* clang-format off */
const struct op_kind *const op_kinds[] = {
    &volume_seed_kind,
    &volume_resize_kind,
    &snapshot_rollback_kind,
    &file_restore_kind,
    &container_copy_kind,
    &capsule_import_kind,
    &container_start_kind,
    &pool_disk_create_kind,
    &pool_disk_remove_kind,
    &pool_disk_resize_kind,
    &pool_adopt_kind,
    &set_rollback_kind,
    &lease_promote_kind,
    &lease_fence_kind,
    &attachment_attach_kind,
    &attachment_detach_kind,
    &hook_kind,
    NULL,
};
/* clang-format on */
