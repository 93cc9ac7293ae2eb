/* SPDX-License-Identifier: Apache-2.0 */
/* Thin wrappers around sockets, and the making of a listening one. */
#include "http/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "http/http.h"

#define LISTEN_BACKLOG 512

/* An expression, so that the call stays readable; as in base/sys.c. */
#define RETRY(call)                                \
    ({                                             \
        ssize_t result_;                           \
        do                                         \
            result_ = (ssize_t)(call);             \
        while (result_ < 0 && errno == EINTR);     \
        result_ < 0 ? (ssize_t)(-errno) : result_; \
    })

static int listen_at(int dir_fd, const char *name, mode_t mode, gid_t gid, struct error *err);
static int remove_stale(int dir_fd, const char *name, struct error *err);

int socket_accept(int listen_fd)
{
    return (int)RETRY(accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

ssize_t socket_receive(int fd, void *data, size_t size)
{
    return RETRY(recv(fd, data, size, MSG_DONTWAIT));
}

ssize_t socket_send(int fd, const struct iovec *pieces, int count)
{
    /* The kernel only reads the pieces; msg_iov is not const. */
    union {
        const struct iovec *read_only;
        struct iovec *plain;
    } iov = { .read_only = pieces };
    struct msghdr message = { .msg_iov = iov.plain, .msg_iovlen = (size_t)count };

    return RETRY(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

ssize_t socket_read(int fd, void *data, size_t size)
{
    return sys_read(fd, data, size);
}

ssize_t socket_write(int fd, const void *data, size_t size)
{
    ssize_t sent = RETRY(send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL));

    return sent == -ENOTSOCK ? sys_write(fd, data, size) : sent;
}

int socket_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

bool socket_is_unix(int fd)
{
    int domain = 0;
    socklen_t size = sizeof(domain);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

int socket_wait(int fd, short events, int64_t timeout_ms)
{
    struct pollfd wanted = { .fd = fd, .events = events };
    int timeout = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;

    return (int)RETRY(poll(&wanted, 1, timeout));
}

struct peer socket_peer(int fd)
{
    struct ucred cred;
    socklen_t size = sizeof(cred);

    if (!socket_is_unix(fd) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
        return (struct peer){ .uid = (uid_t)-1, .pid = 0 };
    return (struct peer){ .uid = cred.uid, .pid = cred.pid };
}

int http_listen_unix(const char *path, mode_t mode, gid_t gid, struct error *err)
{
    char directory[PATH_MAX];
    const char *name = path_base(path);
    size_t length = (size_t)(name - path);

    if (*path != '/' || *name == '\0' || length >= sizeof(directory))
        return fail(err, ERR_INVALID, "socket path '%s' is not absolute or too long", path);
    memcpy(directory, path, length);
    directory[length] = '\0';
    cleanup_fd int dir_fd = sys_openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY, 0);
    if (dir_fd < 0)
        return fail_sys(err, dir_fd, "cannot open '%s' for a socket", directory);
    int fd = remove_stale(dir_fd, name, err) < 0 ? -1 : listen_at(dir_fd, name, mode, gid, err);
    return fd < 0 ? error_prefix(err, "cannot listen on '%s'", path) : fd;
}

/* Nobody can connect before listen(): owner and mode are never too wide. */
static int listen_at(int dir_fd, const char *name, mode_t mode, gid_t gid, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    /* By way of /proc, a path may be longer than sun_path. */
    int length =
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
    if (length < 0 || (size_t)length >= sizeof(address.sun_path))
        return fail(err, ERR_INVALID, "the name '%s' is too long", name);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return fail_sys(err, -errno, "cannot bind");
    int rc = gid == (gid_t)-1 ? 0 : sys_fchownat(dir_fd, name, (uid_t)-1, gid, 0);
    if (rc == 0)
        rc = sys_fchmodat(dir_fd, name, mode);
    if (rc == 0 && listen(fd, LISTEN_BACKLOG) < 0)
        rc = -errno;
    if (rc < 0)
        return fail_sys(err, rc, "cannot give it owner and mode, or listen");
    return move_fd(&fd);
}

/* A socket that nobody answers is left from a server that died. */
static int remove_stale(int dir_fd, const char *name, struct error *err)
{
    struct stat st;
    int rc = sys_fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc == -ENOENT)
        return 0;
    if (rc == 0 && !S_ISSOCK(st.st_mode))
        return fail(err, ERR_EXISTS, "what is there is not a socket");
    cleanup_fd int fd = rc < 0 ? rc : sys_connect_unix_at(dir_fd, name);
    if (fd >= 0)
        return fail(err, ERR_BUSY, "another process listens on it");
    rc = fd == -ECONNREFUSED ? sys_unlinkat(dir_fd, name, 0) : fd;
    if (rc < 0 && rc != -ENOENT)
        return fail_sys(err, rc, "cannot replace what is there");
    return 0;
}
