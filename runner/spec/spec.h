/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime specification's config.json as structs: read once, strictly, by tables (spec.c), and
 * constant from then on.  Owns no behaviour beyond reading and checking: what a member does is the
 * business of the file of that noun.
 */
#ifndef RUNNER_SPEC_H
#define RUNNER_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/process/memory_policy.h"
#include "runner/process/process.h"
#include "runner/spec/field.h"
#include "runner/spec/resources.h"

struct id_map {
    uint32_t container_id;
    uint32_t host_id;
    uint32_t size;
};

struct mount_spec {
    const char *destination; /* absolute after spec_read */
    const char *type;        /* may be NULL */
    const char *source;      /* may be NULL */
    const char *const *options;
    struct array uid_maps; /* struct id_map */
    struct array gid_maps; /* struct id_map */
};

/* The latest of the runtime specification that is understood. */
#define SPEC_VERSION_MAX "1.3.0"

struct namespace_spec {
    const char *type;
    const char *path; /* NULL: a new one */
};

struct device_spec {
    const char *type; /* "c", "b", "u", "p" */
    const char *path;
    int64_t major;
    int64_t minor;
    struct limit mode;
    uint32_t uid;
    uint32_t gid;
};

struct hook {
    const char *path;
    const char *const *args;
    const char *const *env;
    struct limit timeout; /* seconds */
};

enum hook_kind {
    HOOK_PRESTART,
    HOOK_CREATE_RUNTIME,
    HOOK_CREATE_CONTAINER,
    HOOK_START_CONTAINER,
    HOOK_POSTSTART,
    HOOK_POSTSTOP,
    HOOK_KINDS
};

struct time_offset {
    struct limit secs;
    struct limit nanosecs;
};

struct spec {
    const char *version;
    const char *bundle; /* absolute */
    struct process *process_storage;
    const struct process *process; /* never NULL */
    const char *root_path;         /* absolute */
    bool is_root_readonly;
    const char *hostname;
    const char *domainname;
    struct array mounts;            /* struct mount_spec */
    struct array hooks[HOOK_KINDS]; /* struct hook */
    json_t *annotations;            /* an object, or NULL */
    /* linux */
    struct array namespaces; /* struct namespace_spec */
    struct array uid_maps;   /* struct id_map */
    struct array gid_maps;   /* struct id_map */
    struct time_offset boottime;
    struct time_offset monotonic;
    struct array devices; /* struct device_spec */
    const char *cgroups_path;
    struct resources resources;
    json_t *resources_json;
    json_t *seccomp; /* object, or NULL */
    json_t *sysctl;  /* object of strings, or NULL */
    json_t *personality;
    json_t *memory_policy_json;
    struct memory_policy memory_policy;
    json_t *intel_rdt;
    json_t *net_devices;
    const char *const *masked_paths;
    const char *const *readonly_paths;
    const char *rootfs_propagation;
    const char *mount_label;
    json_t *json;
};

/*
 * Reads and checks BUNDLE/config.json ('config' names another file, or is NULL).  The spec lives as
 * long as 'mem', its JSON until spec_close().
 *
 * Errors: INVALID names the member and what is wrong with it; NOT_FOUND.
 */
int spec_read(struct arena *mem, const char *bundle, const char *config, struct spec **spec,
              struct error *err);
void spec_close(struct spec *spec);

/* As spec_read, from text (which is changed); for tests. */
int spec_parse(struct arena *mem, const char *bundle, char *text, size_t size, struct spec **spec,
               struct error *err);

/* Reads the hooks of a stored state or spec: 'hooks' is the OCI object. */
int hooks_read(struct arena *mem, const json_t *json, struct array hooks[HOOK_KINDS],
               struct error *err);

/* The annotation's text, or 'otherwise' when there is none of that name. */
const char *spec_annotation(const json_t *annotations, const char *name, const char *otherwise);

#endif
