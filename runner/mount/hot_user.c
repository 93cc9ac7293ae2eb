/* SPDX-License-Identifier: Apache-2.0 */
/* Who keeps a mount busy: open files, working directories, roots, mapped files, programs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/sys.h"
#include "runner/mount/hot_place.h"

#define FDINFO_MAX 4096
#define COMM_MAX   64
#define LINK_MAX   4096

static const char *use_of(struct arena *mem, int process_fd, uint64_t id, bool is_writer);
static const char *use_in(struct arena *mem, int process_fd, const char *dir, uint64_t id,
                          bool is_writer);
static bool is_open_for_writing(struct arena *mem, int process_fd, const char *name);
static const char *link_of(struct arena *mem, int process_fd, const char *path);

const char *hot_user_find(struct arena *mem, const struct hot_place *place, uint64_t id,
                          bool is_writer)
{
    struct error ignored; /* then nobody can be named */

    for (size_t i = 0; i < place->pid_count; i++) {
        char *comm = NULL;
        char name[16];
        (void)snprintf(name, sizeof(name), "%d", (int)place->pids[i]); /* fits */
        cleanup_fd int process_fd = sys_openat(place->proc_fd, name, O_RDONLY | O_DIRECTORY, 0);
        const char *use = process_fd < 0 ? NULL : use_of(mem, process_fd, id, is_writer);
        if (use == NULL)
            continue;
        if (fs_read_file(mem, process_fd, "comm", COMM_MAX, &comm, NULL, &ignored) < 0)
            return arena_printf(mem, "process %d %s", (int)place->pids[i], use);
        return arena_printf(mem, "process %d (%.*s) %s", (int)place->pids[i],
                            (int)strcspn(comm, "\n"), comm, use);
    }
    return NULL;
}

static const char *use_of(struct arena *mem, int process_fd, uint64_t id, bool is_writer)
{
    if (is_writer)
        return use_in(mem, process_fd, "fd", id, true);
    if (hot_mount_id(process_fd, "cwd") == id)
        return arena_printf(mem, "works in '%s'", link_of(mem, process_fd, "cwd"));
    if (hot_mount_id(process_fd, "root") == id)
        return "has its root in it";
    if (hot_mount_id(process_fd, "exe") == id)
        return arena_printf(mem, "runs '%s'", link_of(mem, process_fd, "exe"));
    const char *use = use_in(mem, process_fd, "fd", id, false);
    return use != NULL ? use : use_in(mem, process_fd, "map_files", id, false);
}

static const char *use_in(struct arena *mem, int process_fd, const char *dir_name, uint64_t id,
                          bool is_writer)
{
    cleanup_dir DIR *dir = NULL;

    if (dir_open(process_fd, dir_name, &dir) < 0)
        return NULL;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        const char *path = arena_printf(mem, "%s/%s", dir_name, entry->d_name);
        if (hot_mount_id(process_fd, path) != id ||
            (is_writer && !is_open_for_writing(mem, process_fd, entry->d_name)))
            continue;
        return arena_printf(mem, "has '%s' open%s", link_of(mem, process_fd, path),
                            is_writer ? " for writing" : "");
    }
    return NULL;
}

/* "flags:	0100001", octal. */
static bool is_open_for_writing(struct arena *mem, int process_fd, const char *name)
{
    char *text = NULL;
    struct error ignored;
    const char *path = arena_printf(mem, "fdinfo/%s", name);

    if (fs_read_file(mem, process_fd, path, FDINFO_MAX, &text, NULL, &ignored) < 0)
        return false;
    const char *flags = strstr(text, "flags:");
    return flags != NULL && (strtoul(flags + 6, NULL, 8) & O_ACCMODE) != O_RDONLY;
}

static const char *link_of(struct arena *mem, int process_fd, const char *path)
{
    char *target = arena_alloc(mem, LINK_MAX);
    ssize_t size = readlinkat(process_fd, path, target, LINK_MAX - 1);

    target[size > 0 ? size : 0] = '\0';
    return target;
}
