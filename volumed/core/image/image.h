/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs on images.  'ref' is a name with or without tag, an id, or a unique prefix of an id. */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include <sys/types.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "core/volume/volume.h"
#include "model/container.h"
#include "model/filter.h"

/* Bytes coming in: returns bytes read, 0 at the end, -1 with err. */
struct byte_source {
    ssize_t (*read)(void *context, void *data, size_t size, struct error *err);
    void *context;
};

/* Bytes going out: 0 or -1 with err (the client is gone). */
struct byte_sink {
    int (*write)(void *context, const void *data, size_t size, struct error *err);
    void *context;
};

/* Progress of long work: one JSON object (borrowed) in Docker's shape, e.g. {"status":…,"id":…}. */
struct progress {
    void (*report)(void *context, const json_t *message);
    void *context;
};

/* docker-archive or OCI archive, plain or gzip or zstd.  Reports {"stream":"Loaded image: x\n"}. */
int image_load(struct task *task, const struct byte_source *source, const struct progress *progress,
               struct error *err);

/*
 * Likewise, for one image: nothing but that is taken from the archive (CORRUPT when it holds
 * another or several), and of its names those that no other image has here.
 */
int image_load_one(struct task *task, const struct byte_source *source, const char *id,
                   struct error *err);

/* A root filesystem tar becomes an image of one layer.  'changes' are Dockerfile lines (CMD, ENV,
 * …). */
struct image_import_spec {
    const char *repo; /* NULL: no tag */
    const char *tag;
    const char *message;
    const char *const *changes; /* NULL-terminated or NULL */
};

int image_import(struct task *task, const struct image_import_spec *spec,
                 const struct byte_source *source, const char **id, struct error *err);

/* A hybrid of docker-archive and OCI layout. */
int image_save(struct task *task, const char *const *refs, const struct byte_sink *sink,
               struct error *err);

int image_get(struct task *task, const char *ref, struct image *image, struct error *err);

/* Filters: reference, label, dangling, before, since, until. */
int image_list(struct task *task, const struct filter *filter, struct image **list,
               struct error *err);
extern const char *const image_filters[];
int image_tag(struct task *task, const char *ref, const char *repo, const char *tag,
              struct error *err);

/* [{Untagged: …}, {Deleted: …}] in *report, a new reference.  CONFLICT while containers use it. */
int image_remove(struct task *task, const char *ref, bool force, json_t **report,
                 struct error *err);

/* Filters: dangling (default true), label, until.  Report in the shape of Docker's ImagesDeleted.
 */
int image_prune(struct task *task, const struct filter *filter, bool is_dry_run, json_t **report,
                int64_t *reclaimed_bytes, struct error *err);
extern const char *const image_prune_filters[];

/* Docker's history array, newest first.  New reference. */
int image_history(struct task *task, const char *ref, json_t **history, struct error *err);

struct commit_spec {
    const char *container; /* ref */
    const char *repo;
    const char *tag;
    const char *author;
    const char *comment;
    const char *const *changes;
    const json_t *config; /* body of the request: replaces the container's config; may be NULL */
    bool is_paused;       /* freeze the container meanwhile */
};

int image_commit(struct task *task, const struct commit_spec *spec, const char **id,
                 struct error *err);

/* Layer directories of a chain, top first, absolute paths, NULL-terminated: an overlay's lowers. */
int image_layers(struct task *task, const char *chain_id, const char *const **dirs,
                 struct error *err);

/* "busybox" → "docker.io/library/busybox:latest"; INVALID with dockerd's text "invalid reference
 * format". */
int image_name_normalize(struct arena *mem, const char *name, const char **full, struct error *err);

/* The reverse, for people. */
const char *image_name_familiar(struct arena *mem, const char *full);

/* Removes layers that no image and no container refers to (after removals; also by reconcile). */
int image_collect_layers(struct task *task, struct error *err);

#endif
