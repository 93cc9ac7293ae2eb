/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the image's directory; names are looked up in the volume, never followed. */
#include "core/recreate/seed_drift.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/sys.h"

#define DEPTH_MAX 64

static int walk(const struct seed_drift *drift, int depth, json_t *list, struct error *err);
static int look_at(const struct seed_drift *drift, const char *name, int depth, json_t *list,
                   struct error *err);

int seed_drift_find(const struct seed_drift *drift, json_t *list, struct error *err)
{
    return walk(drift, 0, list, err);
}

static int walk(const struct seed_drift *drift, int depth, json_t *list, struct error *err)
{
    int fd = sys_openat(drift->seed_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int rc = 0;

    if (dir == NULL)
        return fail_sys(err, fd < 0 ? fd : -errno, "cannot read '%s' of the image", drift->base);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone */
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            json_array_size(list) < drift->max)
            rc = look_at(drift, entry->d_name, depth, list, err);
    }
    (void)closedir(dir); /* it was only read */
    return rc;
}

static int look_at(const struct seed_drift *drift, const char *name, int depth, json_t *list,
                   struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *path = arena_printf(mem, "%s/%s", drift->base, name);
    struct stat seed;
    struct stat kept;

    if (sys_fstatat(drift->seed_fd, name, &seed, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (sys_fstatat(drift->volume_fd, name, &kept, AT_SYMLINK_NOFOLLOW) < 0) {
        json_add(list, json_text(path));
        return 0;
    }
    if (!S_ISDIR(seed.st_mode) || !S_ISDIR(kept.st_mode) || depth >= DEPTH_MAX)
        return 0;
    cleanup_fd int seed_fd =
        sys_openat(drift->seed_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    cleanup_fd int volume_fd =
        sys_openat(drift->volume_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (seed_fd < 0 || volume_fd < 0) /* the volume's has changed meanwhile */
        return 0;
    const struct seed_drift deeper = {
        .seed_fd = seed_fd, .volume_fd = volume_fd, .base = path, .max = drift->max
    };
    return walk(&deeper, depth + 1, list, err);
}
