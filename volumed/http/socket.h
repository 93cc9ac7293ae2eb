/* SPDX-License-Identifier: Apache-2.0 */
/* Socket calls as the server wants them: -errno, EINTR retried, close-on-exec, never SIGPIPE. */
#ifndef HTTP_SOCKET_H
#define HTTP_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The next connection, non-blocking. */
int socket_accept(int listen_fd);

/* What one can be had at once: both never block. */
ssize_t socket_receive(int fd, void *data, size_t size);
ssize_t socket_send(int fd, const struct iovec *pieces, int count);

/* As above for whatever else a descriptor may be: pipe, terminal. */
ssize_t socket_read(int fd, void *data, size_t size);
ssize_t socket_write(int fd, const void *data, size_t size);

int socket_set_nonblocking(int fd);
bool socket_is_unix(int fd);

/* Waits for poll(2) events; 0 when the time is up. */
int socket_wait(int fd, short events, int64_t timeout_ms);

struct peer {
    uid_t uid; /* (uid_t)-1 where there is none */
    pid_t pid;
};

/* Who connected, by SO_PEERCRED. */
struct peer socket_peer(int fd);

#endif
