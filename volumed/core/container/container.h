/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs on containers.  'ref' is an id, a name, or a unique prefix of an id, as Docker takes
 * them. Error texts are dockerd's where clients or people know them ("No such container: x").
 */
#ifndef CORE_CONTAINER_H
#define CORE_CONTAINER_H

#include "base/error.h"
#include "core/operation/task.h"
#include "core/volume/volume.h"
#include "model/container.h"
#include "model/filter.h"

/*
 * Makes a container: validates config and host_config, completes them from the image, makes
 * anonymous volumes, seeds empty volumes from the image, all or nothing.  *id is 64 hex digits;
 * *warnings is NULL-terminated.
 */
int container_create(struct task *task, const struct container_spec *spec, const char **id,
                     const char *const **warnings, struct error *err);
int container_get(struct task *task, const char *ref, struct container *container,
                  struct error *err);

/* *id is the full id. */
int container_resolve(struct task *task, const char *ref, const char **id, struct error *err);

struct container_list_spec {
    struct filter filter; /* id name label status ancestor volume exited health before since network
                             is-task */
    bool is_all;          /* also those that do not run; implied by a status filter */
    int64_t limit;        /* newest first; 0 = no limit */
};

/* Each container in the list is to be ended by container_done(). */
int container_list(struct task *task, const struct container_list_spec *spec,
                   struct container **list, struct error *err);
extern const char *const container_filters[];

/* *changed false: it was running already (Docker's 304). */
int container_start(struct task *task, const char *ref, bool *changed, struct error *err);

/* signal NULL: the image's StopSignal or TERM; timeout_s -1: the container's StopTimeout or 10, -2:
 * for ever. */
int container_stop(struct task *task, const char *ref, const char *signal, int64_t timeout_s,
                   bool *changed, struct error *err);
int container_restart(struct task *task, const char *ref, const char *signal, int64_t timeout_s,
                      struct error *err);
int container_kill(struct task *task, const char *ref, const char *signal, struct error *err);
int container_pause(struct task *task, const char *ref, struct error *err);
int container_unpause(struct task *task, const char *ref, struct error *err);
int container_rename(struct task *task, const char *ref, const char *name, struct error *err);

/* Docker's POST /containers/x/update: resources and RestartPolicy of a running or stopped
 * container. */
int container_update(struct task *task, const char *ref, const json_t *update, struct error *err);

struct container_remove_spec {
    bool force;        /* kill it first */
    bool with_volumes; /* -v: anonymous volumes that nobody else refers to go too */
    bool is_link;      /* Docker's link=1: refused, there are no links */
};

int container_remove(struct task *task, const char *ref, const struct container_remove_spec *spec,
                     struct error *err);
int container_prune(struct task *task, const struct filter *filter, bool is_dry_run,
                    struct prune_result *result, struct error *err);

/* Titles and rows of `ps ps_args` for the container's processes, as Docker's top. */
int container_top(struct task *task, const char *ref, const char *ps_args, json_t **top,
                  struct error *err);

/* One sample in the shape of Docker's stats (with precpu_stats of the previous sample, or zeros).
 */
int container_stats(struct task *task, const char *ref, const json_t *previous, json_t **stats,
                    struct error *err);

/* [{Path, Kind}] of the writable layer. */
int container_changes(struct task *task, const char *ref, json_t **changes, struct error *err);

/* Sizes of the writable layer and of the whole root, in bytes. */
int container_sizes(struct task *task, const struct container *container, int64_t *writable_bytes,
                    int64_t *root_bytes, struct error *err);
int container_resize(struct task *task, const char *ref, int rows, int columns, struct error *err);

/* Host paths that inspect tells. */
const char *container_log_path(struct task *task, const char *id);

/* The Mounts array of Docker's inspect: volumes, binds and tmpfs.  New reference. */
json_t *container_mounts_json(struct task *task, const struct container *container);

#endif
