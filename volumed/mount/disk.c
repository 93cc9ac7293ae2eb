/* SPDX-License-Identifier: Apache-2.0 */
/* fsopen(2) and its kin for mounting, libblkid for looking. */
#include "mount/disk.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/sys.h"

#define FOUND_NOTHING 1 /* of blkid_do_safeprobe(3) */
#define FOUND_MANY    (-2)

static int look(blkid_probe probe, int fd, struct error *err);
static void probe_done(blkid_probe *probe);
static int set_up(int fs_fd, const struct disk_spec *spec);
static const char *value_of(blkid_probe probe, const char *name);

int disk_mount(const struct disk_spec *spec, const char *target, struct error *err)
{
    cleanup_fd int mount_fd = disk_open(spec, err);

    if (mount_fd < 0)
        return -1;
    int rc = sys_move_mount(mount_fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
    return rc < 0 ? fail_sys(err, rc, "cannot mount '%s' on '%s'", spec->device, target) : 0;
}

int disk_open(const struct disk_spec *spec, struct error *err)
{
    cleanup_fd int fs_fd = sys_fsopen(spec->type);
    int rc = fs_fd < 0 ? fs_fd : set_up(fs_fd, spec);

    if (rc == 0)
        rc = sys_fsconfig_create(fs_fd);
    if (rc == 0)
        rc = sys_fsmount(fs_fd, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (rc == -ENODEV)
        return fail(err, ERR_UNSUPPORTED, "this kernel has no filesystem '%s'", spec->type);
    return rc < 0 ? fail_sys(err, rc, "cannot mount '%s'", spec->device) : rc;
}

int disk_identify(struct arena *mem, int fd, const char **what, struct error *err)
{
    CLEANUP(probe_done) blkid_probe probe = blkid_new_probe();
    int rc = look(probe, fd, err);

    if (rc < 0)
        return -1;
    const char *type = value_of(probe, "TYPE");
    const char *table = value_of(probe, "PTTYPE");
    *what = rc == FOUND_NOTHING ? NULL
            : type != NULL      ? arena_printf(mem, "a '%s' filesystem", type)
            : table != NULL     ? arena_printf(mem, "a '%s' partition table", table)
                                : "something";
    return 0;
}

int disk_type(struct arena *mem, int fd, const char **type, struct error *err)
{
    CLEANUP(probe_done) blkid_probe probe = blkid_new_probe();
    int rc = look(probe, fd, err);

    if (rc < 0)
        return -1;
    *type = rc == FOUND_NOTHING ? NULL : arena_strdup(mem, value_of(probe, "TYPE"));
    return 0;
}

/* 0: something is found; FOUND_NOTHING: the device is blank.  More than one thing is something. */
static int look(blkid_probe probe, int fd, struct error *err)
{
    if (probe == NULL || blkid_probe_set_device(probe, fd, 0, 0) < 0)
        return fail_sys(err, -EIO, "cannot look at the device");
    (void)blkid_probe_enable_superblocks(probe, 1); /* these cannot fail for a new probe */
    (void)blkid_probe_enable_partitions(probe, 1);
    int rc = blkid_do_safeprobe(probe);
    if (rc == FOUND_MANY)
        return 0;
    return rc < 0 ? fail_sys(err, -EIO, "cannot read the device") : rc;
}

static void probe_done(blkid_probe *probe)
{
    blkid_free_probe(*probe);
}

static int set_up(int fs_fd, const struct disk_spec *spec)
{
    int rc = sys_fsconfig(fs_fd, "source", spec->device);

    for (size_t i = 0; rc == 0 && spec->options[i] != NULL; i++)
        rc = sys_fsconfig(fs_fd, spec->options[i], NULL);
    return rc;
}

static const char *value_of(blkid_probe probe, const char *name)
{
    const char *value = NULL;

    return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? value : NULL;
}
