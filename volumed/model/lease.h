/* SPDX-License-Identifier: Apache-2.0 */
/* Who may write to a volume: the volume's rule, and what a running container has of it. */
#ifndef MODEL_LEASE_H
#define MODEL_LEASE_H

#include <stdint.h>

#include "base/error.h"

enum volume_access {
    VOLUME_SHARED,        /* any number of writers: the rule of volumes that have none */
    VOLUME_SINGLE_WRITER, /* one container that writes, any number that read */
    VOLUME_EXCLUSIVE,     /* one container, which reads or writes */
    VOLUME_READ_ONLY      /* nobody writes */
};

/* Who may write when the writer has ended, beside a container that waits to start. */
enum lease_succession {
    SUCCESSION_NONE,
    SUCCESSION_STANDBY, /* the oldest that stands by */
    SUCCESSION_FENCED   /* … or that was fenced */
};

/* Names: "single-writer", "standby".  INVALID: there is no such. */
const char *volume_access_name(enum volume_access access);
int volume_access_find(const char *name, enum volume_access *access, struct error *err);
const char *lease_succession_name(enum lease_succession succession);
int lease_succession_find(const char *name, enum lease_succession *succession, struct error *err);

struct volume_rule {
    enum volume_access access;
    enum lease_succession succession;
    int64_t epoch; /* grows with each new writer and each fence */
};

struct lease {
    const char *volume_id;
    const char *container_id;
    const char *container_name;
    const char *container_state;
    const char *state; /* "writer", "standby", "fenced" */
    int64_t epoch;     /* the volume's, when the state was given */
    int64_t since_ms;
};

#endif
