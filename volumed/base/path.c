/* SPDX-License-Identifier: Apache-2.0 */
/* Resolution by openat2(2), and lexical cleaning.  Knows nothing of what lies at a path. */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>

#include "base/sys.h"

static const char *relative(const char *path);
static int step_into(int dirfd, const char *name, mode_t mode);

int path_open_beneath(int dirfd, const char *path, int flags)
{
    return sys_openat2(dirfd, relative(path), flags, 0,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int path_open_in_root(int dirfd, const char *path, int flags)
{
    return sys_openat2(dirfd, relative(path), flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_make_beneath(int dirfd, const char *path, mode_t mode)
{
    cleanup_fd int current = sys_openat(dirfd, ".", O_PATH | O_DIRECTORY, 0);
    char name[NAME_MAX + 1];

    for (const char *rest = path + strspn(path, "/"); current >= 0 && *rest != '\0';) {
        size_t length = strcspn(rest, "/");
        if (length > NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(name, rest, length);
        name[length] = '\0';
        int next = step_into(current, name, mode);
        sys_close_fd(&current);
        current = next;
        rest += length;
        rest += strspn(rest, "/");
    }
    return move_fd(&current);
}

char *path_clean(struct arena *mem, const char *path)
{
    char *clean = arena_alloc(mem, strlen(path) + 2);
    size_t used = 0;

    for (const char *rest = path; *rest != '\0';) {
        rest += strspn(rest, "/");
        size_t length = strcspn(rest, "/");
        if (length == 2 && rest[0] == '.' && rest[1] == '.') {
            while (used > 0 && clean[--used] != '/')
                ;
        } else if (length > 0 && !(length == 1 && rest[0] == '.')) {
            clean[used++] = '/';
            memcpy(clean + used, rest, length);
            used += length;
        }
        rest += length;
    }
    if (used == 0)
        clean[used++] = '/';
    clean[used] = '\0';
    return clean;
}

int path_depth(const char *clean)
{
    int depth = 0;

    if (strcmp(clean, "/") == 0)
        return 0;
    for (; *clean != '\0'; clean++)
        depth += *clean == '/';
    return depth;
}

bool path_is_within(const char *path, const char *dir)
{
    size_t length = strlen(dir);

    if (strcmp(dir, "/") == 0)
        return true;
    return strncmp(path, dir, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static const char *relative(const char *path)
{
    path += strspn(path, "/");
    return *path == '\0' ? "." : path;
}

static int step_into(int dirfd, const char *name, mode_t mode)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EINVAL;
    int rc = sys_mkdirat(dirfd, name, mode);
    if (rc < 0 && rc != -EEXIST)
        return rc;
    return sys_openat2(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}
