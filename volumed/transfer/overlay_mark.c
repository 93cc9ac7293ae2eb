/* SPDX-License-Identifier: Apache-2.0 */
/* The names are of Documentation/filesystems/overlayfs.rst. */
#include "transfer/overlay_mark.h"

#include <errno.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/base.h"

#define OPAQUE "trusted.overlay.opaque"

bool overlay_is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int overlay_mark_get(int fd, enum overlay_mark *mark, struct error *err)
{
    static const char *const foreign[] = { "trusted.overlay.redirect", "trusted.overlay.metacopy" };
    char value;

    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
        if (fgetxattr(fd, foreign[i], NULL, 0) >= 0)
            return fail(err, ERR_UNSUPPORTED, "it has the attribute %s", foreign[i]);
    ssize_t got = fgetxattr(fd, OPAQUE, &value, sizeof(value));
    if (got < 0 && errno != ENODATA && errno != ENOTSUP)
        return fail_sys(err, -errno, "cannot read the attribute %s", OPAQUE);
    *mark = got == 1 && value == 'y' ? OVERLAY_OPAQUE : OVERLAY_PLAIN;
    return 0;
}

int overlay_mark_opaque(int fd)
{
    return fsetxattr(fd, OPAQUE, "y", 1, 0) < 0 ? -errno : 0;
}
