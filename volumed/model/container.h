/* SPDX-License-Identifier: Apache-2.0 */
/* A container, its execs, its image, and what clients ask for when making one. */
#ifndef MODEL_CONTAINER_H
#define MODEL_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "model/attachment.h"

/*
 * 'config' and 'host_config' are in the shape of Docker's API (Config, HostConfig): checked,
 * completed from the image and stored as they are (docs/adr).  JSON references in results are owned
 * by the caller's task and freed with it only if documented; these are borrowed from 'struct
 * container', which container_done() ends.
 */
struct container {
    const char *id;
    const char *name; /* without a leading slash */
    const char *image_id;
    const char *image_name;
    const char *chain_id;
    const char *state; /* created starting running paused restarting exited removing dead */
    json_t *config;
    json_t *host_config;
    json_t *networking; /* EndpointsConfig as sent */
    json_t *mounts;     /* binds and tmpfs, resolved: [{Type, Source, Target, …}]
                           (core/container/container_mount.h) */
    const char *path;
    const char *const *args;
    int64_t pid;
    int exit_code;
    const char *error;
    bool is_oom_killed;
    bool is_stop_wanted;
    bool is_auto_remove;
    int64_t restart_count;
    int64_t generation;
    bool is_retired;    /* a generation that was replaced (model/recreation.h); not stored here */
    const char *health; /* JSON text or "" */
    int64_t created_ns;
    int64_t started_ns;
    int64_t finished_ns;
    struct attachment *attachments;
    size_t attachment_count;
};

/* Drops the JSON references; NULL-safe, idempotent. */
void container_done(struct container *container);
#define cleanup_container CLEANUP(container_done)

/* Running or paused: it has processes. */
bool container_is_live(const struct container *container);

struct container_spec {
    const char *name;  /* NULL: one is invented, as Docker does ("brave_hopper") */
    const char *image; /* as the client said it */
    json_t *config;    /* borrowed, Docker's Config */
    json_t *host_config;
    json_t *networking;
    bool is_exclusive_wait;           /* reserved for leases */
    const struct attachment *carried; /* of the container that it replaces: kept where nothing that
                                         was asked for by name is at their destination */
    size_t carried_count;
    int64_t generation; /* 0: the first */
    bool may_carry;     /* its labels may ask for what a removed predecessor had */
};

struct exec {
    const char *id; /* 64 hex */
    const char *container_id;
    json_t *config; /* Docker's exec create body; owned by the exec */
    bool is_running;
    bool has_exited;
    int64_t exit_code;
    int64_t pid;
    bool is_terminal;
};

struct image {
    const char *id;       /* sha256:… */
    const char *config;   /* verbatim JSON text */
    const char *chain_id; /* NULL: no layers */
    const char *parent;
    const char *const *tags;     /* familiar names: "busybox:latest"; NULL-terminated */
    const char *const *diff_ids; /* bottom first, NULL-terminated */
    int64_t size_bytes;
    int64_t created_ms;
    int64_t container_count;
};

struct event {
    int64_t seq;
    int64_t time_ns;
    const char *type;
    const char *action;
    const char *object_id;
    struct pairs attributes;
    const char *actor;
};

struct operation {
    const char *id;
    const char *kind;
    const char *subject;
    const char *state; /* running, done, failed */
    int64_t step;
    const char *note;
    const char *actor;
    const char *idempotency_key;
    const char *result;
    const char *error_code;
    const char *error_message;
    int64_t started_ms;
    int64_t finished_ms;
};

#endif
