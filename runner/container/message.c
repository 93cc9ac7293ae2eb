/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over sockets and pipes. */
#include "runner/container/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sys.h"
#include "runner/process/console.h"

#define HEAD_SIZE offsetof(struct message, text)

int message_send(int socket_fd, enum message_kind kind, int value, int fd)
{
    struct message message = { .kind = kind, .value = value };

    if (fd >= 0)
        return console_pass(socket_fd, &message, HEAD_SIZE, fd);
    return send(socket_fd, &message, HEAD_SIZE, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int message_send_error(int fd, const struct error *err)
{
    struct message message = { .kind = MESSAGE_ERROR, .code = (uint32_t)err->code };

    memcpy(message.text, err->message, sizeof(message.text));
    return sys_write_all(fd, &message, sizeof(message));
}

int message_receive(int socket_fd, struct message *message, int *fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec piece = { .iov_base = message, .iov_len = sizeof(*message) };
    struct msghdr header = { .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control) };
    ssize_t size;

    *fd = -1;
    do
        size = recvmsg(socket_fd, &header, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size <= 0)
        return size < 0 && errno != ECONNRESET ? -errno : 0;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&header); item != NULL;
         item = CMSG_NXTHDR(&header, item))
        if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS)
            memcpy(fd, CMSG_DATA(item), sizeof(*fd));
    if ((size_t)size < HEAD_SIZE)
        return -EBADMSG;
    if ((size_t)size < sizeof(*message))
        memset((char *)message + size, 0, sizeof(*message) - (size_t)size);
    return 1;
}

int message_await_end(int fd, struct error *err)
{
    struct message message = { 0 };
    ssize_t size = sys_read(fd, &message, sizeof(message));

    if (size == 0 || size == -ECONNRESET)
        return 0;
    if (size < 0)
        return fail_sys(err, (int)size, "cannot hear whether the program was executed");
    if (message.kind != MESSAGE_ERROR)
        return fail(err, ERR_SYSTEM, "unexpected message %u from the container's process",
                    message.kind);
    return message_to_error(&message, err);
}

int message_to_error(const struct message *message, struct error *err)
{
    enum error_code code = message->code >= ERR_INVALID && message->code <= ERR_SYSTEM
                               ? (enum error_code)message->code
                               : ERR_SYSTEM;

    return fail(err, code, "%.*s", (int)sizeof(message->text) - 1, message->text);
}

int message_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
}
