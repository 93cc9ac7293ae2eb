/* SPDX-License-Identifier: Apache-2.0 */
/* Input that is held back, and its end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sys.h"
#include "lib/test.h"
#include "runner/supervise/stdio_ends.h"

static struct stdio stdio;
static struct error err;
static int theirs[3];
static int client;
static int server;

static void begin(bool has_input)
{
    int sockets[2];

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK_OK(stdio_make_pipes(&stdio, has_input, theirs, &err), &err);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    client = sockets[0];
    server = sockets[1];
}

TEST(input_passes_and_its_end_after_it)
{
    char text[16] = "";

    begin(true);
    CHECK_INT(sys_write_all(client, "hello", 5), 0);
    CHECK_INT(stdio_receive(&stdio, server), 5);
    stdio_end_input(&stdio);
    CHECK(stdio_input_is_over(&stdio));
    stdio_close_input(&stdio);
    CHECK_INT(sys_read_all(theirs[0], text, sizeof(text)), 5);
    CHECK_STR(text, "hello");
}

TEST(input_that_nobody_takes_is_held_and_stops_the_client)
{
    static char data[STDIO_INPUT_MAX];
    size_t sent = 0;
    size_t found = 0;

    begin(true);
    while (stdio_wants_input(&stdio)) {
        CHECK_INT(sys_write_all(client, data, sizeof(data)), 0);
        CHECK_INT(stdio_receive(&stdio, server), (int)sizeof(data));
        sent += sizeof(data);
    }
    stdio_end_input(&stdio);
    CHECK(!stdio_input_is_over(&stdio)); /* what was taken from a client is not thrown away */
    CHECK_INT(fcntl(theirs[0], F_SETFL, O_NONBLOCK), 0);
    for (ssize_t got = 0; (got = sys_read(theirs[0], data, sizeof(data))) != 0;) {
        found += got > 0 ? (size_t)got : 0;
        stdio_flush_input(&stdio);
        if (stdio_input_is_over(&stdio))
            stdio_close_input(&stdio);
    }
    CHECK_INT((int)found, (int)(sent));
}

TEST(a_process_that_closed_its_input_ends_it)
{
    begin(true);
    (void)close(theirs[0]);
    CHECK_INT(sys_write_all(client, "x", 1), 0);
    CHECK_INT(stdio_receive(&stdio, server), 1);
    CHECK(stdio_input_is_over(&stdio));
    CHECK(stdio_wants_input(&stdio));
}

TEST(without_input_the_process_has_dev_null_and_clients_are_heard_out)
{
    char byte = 0;

    begin(false);
    CHECK_INT(sys_read(theirs[0], &byte, 1), 0);
    CHECK_INT(sys_write_all(client, "x", 1), 0);
    CHECK_INT(stdio_receive(&stdio, server), 1);
    CHECK_INT(stdio_receive(&stdio, server), -EAGAIN);
    CHECK(stdio_wants_input(&stdio));
    (void)close(client);
    CHECK_INT(stdio_receive(&stdio, server), 0);
}

TEST(output_ends_when_the_process_has_closed_it)
{
    char text[16];

    begin(false);
    CHECK_INT(stdio_read(&stdio, 0, text, sizeof(text)), -EAGAIN);
    CHECK_INT(sys_write_all(theirs[1], "out", 3), 0);
    CHECK_INT(stdio_read(&stdio, 0, text, sizeof(text)), 3);
    (void)close(theirs[1]);
    CHECK_INT(stdio_read(&stdio, 0, text, sizeof(text)), 0);
    CHECK_FAILS(stdio_resize(&stdio, 1, 1, &err), &err, ERR_CONFLICT);
}
