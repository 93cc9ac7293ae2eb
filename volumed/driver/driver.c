/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers there are, and which of them a filesystem deserves. */
#include "driver/driver.h"

#include <string.h>

#include "base/base.h"

/*
 * Ranks that the probes give: btrfs 30, reflink 20, directory 10, layered and image
 * 1: they fit where directory does, and what they ask for is for a person to choose.  foreign has
 * no probe: it is chosen by a volume's options, never by a pool's filesystem.
 */
static const struct driver *const drivers[] = {
    &btrfs_driver,   &reflink_driver, &directory_driver,
    &layered_driver, &image_driver,   &foreign_driver,
};

const struct driver *driver_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    return NULL;
}

const struct driver *driver_probe(int dirfd)
{
    const struct driver *best = NULL;
    int best_rank = 0;

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
        int rank = drivers[i]->probe == NULL ? 0 : drivers[i]->probe(dirfd);
        if (rank > best_rank) {
            best = drivers[i];
            best_rank = rank;
        }
    }
    return best;
}
