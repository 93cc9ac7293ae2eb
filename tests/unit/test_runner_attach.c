/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, the ring, and clients that do not read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "lib/test.h"
#include "runner/supervise/attach.h"

static struct attach attach;
static int ours;
static int theirs;

static void begin(unsigned int streams, bool is_framed)
{
    struct error err = { 0 };
    int sockets[2];

    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    ours = sockets[0];
    theirs = sockets[1];
    CHECK_OK(attach_begin(&attach, streams, is_framed, &err), &err);
}

/* Takes at most 'max' bytes of what is there. */
static void receive(struct buf *got, size_t max)
{
    char *room = buf_reserve(got, max);
    ssize_t size = recv(theirs, room, max, MSG_DONTWAIT);

    if (size > 0)
        got->size += (size_t)size;
}

static int put(int stream, const char *text)
{
    return attach_put(&attach, ours, stream, text, strlen(text));
}

TEST(output_is_framed_by_stream)
{
    static const char wanted[] = "\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\3err";
    cleanup_buf struct buf got = { 0 };

    begin(ATTACH_STDOUT | ATTACH_STDERR, true);
    CHECK_INT(put(0, "out"), 0);
    CHECK_INT(put(1, "err"), 0);
    receive(&got, 100);
    CHECK_INT((int)got.size, (int)(sizeof(wanted) - 1));
    CHECK(memcmp(got.data, wanted, got.size) == 0);
}

TEST(streams_that_were_not_asked_for_are_not_sent)
{
    cleanup_buf struct buf got = { 0 };

    begin(ATTACH_STDIN | ATTACH_STDERR, false);
    CHECK_INT(put(0, "out"), 0);
    CHECK_INT(put(1, "err"), 0);
    receive(&got, 100);
    CHECK_INT((int)got.size, 3);
}

TEST(what_a_client_does_not_take_is_kept_and_sent_in_order)
{
    enum {
        COUNT = 300,
        SIZE = 10000
    };

    static char data[SIZE];
    cleanup_buf struct buf got = { 0 };
    unsigned int seed = 7;
    int sent = 0;

    begin(ATTACH_STDOUT, false);
    while (got.size < (size_t)COUNT * SIZE) {
        if (sent < COUNT && attach_has_room(&attach)) {
            memset(data, sent++ & 0xff, sizeof(data));
            CHECK_INT(attach_put(&attach, ours, 0, data, sizeof(data)), 0);
        } else {
            CHECK(attach_flush(&attach, ours) >= 0);
        }
        if (rand_r(&seed) % 4 == 0 || sent == COUNT)
            receive(&got, (size_t)rand_r(&seed) % 50000 + 1);
    }
    CHECK(!attach_has_held(&attach));
    for (size_t i = 0; i < got.size; i++)
        CHECK(got.data[i] == (char)(i / SIZE & 0xff));
}

TEST(there_is_no_room_beyond_the_limit_but_the_ring_takes_more)
{
    static char data[65536];

    begin(ATTACH_STDOUT, true);
    while (attach_has_room(&attach))
        CHECK_INT(attach_put(&attach, ours, 0, data, sizeof(data)), 0);
    CHECK(attach.size >= ATTACH_HELD_MAX);
    CHECK(attach.size < ATTACH_HELD_MAX + sizeof(data) + 16);
    int rc = 0;
    while (rc == 0)
        rc = attach_put(&attach, ours, 0, data, sizeof(data));
    CHECK_INT(rc, -ENOBUFS);
    CHECK(attach.size > ATTACH_RING_SIZE - sizeof(data) - 16);
}

TEST(a_client_that_is_gone_is_an_error)
{
    begin(ATTACH_STDOUT, true);
    (void)close(theirs);
    CHECK_INT(put(0, "out"), -EPIPE);
}

TEST(held_up_nothing_is_sent_but_kept)
{
    cleanup_buf struct buf got = { 0 };

    begin(ATTACH_STDOUT, false);
    attach.is_held_up = true;
    CHECK_INT(put(0, "later"), 0);
    CHECK(!attach_has_held(&attach));
    receive(&got, 100);
    CHECK_INT((int)got.size, 0);
    attach.is_held_up = false;
    CHECK(attach_has_held(&attach));
    CHECK_INT(attach_flush(&attach, ours), 5);
}

TEST(stream_lists_are_read_or_refused)
{
    unsigned int streams = 0;
    struct error err = { 0 };

    CHECK_OK(attach_parse("stdin,stdout,stderr,logs", &streams, &err), &err);
    CHECK_INT(streams, ATTACH_STDIN | ATTACH_STDOUT | ATTACH_STDERR | ATTACH_LOGS);
    CHECK_OK(attach_parse("stderr", &streams, &err), &err);
    CHECK_INT(streams, ATTACH_STDERR);
    CHECK_FAILS(attach_parse("stdou", &streams, &err), &err, ERR_INVALID);
    CHECK_FAILS(attach_parse("stdout,,stderr", &streams, &err), &err, ERR_INVALID);
}
