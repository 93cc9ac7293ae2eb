/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams from one socket to another, line by line. */
#include "runner/container/notify.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/container/state.h"

#define CONTAINER_DIR "/run/notify"
#define SOCKET_NAME   "notify"
#define SOCKET_MODE   0666 /* the container's user is any */
#define MESSAGE_MAX   4096

/* Read-only: a socket can be written to all the same, and nothing else is its business there. */
static const char *const mount_options[] = { "bind",  "rprivate", "ro", "nosuid",
                                             "nodev", "noexec",   NULL };

static bool host_address(struct sockaddr_un *address, socklen_t *size);
static void send_to_host(const char *text, size_t size);
static bool is_about_processes(const char *line);

const char *notify_host_socket(void)
{
    struct sockaddr_un address;
    socklen_t size;

    return host_address(&address, &size) ? getenv("NOTIFY_SOCKET") : NULL;
}

int notify_add(struct arena *mem, struct spec *spec, const char *root, const char *id,
               struct error *err)
{
    struct mount_spec *mounts = arena_array(mem, spec->mounts.count + 1, sizeof(*mounts));
    struct process *process = spec->process_storage;
    char absolute[PATH_MAX] = "";
    size_t count = 0;

    if (*root != '/' && getcwd(absolute, sizeof(absolute)) == NULL)
        return fail_sys(err, -errno, "cannot tell where '%s' is", root);
    if (spec->mounts.count > 0)
        memcpy(mounts, spec->mounts.items, spec->mounts.count * sizeof(*mounts));
    mounts[spec->mounts.count] = (struct mount_spec){
        .destination = CONTAINER_DIR,
        .type = "bind",
        .source = arena_printf(mem, "%s/%s/%s/" STATE_NOTIFY, absolute, root, id),
        .options = mount_options,
    };
    spec->mounts = (struct array){ mounts, spec->mounts.count + 1 };
    while (process->env != NULL && process->env[count] != NULL)
        count++;
    const char **env = arena_array(mem, count + 2, sizeof(*env));
    if (count > 0)
        memcpy(env, process->env, count * sizeof(*env));
    env[count] = "NOTIFY_SOCKET=" CONTAINER_DIR "/" SOCKET_NAME;
    process->env = env;
    return 0;
}

int notify_make_directory(int state_fd, struct error *err)
{
    int rc = sys_mkdirat(state_fd, STATE_NOTIFY, 0755);

    if (rc >= 0)
        rc = sys_fchmodat(state_fd, STATE_NOTIFY, 0755); /* whatever the umask */
    return rc < 0 ? fail_sys(err, rc, "cannot make the directory of the notify socket") : 0;
}

int notify_open(int state_fd, int *fd, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    static const char path[] = STATE_NOTIFY "/" SOCKET_NAME;
    struct stat st;

    *fd = -1;
    if (notify_host_socket() == NULL || sys_fstatat(state_fd, STATE_NOTIFY, &st, 0) < 0)
        return 0;
    cleanup_fd int made_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", state_fd,
                   path);                  /* fits */
    (void)sys_unlinkat(state_fd, path, 0); /* of a start that failed */
    int rc = made_fd < 0 ? -errno : 0;
    if (rc >= 0 && bind(made_fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        rc = -errno;
    if (rc >= 0)
        rc = sys_fchmodat(state_fd, path, SOCKET_MODE);
    if (rc < 0)
        return fail_sys(err, rc, "cannot bind the container's notify socket");
    *fd = move_fd(&made_fd);
    return 0;
}

bool notify_forward(int fd, pid_t pid)
{
    char text[MESSAGE_MAX + 1];
    char out[MESSAGE_MAX + 64];
    size_t used = 0;
    bool is_ready = false;
    char *rest;
    ssize_t size = sys_read(fd, text, MESSAGE_MAX);

    if (size <= 0)
        return false;
    text[size] = '\0';
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (is_about_processes(line))
            continue;
        is_ready |= strcmp(line, "READY=1") == 0;
        used += (size_t)snprintf(out + used, sizeof(out) - used, "%s\n", line); /* no longer */
    }
    if (is_ready && pid > 0)
        used += (size_t)snprintf(out + used, sizeof(out) - used, "MAINPID=%d\n", (int)pid);
    if (used > 0)
        send_to_host(out, used);
    return is_ready;
}

void notify_await_ready(int fd, int pidfd, pid_t pid)
{
    struct pollfd polls[] = {
        { .fd = fd, .events = POLLIN },
        { .fd = pidfd, .events = POLLIN },
    };

    for (;;) {
        if (poll(polls, ARRAY_SIZE(polls), -1) < 0)
            continue;
        if ((polls[0].revents & POLLIN) != 0 && notify_forward(fd, pid))
            return;
        if (polls[0].revents == 0 && polls[1].revents != 0)
            return;
    }
}

/* "/path", or "@name" of the abstract kind. */
static bool host_address(struct sockaddr_un *address, socklen_t *size)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t length = name != NULL ? strlen(name) : 0;

    if (length < 2 || length >= sizeof(address->sun_path) || (*name != '/' && *name != '@'))
        return false;
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(address->sun_path, name, length);
    if (*name == '@')
        address->sun_path[0] = '\0';
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

/* Nobody there to hear is no reason for the container to stop. */
static void send_to_host(const char *text, size_t size)
{
    struct sockaddr_un address;
    socklen_t address_size;
    cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && host_address(&address, &address_size))
        (void)sendto(fd, text, size, MSG_NOSIGNAL, (const struct sockaddr *)&address, address_size);
}

static bool is_about_processes(const char *line)
{
    static const char *const names[] = { "MAINPID=", "MAINPIDFD", "FDSTORE",
                                         "FDNAME=", "BARRIER=" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strncmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}
