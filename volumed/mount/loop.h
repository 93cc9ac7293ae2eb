/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loop devices: a file as a disk.  A device is made with "autoclear": it goes with its last user,
 * so that neither a crash nor an unmount leaves one behind.  Reads and writes go past the host's
 * page cache (direct I/O) where the host's filesystem can, or all data would be cached twice.
 */
#ifndef MOUNT_LOOP_H
#define MOUNT_LOOP_H

#include <stdbool.h>

#include "base/error.h"

#define LOOP_PATH_SIZE 32

struct loop {
    int fd; /* of the device; keeps it until something is mounted from it */
    char path[LOOP_PATH_SIZE];
    bool is_direct;
};

/*
 * The device of the open file 'image_fd' (readable and writable): the one it has already, wherever
 * it is mounted, since two devices of one file would ruin it; else a new one.  'name' is what
 * losetup(8) shows.
 */
int loop_open(int image_fd, const char *name, struct loop *loop, struct error *err);
void loop_close(struct loop *loop);

/* 1 when the file has a device, which is opened; 0 when it has none. */
int loop_find(int image_fd, struct loop *loop, struct error *err);

/* Lets the device take over the file's new size. */
int loop_resize(const struct loop *loop, struct error *err);

#endif
