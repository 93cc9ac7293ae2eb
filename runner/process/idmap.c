/* SPDX-License-Identifier: Apache-2.0 */
/* Writing maps, by ourselves or by the set-uid helpers of a rootless host. */
#include "runner/process/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/sys.h"
#include "runner/spec/spec.h"

static int write_map(struct arena *mem, pid_t pid, const char *file, const char *helper,
                     const struct array *maps, struct error *err);
static int run_helper(struct arena *mem, const char *helper, pid_t pid, const struct array *maps,
                      struct error *err);
static int write_file(pid_t pid, const char *file, const char *text);

int idmap_write(struct arena *mem, pid_t pid, const struct array *uid_maps,
                const struct array *gid_maps, struct error *err)
{
    /* Who cannot set groups freely outside may map its own group only if inside cannot either. */
    if (geteuid() != 0 && gid_maps->count == 1)
        (void)write_file(pid, "setgroups", "deny");
    if (write_map(mem, pid, "gid_map", "newgidmap", gid_maps, err) < 0)
        return -1;
    return write_map(mem, pid, "uid_map", "newuidmap", uid_maps, err);
}

int idmap_namespace_open(struct arena *mem, const struct array *uid_maps,
                         const struct array *gid_maps, struct error *err)
{
    char path[64];
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid < 0)
        return fail_sys(err, -errno, "cannot make a user namespace for a mount");
    if (pid == 0)
        for (;;)
            (void)pause(); /* lives until it is killed below */
    int fd = idmap_write(mem, pid, uid_maps, gid_maps, err);
    if (fd >= 0) {
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid); /* fits */
        fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
        if (fd < 0)
            fd = fail_sys(err, fd, "cannot open a mount's user namespace");
    }
    (void)kill(pid, SIGKILL); /* ours, and not reaped yet: cannot be another */
    (void)waitpid(pid, NULL, 0);
    return fd;
}

int64_t idmap_to_host(const struct array *maps, uint32_t id)
{
    if (maps->count == 0)
        return id;
    for (size_t i = 0; i < maps->count; i++) {
        const struct id_map *map = ARRAY_ITEM(*maps, const struct id_map, i);
        if (id >= map->container_id && id - map->container_id < map->size)
            return (int64_t)map->host_id + (id - map->container_id);
    }
    return -1;
}

static int write_map(struct arena *mem, pid_t pid, const char *file, const char *helper,
                     const struct array *maps, struct error *err)
{
    cleanup_buf struct buf text = { 0 };

    if (maps->count == 0)
        return fail(err, ERR_INVALID, "a user namespace without a %s", file);
    for (size_t i = 0; i < maps->count; i++) {
        const struct id_map *map = ARRAY_ITEM(*maps, const struct id_map, i);
        buf_printf(&text, "%u %u %u\n", map->container_id, map->host_id, map->size);
    }
    int rc = write_file(pid, file, text.data);
    if (rc == -EPERM && geteuid() != 0)
        return run_helper(mem, helper, pid, maps, err);
    return rc < 0 ? fail_sys(err, rc, "cannot write the %s", file) : 0;
}

static int run_helper(struct arena *mem, const char *helper, pid_t pid, const struct array *maps,
                      struct error *err)
{
    char **argv = arena_array(mem, maps->count * 3 + 3, sizeof(*argv));
    size_t used = 0;
    int status = 0;

    argv[used++] = arena_strdup(mem, helper);
    argv[used++] = arena_printf(mem, "%d", (int)pid);
    for (size_t i = 0; i < maps->count; i++) {
        const struct id_map *map = ARRAY_ITEM(*maps, const struct id_map, i);
        argv[used++] = arena_printf(mem, "%u", map->container_id);
        argv[used++] = arena_printf(mem, "%u", map->host_id);
        argv[used++] = arena_printf(mem, "%u", map->size);
    }
    pid_t child = fork();
    if (child < 0)
        return fail_sys(err, -errno, "cannot run %s", helper);
    if (child == 0) {
        (void)execvp(helper, argv);
        _exit(127);
    }
    (void)waitpid(child, &status, 0); /* our own child, just made */
    if (status != 0)
        return fail(err, ERR_DENIED, "%s refused the id mapping", helper);
    return 0;
}

static int write_file(pid_t pid, const char *file, const char *text)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file); /* fits */
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
    return fd < 0 ? fd : sys_write_all(fd, text, strlen(text));
}
