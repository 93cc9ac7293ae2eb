/* SPDX-License-Identifier: Apache-2.0 */
/* Every look-up goes through openat2(2) beneath the root, also in a process whose root it is: a
 * container shares its tree with us while it runs. */
#include "transfer/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"

#define DEPTH_MAX 512

static int check_component(const char *name, size_t length, int depth, struct error *err);
static int open_directory(const struct place *place, const char *path);
static int make_directories(const struct place *place, const char *path);

int place_clean(const struct place *place, const char *path, char clean[PATH_MAX],
                struct error *err)
{
    size_t used = strlen(place->base);
    int depth = 0;

    memcpy(clean, place->base, used);
    for (const char *rest = path + strspn(path, "/"); *rest != '\0'; rest += strspn(rest, "/")) {
        size_t length = strcspn(rest, "/");
        if (length == 1 && rest[0] == '.') {
            rest += length;
            continue;
        }
        if (check_component(rest, length, ++depth, err) < 0)
            return -1;
        if (used + length + 2 > PATH_MAX)
            return fail(err, ERR_INVALID, "the path is too long");
        if (used > 0)
            clean[used++] = '/';
        memcpy(clean + used, rest, length);
        used += length;
        rest += length;
    }
    clean[used] = '\0';
    return 0;
}

const char *place_enter(struct place *place, struct error *err)
{
    char directory[PATH_MAX];
    const char *name = path_base(place->path);
    size_t length = (size_t)(name - place->path);

    memcpy(directory, place->path, length);
    directory[length > 0 ? length - 1 : 0] = '\0';
    if (place->is_entered && strcmp(directory, place->directory) == 0)
        return name;
    cleanup_fd int fd = open_directory(place, directory);
    if (fd == -ENOENT || fd == -ENOTDIR)
        fd = make_directories(place, directory);
    if (fd < 0 || fchdir(fd) < 0) {
        (void)fail_sys(err, fd < 0 ? fd : -errno, "cannot enter its directory");
        return NULL;
    }
    memcpy(place->directory, directory, strlen(directory) + 1);
    place->is_entered = true;
    return name;
}

void place_forget(struct place *place)
{
    place->is_entered = false;
}

int place_open(const struct place *place, const char *clean, int flags)
{
    const char *path = *clean == '\0' ? "." : clean;

    return path_open_in_root(place->root_fd, path, flags | O_NOFOLLOW);
}

int place_link(const struct place *place, const char *target, const char *name)
{
    char directory[PATH_MAX];
    const char *base = path_base(target);
    size_t length = (size_t)(base - target);

    memcpy(directory, target, length);
    directory[length] = '\0';
    cleanup_fd int fd = open_directory(place, directory);
    return fd < 0 ? fd : sys_linkat(fd, base, AT_FDCWD, name, 0);
}

static int check_component(const char *name, size_t length, int depth, struct error *err)
{
    if (length == 2 && name[0] == '.' && name[1] == '.')
        return fail(err, ERR_INVALID, "the path has '..' in it");
    if (length > NAME_MAX)
        return fail(err, ERR_INVALID, "a name in the path is too long");
    if (depth > DEPTH_MAX)
        return fail(err, ERR_INVALID, "the path is too deep");
    return 0;
}

static int open_directory(const struct place *place, const char *path)
{
    return path_open_in_root(place->root_fd, path, O_PATH | O_DIRECTORY);
}

/* Goes down component by component, from the root each time: links may lead anywhere inside. */
static int make_directories(const struct place *place, const char *path)
{
    char prefix[PATH_MAX];
    cleanup_fd int parent = open_directory(place, "");

    for (const char *rest = path; parent >= 0 && *rest != '\0'; rest += strspn(rest, "/")) {
        const char *name = rest;
        size_t length = strcspn(rest, "/");
        rest += length;
        memcpy(prefix, path, (size_t)(rest - path));
        prefix[rest - path] = '\0';
        int next = open_directory(place, prefix);
        if (next == -ENOENT) {
            int rc = sys_mkdirat(parent, prefix + (name - path), 0755);
            next = rc < 0 && rc != -EEXIST ? rc : open_directory(place, prefix);
        }
        sys_close_fd(&parent);
        parent = next;
    }
    return move_fd(&parent);
}
