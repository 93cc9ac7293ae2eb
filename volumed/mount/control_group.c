/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read from /proc.  v1's freezer is preferred where a process is in a group of it, since engines on
 * such hosts put containers there; v2's is in every kernel since 5.2.
 */
#include "mount/control_group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "mount/table.h"

#define TEXT_BYTES_MAX ((size_t)4 << 20)
#define PATH_SIZE      64

static const char *read_text(struct arena *mem, const char *path);
static void take_line(struct arena *mem, const char *text, struct control_groups *groups);
static const char *path_in(struct arena *mem, const char *text, const char *controller);
static const char *directory(struct arena *mem, const char *mount, const char *path,
                             const char *file);

int control_groups_read(struct arena *mem, struct control_groups *groups, struct error *err)
{
    char *text = NULL;

    *groups = (struct control_groups){ 0 };
    if (fs_read_file(mem, AT_FDCWD, "/proc/self/mountinfo", TEXT_BYTES_MAX, &text, NULL, err) < 0)
        return -1;
    for (char *line = text; *line != '\0';) {
        char *end = strchrnul(line, '\n');
        bool is_last = *end == '\0';
        *end = '\0';
        if (strstr(line, " - cgroup") != NULL)
            take_line(mem, line, groups);
        line = is_last ? end : end + 1;
    }
    return 0;
}

const char *control_group_of(struct arena *mem, const struct control_groups *groups, pid_t pid)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    const char *text = read_text(mem, path);
    if (text == NULL)
        return NULL;
    const char *group =
        directory(mem, groups->freezer, path_in(mem, text, "freezer"), "freezer.state");
    return group != NULL ? group
                         : directory(mem, groups->unified, path_in(mem, text, ""), "cgroup.freeze");
}

bool control_group_contains(const char *outer, const char *inner)
{
    size_t size = strlen(outer);

    return strncmp(outer, inner, size) == 0 && (inner[size] == '\0' || inner[size] == '/');
}

int control_group_pids(struct arena *mem, const char *group, pid_t **pids)
{
    const char *text = read_text(mem, arena_printf(mem, "%s/cgroup.procs", group));
    size_t capacity = 0;
    size_t count = 0;

    *pids = NULL;
    if (text == NULL)
        return -ENOENT;
    for (char *end = NULL; *text != '\0'; text = *end == '\n' ? end + 1 : end) {
        long pid = strtol(text, &end, 10);
        if (end == text)
            break;
        if (count == capacity)
            *pids = arena_grow(mem, *pids, &capacity, sizeof(**pids));
        (*pids)[count++] = (pid_t)pid;
    }
    return (int)count;
}

static const char *read_text(struct arena *mem, const char *path)
{
    char *text = NULL;
    struct error ignored; /* the process, or the group, is gone */

    return fs_read_file(mem, AT_FDCWD, path, TEXT_BYTES_MAX, &text, NULL, &ignored) < 0 ? NULL
                                                                                        : text;
}

/* Only a whole hierarchy: paths of processes begin at its root. */
static void take_line(struct arena *mem, const char *text, struct control_groups *groups)
{
    struct mount_line line;

    if (mount_line_parse(mem, text, &line) < 0 || strcmp(line.root, "/") != 0)
        return;
    if (strcmp(line.type, "cgroup2") == 0)
        groups->unified = line.target;
    else if (strcmp(line.type, "cgroup") == 0 && strstr(strrchr(text, ' '), "freezer") != NULL)
        groups->freezer = line.target;
}

/* Of "7:freezer:/a/b", or of "0::/a/b" for controller "". */
static const char *path_in(struct arena *mem, const char *text, const char *controller)
{
    size_t size = strlen(controller);

    while (*text != '\0') {
        const char *names = strchr(text, ':');
        const char *path = names == NULL ? NULL : strchr(names + 1, ':');
        if (path == NULL)
            return NULL;
        if ((size_t)(path - names) == size + 1 && strncmp(names + 1, controller, size) == 0)
            return arena_strndup(mem, path + 1, strcspn(path + 1, "\n"));
        text = strchrnul(path, '\n');
        text += *text == '\n';
    }
    return NULL;
}

static const char *directory(struct arena *mem, const char *mount, const char *path,
                             const char *file)
{
    if (mount == NULL || path == NULL || strcmp(path, "/") == 0)
        return NULL;
    const char *group = arena_printf(mem, "%s%s", mount, path);
    return access(arena_printf(mem, "%s/%s", group, file), W_OK) == 0 ? group : NULL;
}
