/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renaming restored units into place.  The inode tells which of two names has the new one: that is
 * all that a resumed run has to go by, and it is enough.
 *
 *     staging/0   target       step
 *     new         old          renameat2(EXCHANGE)
 *     old         new          done; old goes with the staging directory
 *     new         -            renameat2(NOREPLACE)
 *     -           new          done
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/sys.h"
#include "core/file/restore_stage.h"

#define NS_PER_S INT64_C(1000000000)
#define TRIES    8 /* what is in the way may come and go: others have the volume mounted */

struct ends {
    int staging_fd;
    int parent_fd;
    char name[24];
    const char *base;
};

static int open_ends(const struct restore_stage *stage, size_t index, struct ends *ends);
static void ends_done(struct ends *ends);
static int swap_unit(const struct restore_stage *stage, size_t index);
static int rename_unit(const struct restore_unit *unit, const struct ends *ends);
static int keep_time(const struct restore_unit *unit, const struct ends *ends);
static int undo_unit(const struct restore_stage *stage, size_t index);
static ino_t inode_of(int dirfd, const char *name);

int restore_stage_swap(struct restore_stage *stage, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < stage->count; i++) {
        rc = swap_unit(stage, i);
        if (rc < 0)
            return fail_sys(err, rc, "cannot put '%s' into its place", stage->units[i].target);
    }
    cleanup_fd int staging_fd =
        sys_openat(stage->volume_fd, stage->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    rc = staging_fd < 0 ? staging_fd : sys_syncfs(stage->volume_fd);
    if (rc >= 0)
        rc = sys_renameat2(staging_fd, RESTORE_MARKER, staging_fd, RESTORE_MARKER_LAST, 0);
    if (rc >= 0)
        rc = sys_fsync(staging_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync the volume") : 0;
}

int restore_stage_undo(struct restore_stage *stage, struct error *err)
{
    for (size_t i = stage->count; i > 0; i--) {
        int rc = undo_unit(stage, i - 1);
        if (rc < 0)
            return fail_sys(err, rc, "cannot put '%s' back", stage->units[i - 1].target);
    }
    return 0;
}

static int swap_unit(const struct restore_stage *stage, size_t index)
{
    const struct restore_unit *unit = &stage->units[index];
    CLEANUP(ends_done) struct ends ends = { -1, -1, "", NULL };
    int rc = open_ends(stage, index, &ends);

    /* Unless the run before did it. */
    if (rc >= 0 && inode_of(ends.staging_fd, ends.name) == unit->inode)
        rc = rename_unit(unit, &ends);
    return rc >= 0 && unit->is_directory ? keep_time(unit, &ends) : rc;
}

static int rename_unit(const struct restore_unit *unit, const struct ends *ends)
{
    for (int tries = 0; tries < TRIES; tries++) {
        int rc = sys_renameat2(ends->staging_fd, ends->name, ends->parent_fd, ends->base,
                               RENAME_NOREPLACE);
        if (rc != -EEXIST || unit->is_chain) /* a chain's name was free when we began */
            return rc;
        rc = sys_renameat2(ends->staging_fd, ends->name, ends->parent_fd, ends->base,
                           RENAME_EXCHANGE);
        if (rc != -ENOENT)
            return rc;
    }
    return -EBUSY;
}

static int keep_time(const struct restore_unit *unit, const struct ends *ends)
{
    const struct timespec times[2] = {
        { .tv_nsec = UTIME_OMIT },
        { .tv_sec = unit->mtime_ns / NS_PER_S, .tv_nsec = unit->mtime_ns % NS_PER_S },
    };

    if (inode_of(ends->parent_fd, ends->base) != unit->inode)
        return 0; /* somebody has moved it on already */
    return sys_utimensat(ends->parent_fd, ends->base, times, AT_SYMLINK_NOFOLLOW);
}

static int undo_unit(const struct restore_stage *stage, size_t index)
{
    CLEANUP(ends_done) struct ends ends = { -1, -1, "", NULL };
    int rc = open_ends(stage, index, &ends);

    if (rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP)
        return 0; /* its directory is no more, so it was never put there, or went with it */
    if (rc < 0 || inode_of(ends.parent_fd, ends.base) != stage->units[index].inode)
        return rc;
    rc = sys_renameat2(ends.parent_fd, ends.base, ends.staging_fd, ends.name, RENAME_NOREPLACE);
    if (rc == -EEXIST)
        rc = sys_renameat2(ends.parent_fd, ends.base, ends.staging_fd, ends.name, RENAME_EXCHANGE);
    return rc;
}

static int open_ends(const struct restore_stage *stage, size_t index, struct ends *ends)
{
    const char *target = stage->units[index].target;
    char parent[4096];

    ends->base = path_base(target);
    (void)snprintf(ends->name, sizeof(ends->name), "%zu", index); /* fits */
    int length = snprintf(parent, sizeof(parent), "%.*s", (int)(ends->base - target), target);
    if (length < 0 || (size_t)length >= sizeof(parent))
        return -ENAMETOOLONG;
    ends->staging_fd =
        sys_openat(stage->volume_fd, stage->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (ends->staging_fd < 0)
        return ends->staging_fd;
    ends->parent_fd = path_open_beneath(stage->volume_fd, parent, O_PATH | O_DIRECTORY);
    return ends->parent_fd < 0 ? ends->parent_fd : 0;
}

static void ends_done(struct ends *ends)
{
    sys_close_fd(&ends->staging_fd);
    sys_close_fd(&ends->parent_fd);
}

/* 0: there is nothing. */
static ino_t inode_of(int dirfd, const char *name)
{
    struct stat st;

    return sys_fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_ino;
}
