/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control groups of one container: one directory in each hierarchy of the host, whichever of
 * the three layouts it has (v1, v2, or v1 with a v2 hierarchy beside it).  This file's functions
 * hide which; limits are cgroup_v1.c's and cgroup_v2.c's, devices cgroup_device.c's, stopping
 * cgroup_freezer.c's, figures cgroup_stats.c's.
 */
#ifndef RUNNER_CGROUP_H
#define RUNNER_CGROUP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/container/container.h"
#include "runner/spec/resources.h"

struct hierarchy {
    const char *controllers; /* "cpu,cpuacct", "name=systemd", or "" for v2 */
    const char *mount;       /* where the hierarchy is mounted */
    const char *path;        /* the container's directory in it, absolute in the file system */
    int tasks_fd;            /* of a v1 group just made, for cgroup_members_open; else 0 */
};

struct cgroup {
    bool is_unified; /* v2 alone; else v1, perhaps with v2 beside it */
    struct hierarchy *hierarchies;
    size_t count;     /* 0 when control groups are disabled */
    const char *unit; /* systemd's name for it; NULL when it is ours alone */
    pid_t holder;     /* while it is made: see cgroup_release */
};

/* What cgroup_create makes a container's groups from. */
struct cgroup_request {
    enum cgroup_manager manager;
    const char *id;
    const char *path; /* linux.cgroupsPath, or NULL */
    const struct resources *resources;
};

/*
 * Makes the directories (existing ones are taken over).  On failure those made are removed.  Who is
 * not root goes without the hierarchies that deny it: they matter only to a limit that needs them.
 * Errors: UNSUPPORTED (no systemd; no hierarchy is mounted), DENIED, and scope_start's.
 */
int cgroup_create(struct arena *mem, const struct cgroup_request *request, struct cgroup **cgroup,
                  struct error *err);

/* The container's process has joined, or never will: what held the place for it ends. */
void cgroup_release(struct cgroup *cgroup);

/* The groups as the state stores them, and back.  cgroup_load of NULL is a cgroup without any. */
json_t *cgroup_json(const struct cgroup *cgroup);
int cgroup_load(struct arena *mem, const json_t *json, struct cgroup **cgroup, struct error *err);

/* Sets limits; absent ones stay.  Errors: UNSUPPORTED (a limit's controller is missing). */
int cgroup_apply(const struct cgroup *cgroup, const struct resources *resources, struct error *err);

/* Every process in the groups, those of sub-groups too. */
int cgroup_pids(struct arena *mem, const struct cgroup *cgroup, pid_t **pids, size_t *count,
                struct error *err);

/* Signals every process in the groups; none there is success. */
int cgroup_kill(const struct cgroup *cgroup, int signal_number, struct error *err);

/*
 * Removes the groups, sub-groups first; idempotent.  Retries at most a second while the kernel
 * still counts dying processes.  Errors: BUSY.
 */
int cgroup_remove(const struct cgroup *cgroup, struct error *err);

/* The hierarchy with this controller ("" for v2), or NULL. */
const struct hierarchy *cgroup_find(const struct cgroup *cgroup, const char *controller);

/* The hierarchy that is asked for processes: v2 if there is one. */
const struct hierarchy *cgroup_main(const struct cgroup *cgroup);

/* cgroup_v1.c and cgroup_v2.c */
int cgroup_v1_prepare(const struct hierarchy *hierarchy, bool is_new, struct error *err);
int cgroup_v1_apply(const struct cgroup *cgroup, const struct resources *resources,
                    struct error *err);
int cgroup_v2_prepare(const struct hierarchy *hierarchy, struct error *err);
int64_t cgroup_v2_weight(int64_t shares);
int cgroup_v2_apply(const struct cgroup *cgroup, const struct resources *resources,
                    struct error *err);

/* cgroup_device.c: the rules of 'devices', then what every container may use. */
int cgroup_devices_apply(const struct cgroup *cgroup, const struct array *devices,
                         struct error *err);

/* cgroup_freezer.c */
int cgroup_freeze(const struct cgroup *cgroup, int64_t timeout_ms, struct error *err);
int cgroup_thaw(const struct cgroup *cgroup, struct error *err);
bool cgroup_is_frozen(const struct cgroup *cgroup);

/* cgroup_stats.c.  New reference. */
json_t *cgroup_stats(const struct cgroup *cgroup);
int cgroup_oom_open(const struct cgroup *cgroup, struct error *err);
int64_t cgroup_oom_kills(const struct cgroup *cgroup);

#endif
