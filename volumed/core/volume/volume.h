/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs on volumes.  Each changing one is an operation (core/operation/op.h). */
#ifndef CORE_VOLUME_H
#define CORE_VOLUME_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/filter.h"
#include "model/volume.h"

struct volume_spec {
    const char *name;   /* NULL: anonymous, named by 64 hex digits */
    const char *pool;   /* NULL: the default pool */
    const char *driver; /* as the client said: NULL, "local", "volumed" */
    struct pairs
        options; /* driver options: type/device/o (foreign), uid, gid, mode, pool, nocow, … */
    struct pairs labels;
    int64_t uid; /* -1: not given; likewise gid, mode */
    int64_t gid;
    int64_t mode;
    const char *from_volume;   /* clone of this volume's present contents, or … */
    const char *from_snapshot; /* … with from_volume: of this snapshot of it */
    bool is_anonymous;
};

/* A spec with nothing given. */
#define VOLUME_SPEC_EMPTY ((struct volume_spec){ .uid = -1, .gid = -1, .mode = -1 })

/*
 * Makes a volume, or returns the existing one when a volume of that name has the same options
 * (*is_new false).  Same name and other options, or a source, is CONFLICT.  Durable on return.
 * A copy of a volume in use is cut as snapshot_create cuts; cost is told in *cost.
 */
int volume_create(struct task *task, const struct volume_spec *spec, struct volume *volume,
                  bool *is_new, enum cost *cost, struct error *err);

/* By name, else by id.  NOT_FOUND text is dockerd's: "get X: no such volume". */
int volume_get(struct task *task, const char *ref, struct volume *volume, struct error *err);

/* Filters: name, label, label!, driver, dangling, pool. */
int volume_list(struct task *task, const struct filter *filter, struct volume **list,
                struct error *err);
extern const char *const volume_filters[];

/*
 * Removes a volume: to the trash (core/volume/trash.h), unless 'is_now'.  One that has snapshots is
 * CONFLICT unless 'with_snapshots' takes them along. Referenced by any container, also a stopped
 * one: CONFLICT, "remove X: volume is in use - [ids]". Protected: CONFLICT.  'force' makes a
 * missing volume a success.
 */
struct volume_remove_spec {
    bool force;
    bool with_snapshots;
    bool is_dry_run;
    bool is_now; /* past the trash */
};

int volume_remove(struct task *task, const char *ref, const struct volume_remove_spec *spec,
                  struct error *err);

struct volume_prune_spec {
    bool is_dry_run;
    bool is_now; /* past the trash */
};

/* Filters: all, label, label!, until, pool.  Only anonymous volumes unless all.  Fills what went
 * (or would). */
struct prune_result {
    const char **names; /* volumes' names, containers' ids … */
    size_t count;
    int64_t reclaimed_bytes;
    int64_t trashed_bytes; /* went to the trash: taken still */
};

int volume_prune(struct task *task, const struct filter *filter,
                 const struct volume_prune_spec *spec, struct prune_result *result,
                 struct error *err);
extern const char *const volume_prune_filters[];

/* Also while stopped containers refer to it (they refer by id). */
int volume_rename(struct task *task, const char *ref, const char *name, struct error *err);

/* Sets the labels of 'set' and removes those of 'remove' (NULL-terminated, may be NULL). */
int volume_label(struct task *task, const char *ref, const struct pairs *set,
                 const char *const *remove, struct error *err);

/*
 * Other limits from now on, while it is in use: a size ("20G"), a number of inodes, "none", or NULL
 * for what it has.  CONFLICT, with the figures, when it takes more than that already; UNSUPPORTED
 * when the pool cannot hold it to them.  Durable on return.
 */
int volume_resize(struct task *task, const char *ref, const char *size, const char *inodes,
                  struct error *err);
int volume_protect(struct task *task, const char *ref, bool is_protected, struct error *err);

/* Host path of the data, for Docker's Mountpoint; the directory exists while the volume does. */
const char *volume_path(struct task *task, const struct volume *volume);

/* A directory descriptor of the data, with a foreign filesystem mounted if the volume is one. */
int volume_open(struct task *task, const struct volume *volume, struct error *err);

/* Ids of the containers that refer to it, NULL-terminated. */
int volume_references(struct task *task, const char *volume_id, const char *const **ids,
                      struct error *err);

/* True when it is mounted in any mount namespace of this host (read from the kernel). */
int volume_is_mounted(struct task *task, const struct volume *volume, bool *is_mounted,
                      struct error *err);

struct usage {
    int64_t apparent_bytes; /* sum of sizes, hard links once; -1 when not known */
    int64_t used_bytes;     /* allocated */
    int64_t files;
};

int volume_usage(struct task *task, const struct volume *volume, struct usage *usage,
                 struct error *err);

/* Of any tree, by walking it. */
int volume_usage_at(int fd, struct usage *usage, struct error *err);

/*
 * Fills an empty, never seeded volume with the tree at 'source_fd' (a directory): built aside,
 * published atomically, single-flight.  Owner, mode, xattrs, ACLs, hard links and holes are kept.
 * A volume that is not empty is left alone.  'image' and 'path' are recorded.
 */
int volume_seed(struct task *task, const struct volume *volume, int source_fd, const char *image,
                const char *path, struct error *err);

/* The plugin's mounts, a multiset per (volume, caller); forgotten with the boot. */
int volume_plugin_mount(struct task *task, const char *ref, const char *caller_id,
                        const char **path, struct error *err);
int volume_plugin_unmount(struct task *task, const char *ref, const char *caller_id,
                          struct error *err);
int volume_plugin_mount_count(struct task *task, const char *volume_id, int64_t *mounts,
                              struct error *err);

/*
 * Forgets the plugin's mounts of a volume that no mount namespace has: an engine whose release was
 * lost, because volumed was away for longer than engines try, never sends it again.  *mounts is how
 * many there were.  BUSY while it is mounted.
 */
int volume_plugin_forget(struct task *task, const char *ref, int64_t *mounts, struct error *err);

#endif
