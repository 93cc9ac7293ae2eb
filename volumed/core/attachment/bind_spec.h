/* SPDX-License-Identifier: Apache-2.0 */
/* The short forms by which clients say mounts: "source:destination:options", "container:ro". */
#ifndef CORE_BIND_SPEC_H
#define CORE_BIND_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/attachment.h"

struct bind_spec {
    const char *source;      /* a volume's name, a host path, or NULL: anonymous */
    const char *destination; /* cleaned */
    const char *mode;        /* the options as given, "" if none */
    const char *propagation; /* "" if none */
    bool is_host_path;
    bool is_read_only;
    bool is_exclusive; /* ours: the only writer, "v:/data:exclusive" */
    bool is_nocopy;
    const char *snapshot; /* ours: "v@snapshot:/data"; NULL: the volume itself */
    bool is_scratch;      /* ours: "v@snapshot:/data:scratch" */
    bool is_standby;      /* ours: "v:/data:standby" */
    int64_t wait_ms;      /* ours: "v:/data:wait=30s"; 0: not at all */
};

/* INVALID with dockerd's texts. */
int bind_spec_parse(struct arena *mem, const char *text, struct bind_spec *spec, struct error *err);

/* What a bind of a volume asks for. */
struct attachment bind_spec_attachment(const struct bind_spec *spec);

/* "container" or "container:mode" with mode of ro rw z Z. */
int volumes_from_parse(struct arena *mem, const char *text, const char **container,
                       bool *is_read_only, struct error *err);

/* A destination: absolute, not "/", cleaned.  'type' is for the message ("volume"). */
int mount_destination_clean(struct arena *mem, const char *type, const char *path,
                            const char **clean, struct error *err);

/* "30s", "2m": how long to wait for another writer.  Returns -EINVAL for what is no such time. */
int wait_parse(const char *text, int64_t *wait_ms);

/* "private", "rslave" …: what a bind's propagation may be. */
bool propagation_is_valid(const char *name);

#endif
