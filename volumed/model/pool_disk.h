/* SPDX-License-Identifier: Apache-2.0 */
/* The disk that a pool has for itself: an image file behind a loop device, or a block device. */
#ifndef MODEL_POOL_DISK_H
#define MODEL_POOL_DISK_H

#include <stdbool.h>
#include <stdint.h>

struct pool_disk {
    const char *pool_id;
    const char *path;       /* of the image or the device, absolute */
    const char *filesystem; /* "btrfs", "xfs" */
    bool is_device;
    int64_t size_bytes;
    int64_t max_bytes; /* it may grow to this by itself; 0: as far as the host has room */
};

#endif
