/* SPDX-License-Identifier: Apache-2.0 */
/* One step of where data came from.  Names are those of then. */
#ifndef MODEL_LINEAGE_H
#define MODEL_LINEAGE_H

#include <stdint.h>

struct lineage_edge {
    const char *child_id; /* a volume's or snapshot's */
    const char *child_name;
    const char
        *relation; /* "seeded", "cloned", "cut", "rolled-back", "restored", "written", "imported" */
    const char *parent_kind; /* "image", "volume", "snapshot", "container", "capsule" */
    const char *parent_id;
    const char *parent_name;
    const char *detail; /* JSON text; NULL is {} */
    int64_t time_ms;
};

#endif
