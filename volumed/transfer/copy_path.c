/* SPDX-License-Identifier: Apache-2.0 */
/* Opening is the kernel's work (RESOLVE_IN_ROOT); copy_path_resolve() only tells people a name. */
#include "transfer/copy_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"

#define LINKS_MAX 40

static bool ends_with(const char *text, const char *end);
static ssize_t read_link(int root_fd, const char *path, char target[PATH_MAX]);
static const char *join(struct arena *mem, const char *directory, const char *name);

void copy_path_read(struct copy_path *path, struct arena *mem, const char *text)
{
    bool is_contents = ends_with(text, "/.") || strcmp(text, ".") == 0;

    path->clean = path_clean(mem, text);
    path->is_followed = is_contents || ends_with(text, "/") || strcmp(path->clean, "/") == 0;
    path->name = is_contents ? "." : path_base(path->clean);
    if (*path->name == '\0')
        path->name = "/";
}

int copy_path_open(const struct copy_path *path, int root_fd, const char **last, struct arena *mem)
{
    if (path->is_followed) {
        *last = ".";
        return path_open_in_root(root_fd, path->clean, O_PATH | O_DIRECTORY);
    }
    *last = path_base(path->clean);
    const char *parent = arena_strndup(mem, path->clean, (size_t)(*last - path->clean));
    return path_open_in_root(root_fd, parent, O_PATH | O_DIRECTORY);
}

const char *copy_path_resolve(int root_fd, struct arena *mem, const char *clean)
{
    const char *done = "/";
    const char *rest = clean;
    char target[PATH_MAX];
    int links = 0;

    while (*(rest += strspn(rest, "/")) != '\0') {
        size_t length = strcspn(rest, "/");
        const char *next = join(mem, done, arena_strndup(mem, rest, length));
        rest += length;
        if (links < LINKS_MAX && read_link(root_fd, next, target) > 0) {
            links++;
            rest = join(mem, target, rest);
            done = target[0] == '/' ? "/" : done;
        } else {
            done = path_clean(mem, next); /* takes a ".." back */
        }
    }
    return done;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t wanted = strlen(end);

    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static ssize_t read_link(int root_fd, const char *path, char target[PATH_MAX])
{
    cleanup_fd int fd = path_open_in_root(root_fd, path, O_PATH | O_NOFOLLOW);
    ssize_t length = fd < 0 ? fd : readlinkat(fd, "", target, PATH_MAX - 1);

    if (length >= 0)
        target[length] = '\0';
    return length;
}

static const char *join(struct arena *mem, const char *directory, const char *name)
{
    return arena_printf(mem, "%s/%s", directory, name);
}
