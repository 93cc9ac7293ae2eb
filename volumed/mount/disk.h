/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that are ours alone: what is on one, and mounting it by the new mount API. */
#ifndef MOUNT_DISK_H
#define MOUNT_DISK_H

#include "base/arena.h"
#include "base/error.h"

struct disk_spec {
    const char *type;           /* "btrfs", "xfs" */
    const char *device;         /* a path */
    const char *const *options; /* flags of the filesystem; NULL-terminated */
};

/* Mounts on the directory 'target', without set-user-id programs and devices. */
int disk_mount(const struct disk_spec *spec, const char *target, struct error *err);

/* As above, mounted nowhere yet: returns the mount's descriptor. */
int disk_open(const struct disk_spec *spec, struct error *err);

/*
 * What lies on the device, for people: "an ext4 filesystem", "a gpt partition table", …; NULL when
 * it is blank.  Reads only.
 */
int disk_identify(struct arena *mem, int fd, const char **what, struct error *err);

/* The type of the filesystem on the device, or in the image; NULL when there is none. */
int disk_type(struct arena *mem, int fd, const char **type, struct error *err);

#endif
