/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One handler an endpoint, by the file it is in; routes.c says which endpoint.  All follow
 * call_handler_fn (api/call.h).
 */
#ifndef API_DOCKER_HANDLERS_H
#define API_DOCKER_HANDLERS_H

#include "api/call.h"

/* absent.c: parts of Docker's API that this engine does not have. */
int docker_swarm_absent(struct call *call, struct error *err);
int docker_swarm_leave(struct call *call, struct error *err);
int docker_build(struct call *call, struct error *err);
int docker_build_prune(struct call *call, struct error *err);
int docker_plugin_list(struct call *call, struct error *err);
int docker_plugin_inspect(struct call *call, struct error *err);
int docker_registry_absent(struct call *call, struct error *err);

/* container_archive.c */
int docker_archive_get(struct call *call, struct error *err);
int docker_archive_put(struct call *call, struct error *err);
int docker_archive_stat(struct call *call, struct error *err);
int docker_container_export(struct call *call, struct error *err);

/* container_attach.c */
int docker_container_attach(struct call *call, struct error *err);

/* container_create.c */
int docker_container_create(struct call *call, struct error *err);
int docker_container_update(struct call *call, struct error *err);

/* container_inspect.c */
int docker_container_inspect(struct call *call, struct error *err);
int docker_container_top(struct call *call, struct error *err);
int docker_container_changes(struct call *call, struct error *err);

/* container_life.c */
int docker_container_start(struct call *call, struct error *err);
int docker_container_stop(struct call *call, struct error *err);
int docker_container_restart(struct call *call, struct error *err);
int docker_container_kill(struct call *call, struct error *err);
int docker_container_pause(struct call *call, struct error *err);
int docker_container_unpause(struct call *call, struct error *err);
int docker_container_rename(struct call *call, struct error *err);
int docker_container_resize(struct call *call, struct error *err);
int docker_container_remove(struct call *call, struct error *err);
int docker_container_prune(struct call *call, struct error *err);

/* container_list.c */
int docker_container_list(struct call *call, struct error *err);

/* container_logs.c, container_stats.c, container_wait.c: streams */
int docker_container_logs(struct call *call, struct error *err);
int docker_container_stats(struct call *call, struct error *err);
int docker_container_wait(struct call *call, struct error *err);

/* event.c */
int docker_events(struct call *call, struct error *err);

/* exec.c */
int docker_exec_create(struct call *call, struct error *err);
int docker_exec_start(struct call *call, struct error *err);
int docker_exec_resize(struct call *call, struct error *err);
int docker_exec_inspect(struct call *call, struct error *err);

/* image.c */
int docker_image_list(struct call *call, struct error *err);
int docker_image_inspect(struct call *call, struct error *err);
int docker_image_history(struct call *call, struct error *err);
int docker_image_tag(struct call *call, struct error *err);
int docker_image_remove(struct call *call, struct error *err);
int docker_image_prune(struct call *call, struct error *err);

/* image_transfer.c */
int docker_image_create(struct call *call, struct error *err);
int docker_image_load(struct call *call, struct error *err);
int docker_image_save(struct call *call, struct error *err);
int docker_image_save_one(struct call *call, struct error *err);
int docker_commit(struct call *call, struct error *err);

/* network.c */
int docker_network_list(struct call *call, struct error *err);
int docker_network_inspect(struct call *call, struct error *err);
int docker_network_create(struct call *call, struct error *err);
int docker_network_remove(struct call *call, struct error *err);
int docker_network_connect(struct call *call, struct error *err);
int docker_network_prune(struct call *call, struct error *err);

/* system.c */
int docker_ping(struct call *call, struct error *err);
int docker_version(struct call *call, struct error *err);
int docker_info(struct call *call, struct error *err);
int docker_df(struct call *call, struct error *err);

/* volume.c */
int docker_volume_create(struct call *call, struct error *err);
int docker_volume_list(struct call *call, struct error *err);
int docker_volume_inspect(struct call *call, struct error *err);
int docker_volume_remove(struct call *call, struct error *err);
int docker_volume_prune(struct call *call, struct error *err);
int docker_volume_update(struct call *call, struct error *err);

#endif
