/* SPDX-License-Identifier: Apache-2.0 */
/* Names of Documentation/filesystems/overlayfs.rst. */
#include "driver/tree_merge.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/fs.h"
#include "base/sys.h"

bool merge_is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int merge_directory(int target_fd, const struct tree_entry *entry)
{
    static const char *const foreign[] = { "trusted.overlay.redirect", "trusted.overlay.metacopy" };
    struct stat st;
    char value = 'n';

    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
        if (fgetxattr(entry->fd, foreign[i], NULL, 0) >= 0)
            return -EOPNOTSUPP;
    bool is_opaque = fgetxattr(entry->fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
    int rc = sys_fstatat(target_fd, entry->name, &st, AT_SYMLINK_NOFOLLOW);
    if (rc == 0 && S_ISDIR(st.st_mode) && !is_opaque)
        return 0;
    rc = merge_away(target_fd, entry->name);
    return rc < 0 ? rc : sys_mkdirat(target_fd, entry->name, 0700);
}

int merge_away(int target_fd, const char *name)
{
    struct error ignored;
    int rc = sys_unlinkat(target_fd, name, 0);

    if (rc == -EISDIR || rc == -EPERM)
        return fs_remove_tree(target_fd, name, &ignored) < 0 ? -EIO : 0;
    return rc == -ENOENT ? 0 : rc;
}
