/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between a container's maker and its process, and closing descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sys.h"
#include "lib/test.h"
#include "runner/container/message.h"
#include "runner/process/descriptor.h"
#include "runner/process/preserve.h"

TEST(an_error_arrives_with_its_code_and_text)
{
    int fds[2];
    int fd;
    struct message message;
    struct error sent = { 0 };
    struct error received = { 0 };

    CHECK_INT(message_pair(fds), 0);
    (void)fail(&sent, ERR_NOT_FOUND, "exec: \"x\": executable file not found in $PATH");
    CHECK_INT(message_send_error(fds[0], &sent), 0);
    CHECK_INT(message_receive(fds[1], &message, &fd), 1);
    CHECK_INT(message.kind, MESSAGE_ERROR);
    CHECK_INT(message_to_error(&message, &received), -1);
    CHECK_INT(received.code, ERR_NOT_FOUND);
    CHECK_STR(received.message, sent.message);
}

TEST(a_descriptor_travels_with_a_message_and_the_end_is_heard)
{
    int fds[2];
    int pipes[2];
    int fd;
    struct message message;
    struct error err = { 0 };

    CHECK_INT(message_pair(fds), 0);
    CHECK_INT(pipe(pipes), 0);
    CHECK_INT(message_send(fds[0], MESSAGE_CONSOLE, 7, pipes[1]), 0);
    CHECK_INT(message_receive(fds[1], &message, &fd), 1);
    CHECK_INT(message.value, 7);
    CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_INT(write(fd, "x", 1), 1);
    (void)close(fds[0]);
    CHECK_INT(message_receive(fds[1], &message, &fd), 0);
    CHECK_OK(message_await_end(fds[1], &err), &err);
}

TEST(a_short_or_foreign_message_is_not_believed)
{
    int fds[2];
    int fd;
    struct message message = { .kind = MESSAGE_ERROR, .code = 12345 };
    struct error err = { 0 };

    CHECK_INT(message_pair(fds), 0);
    CHECK_INT(send(fds[0], "x", 1, 0), 1);
    CHECK_INT(message_receive(fds[1], &message, &fd), -EBADMSG);
    memset(message.text, 'x', sizeof(message.text));
    message.code = 12345;
    CHECK_FAILS(message_to_error(&message, &err), &err, ERR_SYSTEM);
    CHECK(strlen(err.message) == ERROR_MESSAGE_MAX - 1);
}

TEST(descriptors_are_closed_but_those_that_are_kept)
{
    const int kept[] = { 205, -1, 201 };

    for (int fd = 200; fd < 210; fd++)
        CHECK_INT(dup2(0, fd), fd);
    CHECK_INT(descriptors_close_but(200, kept, ARRAY_SIZE(kept)), 0);
    for (int fd = 200; fd < 210; fd++)
        CHECK_INT(fcntl(fd, F_GETFD) >= 0, fd == 201 || fd == 205);
    CHECK(fcntl(0, F_GETFD) >= 0);
}

TEST(descriptors_to_preserve_must_be_there_and_not_be_ours)
{
    struct error err = { 0 };

    (void)close_range(3, ~0u, 0);
    CHECK_OK(preserve_check(0, &err), &err);
    CHECK_FAILS(preserve_check(1, &err), &err, ERR_INVALID);
    CHECK_INT(dup2(0, 3), 3);
    CHECK_OK(preserve_check(1, &err), &err);
    CHECK_INT(fcntl(3, F_SETFD, FD_CLOEXEC), 0);
    CHECK_FAILS(preserve_check(1, &err), &err, ERR_INVALID);
    CHECK_FAILS(preserve_check(-1, &err), &err, ERR_INVALID);
}
