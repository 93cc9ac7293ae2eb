/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the state directory. */
#include "runner/container/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/sys.h"
#include "runner/process/descriptor.h"

#define STATE_FILE    "state.json"
#define STATE_NEW     ".state.json.new" /* who makes a container is alone in writing */
#define STATE_MAX     ((size_t)16 * 1024 * 1024)
#define ID_MAX        1024
#define STAT_FIELD_22 20 /* spaces between the state letter (3rd) and the start time (22nd) */

const char *state_default_root(struct arena *mem)
{
    const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0 || runtime_dir == NULL)
        return "/run/runner";
    return arena_printf(mem, "%s/runner", runtime_dir);
}

int state_check_id(const char *id, struct error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_+-.";
    size_t length = strlen(id);

    if (length == 0 || length > ID_MAX || id[0] == '.' || id[strspn(id, allowed)] != '\0')
        return fail(err, ERR_INVALID, "invalid container id '%.64s'", id);
    return 0;
}

int state_open_root(const char *root, struct error *err)
{
    int fd = sys_openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0);

    if (fd == -ENOENT &&
        sys_mkdirat(AT_FDCWD, root, 0711) >= 0) /* mostly only the last is missing */
        fd = sys_openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0);
    return fd >= 0 ? fd : fs_make_path(root, 0711, err);
}

int state_make(int root_fd, const char *id, struct error *err)
{
    int rc = sys_mkdirat(root_fd, id, 0711);

    if (rc == -EEXIST)
        return fail(err, ERR_EXISTS, "container with id exists: '%s'", id);
    if (rc < 0)
        return fail_sys(err, rc, "cannot make the state directory of '%s'", id);
    int fd = sys_openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open the state directory of '%s'", id) : fd;
}

int state_open(const char *root, const char *id, struct error *err)
{
    if (state_check_id(id, err) < 0)
        return -1;
    cleanup_fd int root_fd = sys_openat(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0);
    int fd =
        root_fd < 0 ? root_fd : sys_openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd == -ENOENT)
        return fail(err, ERR_NOT_FOUND, "container '%s' does not exist", id);
    return fd < 0 ? fail_sys(err, fd, "cannot open the state of '%s'", id) : fd;
}

int state_write(int state_fd, const json_t *state, struct error *err)
{
    cleanup_buf struct buf text = { 0 };

    json_append(&text, state);
    cleanup_fd_later int fd =
        sys_openat(state_fd, STATE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    int rc = fd < 0 ? fd : sys_write_all(fd, text.data, text.size);
    if (rc >= 0)
        rc = sys_renameat2(state_fd, STATE_NEW, state_fd, STATE_FILE, 0);
    return rc < 0 ? fail_sys(err, rc, "cannot write '%s'", STATE_FILE) : 0;
}

json_t *state_read(struct arena *mem, int state_fd, struct error *err)
{
    size_t size = 0;
    char *text;

    if (fs_read_file(mem, state_fd, STATE_FILE, STATE_MAX, &text, &size, err) < 0)
        return NULL;
    json_t *state = json_read(text, size, err);
    if (state == NULL)
        (void)fail(err, ERR_CORRUPT, "the stored state is not JSON");
    return state;
}

int state_remove(const char *root, const char *id, struct error *err)
{
    char path[PATH_MAX];
    static const char *const files[] = { STATE_FILE, STATE_FIFO, STATE_SECCOMP };
    int length = snprintf(path, sizeof(path), "%s/%s", root, id);
    int rc = -ENOTEMPTY;

    if (length < 0 || (size_t)length + NAME_MAX >= sizeof(path))
        return fail_sys(err, -ENAMETOOLONG, "cannot remove the state directory of '%s'", id);
    for (size_t i = 0; i < ARRAY_SIZE(files) && rc == -ENOTEMPTY; i++) {
        (void)snprintf(path + length, NAME_MAX, "/%s", files[i]); /* fits */
        (void)sys_unlinkat(AT_FDCWD, path, 0);                    /* what stays is told below */
        path[length] = '\0';
        rc =
            sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR); /* mostly there is no more than the first */
    }
    if (rc == -ENOTEMPTY) { /* left by a write that was cut off */
        cleanup_fd int root_fd = sys_openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0);
        if (root_fd < 0)
            return fail_sys(err, root_fd, "cannot open '%s'", root);
        return fs_remove_tree(root_fd, id, err);
    }
    if (rc < 0 && rc != -ENOENT)
        return fail_sys(err, rc, "cannot remove the state directory of '%s'", id);
    return 0;
}

bool state_has_fifo(int state_fd)
{
    struct stat st;

    return sys_fstatat(state_fd, STATE_FIFO, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* "pid (name) state …": the name may hold anything, so what follows begins after its last ')'. */
uint64_t process_start_ticks(pid_t pid)
{
    char path[32];
    char text[1024];

    if (pid <= 0)
        return 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid); /* fits */
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    ssize_t size = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    const char *at = strrchr(text, ')');
    if (at == NULL || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
        return 0;
    at += 2;
    for (int spaces = 0; spaces < STAT_FIELD_22 - 1 && at != NULL; spaces++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL ? strtoull(at, NULL, 10) : 0;
}
