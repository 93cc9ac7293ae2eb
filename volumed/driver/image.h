/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tree of the image driver is:
 *
 *     image        the filesystem that holds the contents, allocated to its last byte
 *     image.new    instead, until somebody opens the contents: allocated, and no filesystem yet
 *     view/        where core mounts the contents
 *
 * In that filesystem the contents are the directory "<place>/<tree>", as "volumes/<data id>", so
 * that whoever has them mounted is found by the root of the mount, as with trees of any driver.
 */
#ifndef DRIVER_IMAGE_H
#define DRIVER_IMAGE_H

#include "driver/driver.h"

#define IMAGE_FILE       "image"
#define IMAGE_NEW        "image.new"
#define IMAGE_VIEW       "view"
#define IMAGE_FILESYSTEM "ext4"

/*
 * Copies a tree's image, at rest, to an "image.new" that has room for a filesystem of 'size_bytes'
 * too, and returns it open.
 */
int image_copy_begin(const struct driver_pool *pool, int tree_fd, int64_t size_bytes,
                     struct error *err);

/* The size of the filesystem in an image, as its superblock says; 0 where there is none. */
int64_t image_filesystem_bytes(int fd);

#endif
