/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin protocol's verbs, each as the route table calls it. */
#ifndef API_PLUGIN_HANDLERS_H
#define API_PLUGIN_HANDLERS_H

#include "api/call.h"

int plugin_activate(struct call *call, struct error *err);
int plugin_capabilities(struct call *call, struct error *err);
int plugin_volume_create(struct call *call, struct error *err);
int plugin_volume_get(struct call *call, struct error *err);
int plugin_volume_list(struct call *call, struct error *err);
int plugin_volume_mount(struct call *call, struct error *err);
int plugin_volume_path(struct call *call, struct error *err);
int plugin_volume_remove(struct call *call, struct error *err);
int plugin_volume_unmount(struct call *call, struct error *err);

/* Answers 200 with "Err": "" added, as engines expect of a success; takes over 'json'. */
int plugin_reply(struct call *call, json_t *json, struct error *err);

#endif
