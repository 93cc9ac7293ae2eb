/* SPDX-License-Identifier: Apache-2.0 */
/* What an image would put into a fresh volume and a volume that was seeded by an older one lacks.
 */
#ifndef CORE_SEED_DRIFT_H
#define CORE_SEED_DRIFT_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

struct seed_drift {
    int seed_fd;      /* the image's directory */
    int volume_fd;    /* the volume's root; both were made by strangers */
    const char *base; /* what paths are told beneath: where the volume is attached */
    size_t max;       /* of the list; what is more is not looked for */
};

/* Appends paths to 'list', a directory that is missing without what is in it. */
int seed_drift_find(const struct seed_drift *drift, json_t *list, struct error *err);

#endif
