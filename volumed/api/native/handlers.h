/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's handlers, one for each row of routes.c: decode, call core, reply. */
#ifndef API_NATIVE_HANDLERS_H
#define API_NATIVE_HANDLERS_H

#include "api/call.h"

int native_volume_list(struct call *call, struct error *err);
int native_volume_create(struct call *call, struct error *err);
int native_volume_get(struct call *call, struct error *err);
int native_volume_change(struct call *call, struct error *err);
int native_volume_remove(struct call *call, struct error *err);
int native_volume_prune(struct call *call, struct error *err);
int native_volume_usage(struct call *call, struct error *err);
int native_volume_references(struct call *call, struct error *err);
int native_volume_release(struct call *call, struct error *err);

int native_snapshot_list(struct call *call, struct error *err);
int native_snapshot_list_all(struct call *call, struct error *err);
int native_snapshot_create(struct call *call, struct error *err);
int native_snapshot_get(struct call *call, struct error *err);
int native_snapshot_remove(struct call *call, struct error *err);
int native_snapshot_rollback(struct call *call, struct error *err);

int native_set_list(struct call *call, struct error *err);
int native_set_create(struct call *call, struct error *err);
int native_set_get(struct call *call, struct error *err);
int native_set_remove(struct call *call, struct error *err);
int native_set_rollback(struct call *call, struct error *err);
int native_set_clone(struct call *call, struct error *err);

int native_file_list(struct call *call, struct error *err);
int native_file_read(struct call *call, struct error *err);
int native_file_archive(struct call *call, struct error *err);
int native_file_restore(struct call *call, struct error *err);

int native_lineage_get(struct call *call, struct error *err);
int native_hold_list(struct call *call, struct error *err);
int native_hold_create(struct call *call, struct error *err);
int native_hold_remove(struct call *call, struct error *err);

int native_policy_list(struct call *call, struct error *err);
int native_policy_create(struct call *call, struct error *err);
int native_policy_get(struct call *call, struct error *err);
int native_policy_remove(struct call *call, struct error *err);
int native_policy_plan(struct call *call, struct error *err);
int native_policy_run(struct call *call, struct error *err);

int native_trash_list(struct call *call, struct error *err);
int native_trash_get(struct call *call, struct error *err);
int native_trash_restore(struct call *call, struct error *err);
int native_trash_purge_one(struct call *call, struct error *err);
int native_trash_purge(struct call *call, struct error *err);
int native_diff(struct call *call, struct error *err);

int native_pool_list(struct call *call, struct error *err);
int native_pool_create(struct call *call, struct error *err);
int native_pool_get(struct call *call, struct error *err);
int native_pool_adopt(struct call *call, struct error *err);
int native_pool_change(struct call *call, struct error *err);
int native_pool_remove(struct call *call, struct error *err);
int native_pool_space(struct call *call, struct error *err);

int native_capsule_export(struct call *call, struct error *err);
int native_capsule_import(struct call *call, struct error *err);
int native_capsule_verify(struct call *call, struct error *err);

int native_recreation_begin(struct call *call, struct error *err);
int native_rehearsal_begin(struct call *call, struct error *err);
int native_scaling_begin(struct call *call, struct error *err);
int native_scaling_get(struct call *call, struct error *err);
int native_replica_list(struct call *call, struct error *err);
int native_recreation_list(struct call *call, struct error *err);
int native_recreation_get(struct call *call, struct error *err);
int native_recreation_commit(struct call *call, struct error *err);
int native_recreation_undo(struct call *call, struct error *err);
int native_container_generations(struct call *call, struct error *err);

int native_operation_list(struct call *call, struct error *err);
int native_operation_get(struct call *call, struct error *err);

int native_event_list(struct call *call, struct error *err);
int native_event_stream(struct call *call, struct error *err);

int native_attachment_create(struct call *call, struct error *err);
int native_attachment_promote(struct call *call, struct error *err);
int native_attachment_remove(struct call *call, struct error *err);

int native_lease_list(struct call *call, struct error *err);
int native_lease_access(struct call *call, struct error *err);
int native_lease_fence(struct call *call, struct error *err);

int native_container_attachments(struct call *call, struct error *err);

int native_system_info(struct call *call, struct error *err);
int native_system_version(struct call *call, struct error *err);
int native_system_check(struct call *call, struct error *err);

#endif
