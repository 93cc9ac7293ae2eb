/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of a container's root and namespace, and lines of its mount table by number. */
#include "runner/mount/hot_place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/sys.h"
#include "runner/mount/target.h"

#define READ_SIZE 65536

static int open_all(struct arena *mem, pid_t pid, struct hot_place *place);
static int read_table(struct arena *mem, int proc_fd, pid_t pid, const char **table);
static bool is_own_namespace(const struct hot_place *place);
static bool read_line(struct arena *mem, const char *text, struct hot_line *line);
static char *unescape(struct arena *mem, const char *text, size_t size);

int hot_place_open(struct arena *mem, const struct container *container, struct hot_place *place,
                   struct error *err)
{
    *place = (struct hot_place)HOT_PLACE_NONE;
    int rc = open_all(mem, container->pid, place);
    enum container_status status = container_status(container);

    /* Asked when the descriptors are there: the PID was the container's while they were opened. */
    if (status != CONTAINER_RUNNING && status != CONTAINER_PAUSED && status != CONTAINER_CREATED) {
        hot_place_close(place);
        return fail(err, ERR_CONFLICT, "container not running");
    }
    if (rc < 0) {
        hot_place_close(place);
        return fail_sys(err, rc, "cannot look at the mounts of container '%s'", container->id);
    }
    if (container_pids(mem, container, &place->pids, &place->pid_count, err) < 0)
        place->pid_count = 0; /* then nobody can be named who keeps a mount busy */
    if (is_own_namespace(place)) {
        hot_place_close(place);
        return fail(err, ERR_UNSUPPORTED, "container '%s' has no mounts of its own", container->id);
    }
    return 0;
}

void hot_place_close(struct hot_place *place)
{
    sys_close_fd(&place->root_fd);
    sys_close_fd(&place->ns_fd);
    sys_close_fd(&place->proc_fd);
}

int hot_place_find(struct arena *mem, const struct hot_place *place, const char *path,
                   const char *token, struct hot_line *line)
{
    cleanup_fd int fd = target_find(place->root_fd, path);

    if (fd < 0)
        return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
    struct statx stx;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
        return -errno;
    if ((stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
        return 0;
    for (const char *text = place->table; *text != '\0';) {
        size_t size = strcspn(text, "\n");
        const char *one = arena_strndup(mem, text, size);
        if (read_line(mem, one, line) && line->id == stx.stx_mnt_id)
            return strstr(one, token) != NULL;
        text += size + (text[size] == '\n');
    }
    return 0;
}

bool hot_place_has_child(struct arena *mem, const struct hot_place *place, uint64_t id,
                         const char **target)
{
    for (const char *text = place->table; *text != '\0';) {
        size_t size = strcspn(text, "\n");
        struct hot_line line;
        if (read_line(mem, arena_strndup(mem, text, size), &line) && line.parent_id == id) {
            if (target != NULL)
                *target = line.target;
            return true;
        }
        text += size + (text[size] == '\n');
    }
    return false;
}

int hot_place_join(const struct hot_place *place, struct error *err)
{
    return setns(place->ns_fd, CLONE_NEWNS) < 0
               ? fail_sys(err, -errno, "cannot join the container's mount namespace")
               : 0;
}

uint64_t hot_mount_id(int dirfd, const char *path)
{
    struct statx stx;

    if (statx(dirfd, path, *path == '\0' ? AT_EMPTY_PATH : 0, STATX_MNT_ID, &stx) < 0)
        return 0;
    return stx.stx_mnt_id;
}

static int open_all(struct arena *mem, pid_t pid, struct hot_place *place)
{
    char path[64];

    place->proc_fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, 0);
    if (place->proc_fd < 0)
        return place->proc_fd;
    (void)snprintf(path, sizeof(path), "%d/root", (int)pid);
    place->root_fd = sys_openat(place->proc_fd, path, O_PATH | O_DIRECTORY, 0);
    if (place->root_fd < 0)
        return place->root_fd;
    (void)snprintf(path, sizeof(path), "%d/ns/mnt", (int)pid);
    place->ns_fd = sys_openat(place->proc_fd, path, O_RDONLY, 0);
    if (place->ns_fd < 0)
        return place->ns_fd;
    return read_table(mem, place->proc_fd, pid, &place->table);
}

static int read_table(struct arena *mem, int proc_fd, pid_t pid, const char **table)
{
    cleanup_buf struct buf text = { 0 };
    char path[64];

    (void)snprintf(path, sizeof(path), "%d/mountinfo", (int)pid);
    cleanup_fd int fd = sys_openat(proc_fd, path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    for (;;) {
        ssize_t got = sys_read(fd, buf_reserve(&text, READ_SIZE), READ_SIZE);
        if (got < 0)
            return (int)got;
        if (got == 0)
            break;
        text.size += (size_t)got;
        text.data[text.size] = '\0';
    }
    *table = arena_strndup(mem, text.data, text.size);
    return 0;
}

static bool is_own_namespace(const struct hot_place *place)
{
    struct stat theirs;
    struct stat own;

    return sys_fstatat(place->ns_fd, "", &theirs, AT_EMPTY_PATH) == 0 &&
           sys_fstatat(place->proc_fd, "self/ns/mnt", &own, 0) == 0 &&
           theirs.st_ino == own.st_ino && theirs.st_dev == own.st_dev;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime …" */
static bool read_line(struct arena *mem, const char *text, struct hot_line *line)
{
    int used = 0;

    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
    if (sscanf(text, "%" SCNu64 " %" SCNu64 " %*u:%*u %*s %n", &line->id, &line->parent_id, &used) <
            2 ||
        used == 0)
        return false;
    line->target = unescape(mem, text + used, strcspn(text + used, " "));
    return true;
}

/* Space, tab, newline and backslash are written as \ooo. */
static char *unescape(struct arena *mem, const char *text, size_t size)
{
    char *plain = arena_alloc(mem, size + 1);
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\' && size - i > 3 && strspn(text + i + 1, "01234567") >= 3) {
            plain[used++] = (char)(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) |
                                   (text[i + 3] - '0'));
            i += 3;
        } else {
            plain[used++] = text[i];
        }
    }
    return plain;
}
