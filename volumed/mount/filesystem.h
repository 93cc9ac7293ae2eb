/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting any filesystem as mount(8) would, by libmount, but without mount's helper programs (this
 * process never forks): what the kernel mounts by itself, with Docker's habit of resolving the
 * server's name in 'addr='.
 */
#ifndef MOUNT_FILESYSTEM_H
#define MOUNT_FILESYSTEM_H

#include "base/error.h"

struct filesystem_spec {
    const char *type;    /* "nfs", "tmpfs", "none" … */
    const char *device;  /* ":/export", "tmpfs", "/host/dir" … */
    const char *options; /* "addr=server,rw", "bind" …; NULL or "": none */
};

/*
 * Mounts on the directory 'target'.  Errors are worded as dockerd's: "failed to mount local volume:
 * mount DEVICE:TARGET: …".
 */
int filesystem_mount(const struct filesystem_spec *spec, const char *target, struct error *err);

/* BUSY while somebody is in it.  Nothing mounted there is success. */
int filesystem_unmount(const char *target, struct error *err);

#endif
