/* SPDX-License-Identifier: Apache-2.0 */
/* The verb table and its handlers, one file a noun. */
#ifndef VOLCTL_VERBS_H
#define VOLCTL_VERBS_H

#include "command.h"

struct noun {
    const char *name;
    const char *summary;
};

/* Both end with a row whose name is NULL; verbs stand by noun, in the nouns' order. */
extern const struct noun nouns[];
extern const struct verb verbs[];

const struct noun *noun_find(const char *name);
const struct verb *verb_find(const char *noun, const char *name);

/* The verb of that name when one noun alone has it; else NULL. */
const struct verb *verb_find_alone(const char *name);

int cmd_volume_create(struct command *command, struct error *err);
int cmd_volume_clone(struct command *command, struct error *err);
int cmd_volume_ls(struct command *command, struct error *err);
int cmd_volume_inspect(struct command *command, struct error *err);
int cmd_volume_rename(struct command *command, struct error *err);
int cmd_volume_resize(struct command *command, struct error *err);
int cmd_volume_label(struct command *command, struct error *err);
int cmd_volume_protect(struct command *command, struct error *err);
int cmd_volume_unprotect(struct command *command, struct error *err);
int cmd_volume_rm(struct command *command, struct error *err);
int cmd_volume_prune(struct command *command, struct error *err);
int cmd_volume_usage(struct command *command, struct error *err);
int cmd_volume_release(struct command *command, struct error *err);
int cmd_volume_leases(struct command *command, struct error *err);
int cmd_volume_set_access(struct command *command, struct error *err);
int cmd_volume_fence(struct command *command, struct error *err);
int cmd_container_mount(struct command *command, struct error *err);
int cmd_container_promote(struct command *command, struct error *err);
int cmd_container_unmount(struct command *command, struct error *err);
int cmd_volume_rollback(struct command *command, struct error *err);

int cmd_snapshot_create(struct command *command, struct error *err);
int cmd_snapshot_ls(struct command *command, struct error *err);
int cmd_snapshot_inspect(struct command *command, struct error *err);
int cmd_snapshot_rm(struct command *command, struct error *err);

int cmd_set_ls(struct command *command, struct error *err);
int cmd_set_inspect(struct command *command, struct error *err);
int cmd_set_rm(struct command *command, struct error *err);
int cmd_set_rollback(struct command *command, struct error *err);
int cmd_set_clone(struct command *command, struct error *err);

int cmd_file_ls(struct command *command, struct error *err);
int cmd_file_cat(struct command *command, struct error *err);
int cmd_file_get(struct command *command, struct error *err);
int cmd_file_restore(struct command *command, struct error *err);
int cmd_file_diff(struct command *command, struct error *err);
int cmd_file_tar(struct command *command, struct error *err);

int cmd_lineage_show(struct command *command, struct error *err);
int cmd_snapshot_hold(struct command *command, struct error *err);
int cmd_snapshot_release(struct command *command, struct error *err);
int cmd_snapshot_holds(struct command *command, struct error *err);

int cmd_policy_create(struct command *command, struct error *err);
int cmd_policy_ls(struct command *command, struct error *err);
int cmd_policy_inspect(struct command *command, struct error *err);
int cmd_policy_rm(struct command *command, struct error *err);
int cmd_policy_plan(struct command *command, struct error *err);
int cmd_policy_run(struct command *command, struct error *err);

int cmd_trash_ls(struct command *command, struct error *err);
int cmd_trash_restore(struct command *command, struct error *err);
int cmd_trash_purge(struct command *command, struct error *err);

int cmd_container_create(struct command *command, struct error *err);
int cmd_container_run(struct command *command, struct error *err);
int cmd_container_ls(struct command *command, struct error *err);
int cmd_container_inspect(struct command *command, struct error *err);
int cmd_container_attachments(struct command *command, struct error *err);
int cmd_container_recreate(struct command *command, struct error *err);
int cmd_container_rehearse(struct command *command, struct error *err);
int cmd_container_export(struct command *command, struct error *err);
int cmd_capsule_verify(struct command *command, struct error *err);
int cmd_capsule_import(struct command *command, struct error *err);
int cmd_container_rollback(struct command *command, struct error *err);
int cmd_container_commit(struct command *command, struct error *err);
int cmd_container_undo(struct command *command, struct error *err);
int cmd_container_scale(struct command *command, struct error *err);
int cmd_container_replicas(struct command *command, struct error *err);
int cmd_container_history(struct command *command, struct error *err);
int cmd_container_start(struct command *command, struct error *err);
int cmd_container_stop(struct command *command, struct error *err);
int cmd_container_restart(struct command *command, struct error *err);
int cmd_container_kill(struct command *command, struct error *err);
int cmd_container_pause(struct command *command, struct error *err);
int cmd_container_unpause(struct command *command, struct error *err);
int cmd_container_wait(struct command *command, struct error *err);
int cmd_container_rename(struct command *command, struct error *err);
int cmd_container_logs(struct command *command, struct error *err);
int cmd_container_exec(struct command *command, struct error *err);
int cmd_container_rm(struct command *command, struct error *err);

int cmd_image_ls(struct command *command, struct error *err);
int cmd_image_inspect(struct command *command, struct error *err);
int cmd_image_load(struct command *command, struct error *err);
int cmd_image_import(struct command *command, struct error *err);
int cmd_image_save(struct command *command, struct error *err);
int cmd_image_tag(struct command *command, struct error *err);
int cmd_image_rm(struct command *command, struct error *err);

int cmd_pool_ls(struct command *command, struct error *err);
int cmd_pool_create(struct command *command, struct error *err);
int cmd_pool_adopt(struct command *command, struct error *err);
int cmd_pool_resize(struct command *command, struct error *err);
int cmd_pool_set(struct command *command, struct error *err);
int cmd_pool_inspect(struct command *command, struct error *err);
int cmd_pool_rm(struct command *command, struct error *err);

int cmd_operation_ls(struct command *command, struct error *err);
int cmd_operation_inspect(struct command *command, struct error *err);

int cmd_event_ls(struct command *command, struct error *err);
int cmd_event_follow(struct command *command, struct error *err);

int cmd_system_info(struct command *command, struct error *err);
int cmd_system_check(struct command *command, struct error *err);
int cmd_system_df(struct command *command, struct error *err);
int cmd_system_version(struct command *command, struct error *err);

int cmd_completion_bash(struct command *command, struct error *err);

#endif
