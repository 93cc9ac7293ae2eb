/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying paths over.  Both trees are a container's, so everything is opened beneath their roots.
 */
#include "core/replica/replica_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "driver/attributes.h"
#include "driver/entry_copy.h"
#include "driver/tree_copy.h"

static int open_parent(struct task *task, const struct replica_keep *keep, int *old_fd, int *new_fd,
                       const char **name);
static int step(int new_fd, int old_fd, const char *name);
static int copy(const struct replica_keep *keep, int old_fd, int new_fd, const char *name,
                struct error *err);
static int copy_directory(const struct replica_keep *keep, int old_fd, int new_fd, const char *name,
                          struct error *err);

const struct attachment *replica_keep_place(struct task *task, const struct container *container,
                                            const char *path, const char **inside)
{
    const struct attachment *best = NULL;

    for (size_t i = 0; i < container->attachment_count; i++) {
        const struct attachment *attachment = &container->attachments[i];
        if (path_is_within(path, attachment->destination) &&
            (best == NULL || strlen(attachment->destination) > strlen(best->destination)))
            best = attachment;
    }
    if (best == NULL || strcmp(path, best->destination) == 0)
        return NULL;
    const char *rest = path + strlen(best->destination) + 1;
    *inside =
        best->subpath[0] == '\0' ? rest : arena_printf(task->mem, "%s/%s", best->subpath, rest);
    return best;
}

int replica_keep(struct task *task, const struct replica_keep *keep, struct error *err)
{
    cleanup_fd int old_fd = -1;
    cleanup_fd int new_fd = -1;
    const char *name = NULL;
    int rc = open_parent(task, keep, &old_fd, &new_fd, &name);

    if (rc == -ENOENT) /* the old one has nothing there */
        return 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot open the directory of '%s'", keep->path);
    if (copy(keep, old_fd, new_fd, name, err) < 0)
        return error_prefix(err, "cannot keep '%s'", keep->path);
    return 0;
}

/* Goes down both trees at once. */
static int open_parent(struct task *task, const struct replica_keep *keep, int *old_fd, int *new_fd,
                       const char **name)
{
    const char *at = keep->path;
    struct stat st;

    *old_fd = sys_openat(keep->old_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    *new_fd = sys_openat(keep->new_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (*old_fd < 0 || *new_fd < 0)
        return *old_fd < 0 ? *old_fd : *new_fd;
    /* Asked first: nothing is made above what is not there. */
    cleanup_fd int there = path_open_beneath(keep->old_fd, keep->path, O_PATH | O_NOFOLLOW);
    if (there < 0 && there != -ELOOP)
        return there;
    for (const char *slash = strchr(at, '/'); slash != NULL; slash = strchr(at, '/')) {
        const char *part = arena_strndup(task->mem, at, (size_t)(slash - at));
        int next_old = path_open_beneath(*old_fd, part, O_RDONLY | O_DIRECTORY);
        if (next_old < 0)
            return next_old;
        int next_new = step(*new_fd, next_old, part);
        sys_close_fd(old_fd);
        sys_close_fd(new_fd);
        *old_fd = next_old;
        *new_fd = next_new;
        if (next_new < 0)
            return next_new;
        at = slash + 1;
    }
    *name = at;
    return sys_fstatat(*old_fd, at, &st, AT_SYMLINK_NOFOLLOW);
}

/* Enters a directory of the new tree, or makes it as the old one is. */
static int step(int new_fd, int old_fd, const char *name)
{
    struct stat st;
    int fd = path_open_beneath(new_fd, name, O_RDONLY | O_DIRECTORY);

    if (fd != -ENOENT)
        return fd;
    int rc = sys_mkdirat(new_fd, name, 0700);
    fd = rc < 0 ? rc : path_open_beneath(new_fd, name, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return fd;
    rc = sys_fstatat(old_fd, "", &st, AT_EMPTY_PATH);
    if (rc >= 0)
        rc = attributes_copy(&(struct attributes_place){ .fd = old_fd }, &st,
                             &(struct attributes_place){ .fd = fd }, false);
    if (rc < 0)
        sys_close_fd(&fd);
    return rc < 0 ? rc : fd;
}

static int copy(const struct replica_keep *keep, int old_fd, int new_fd, const char *name,
                struct error *err)
{
    struct entry_copier copier;
    struct stat st;
    int rc = sys_fstatat(old_fd, name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc < 0)
        return fail_sys(err, rc, "cannot look at it");
    if (fs_remove_tree(new_fd, name, err) < 0)
        return -1;
    if (S_ISDIR(st.st_mode))
        return copy_directory(keep, old_fd, new_fd, name, err);
    entry_copier_init(&copier, -1);
    copier.is_shared = keep->is_shared;
    const struct entry_place place = { old_fd, new_fd, name, name, &st };
    rc = entry_copy(&copier, &place);
    entry_copier_done(&copier);
    return rc < 0 ? fail_sys(err, rc, "cannot copy it") : 0;
}

static int copy_directory(const struct replica_keep *keep, int old_fd, int new_fd, const char *name,
                          struct error *err)
{
    cleanup_fd int source = path_open_beneath(old_fd, name, O_RDONLY | O_DIRECTORY);
    int rc = source < 0 ? source : sys_mkdirat(new_fd, name, 0700);

    if (rc < 0)
        return fail_sys(err, rc, "cannot copy the directory");
    cleanup_fd int target = path_open_beneath(new_fd, name, O_RDONLY | O_DIRECTORY);
    if (target < 0)
        return fail_sys(err, target, "cannot copy the directory");
    const struct tree_copy_spec spec = {
        .source_fd = source,
        .target_fd = target,
        .is_shared = keep->is_shared,
    };
    return tree_copy(&spec, err);
}
