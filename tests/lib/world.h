/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private world for a test that needs real filesystems: its own mount namespace with a tmpfs on
 * /mnt, in which images are made and mounted.  All of it vanishes with the test's process.
 */
#ifndef LIB_WORLD_H
#define LIB_WORLD_H

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/test.h"

#define WORLD     "/mnt"
#define WORLD_DIR WORLD "/fs"

/* Runs a shell command made as by printf; the test ends if it fails. */
#define WORLD_RUN(...)                                                                    \
    do {                                                                                  \
        char command_[1024];                                                              \
        CHECK(snprintf(command_, sizeof(command_), __VA_ARGS__) < (int)sizeof(command_)); \
        int status_ = system(command_);                                                   \
        ck_assert_msg(status_ == 0, "failed: %s", command_);                              \
    } while (0)

static inline bool world_has(const char *program)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "command -v %s > /dev/null 2>&1", program);
    return system(command) == 0;
}

/*
 * Mounts a new filesystem of 'kind' (btrfs, xfs, ext4, tmpfs) at WORLD_DIR.  False when this
 * machine cannot: the reason is printed and the test has nothing to do.
 */
static inline bool world_enter(const char *kind)
{
    static const struct {
        const char *kind;
        const char *make;
        const char *program;
    } makers[] = {
        { "btrfs", "truncate -s 256M " WORLD "/img && mkfs.btrfs -q " WORLD "/img > /dev/null 2>&1",
          "mkfs.btrfs" },
        { "xfs", "truncate -s 512M " WORLD "/img && mkfs.xfs -q -m reflink=1 " WORLD "/img",
          "mkfs.xfs" },
        { "ext4", "truncate -s 128M " WORLD "/img && mkfs.ext4 -q " WORLD "/img", "mkfs.ext4" },
        { "tmpfs", NULL, "true" },
    };

    size_t i = 0;

    while (i < ARRAY_SIZE(makers) && strcmp(makers[i].kind, kind) != 0)
        i++;
    CHECK(i < ARRAY_SIZE(makers));
    if (geteuid() != 0 || !world_has(makers[i].program)) {
        printf("skipped: %s needs root and %s\n", kind, makers[i].program);
        return false;
    }
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", WORLD, "tmpfs", 0, NULL) < 0) {
        printf("skipped: no mount namespace of our own\n");
        return false;
    }
    WORLD_RUN("mkdir -p " WORLD_DIR);
    if (makers[i].make == NULL) {
        WORLD_RUN("mount -t tmpfs none " WORLD_DIR);
        return true;
    }
    WORLD_RUN("%s", makers[i].make);
    char command[64];
    (void)snprintf(command, sizeof(command), "mount -o loop %s/img %s", WORLD, WORLD_DIR);
    if (system(command) != 0) {
        printf("skipped: no loop device for %s\n", kind);
        return false;
    }
    return true;
}

#endif
