/* SPDX-License-Identifier: Apache-2.0 */
/* The chunked coding and bodies by length, wherever the bytes are cut. */
#include <errno.h>
#include <string.h>

#include "http/body.h"
#include "lib/test.h"

/* Decodes with at most 'step' bytes in and 'room' bytes out at a time.  1, 0 or -EBADMSG. */
static int decode(const char *text, size_t size, size_t step, size_t room, struct buf *out)
{
    struct chunk_reader reader = { 0 };
    int rc = 0;

    while (rc == 0 && size > 0) {
        struct pass pass = {
            .in = text,
            .in_size = size < step ? size : step,
            .out = buf_reserve(out, room),
            .out_room = room,
        };
        rc = chunk_decode(&reader, &pass);
        out->size += room - pass.out_room;
        size -= (size_t)(pass.in - text);
        text = pass.in;
    }
    buf_append(out, "", 0);
    return rc;
}

TEST(chunks_decode_to_the_same_wherever_they_are_cut)
{
    static const char text[] = "5\r\nhello\r\n"
                               "00006;name=\"v\";x\r\n world\r\n"
                               "A\r\n0123456789\r\n"
                               "0\r\nTrailer: dropped\r\nAnother:\r\n\r\n";

    for (size_t step = 1; step < sizeof(text); step++)
        for (size_t room = 1; room < 12; room++) {
            cleanup_buf struct buf out = { 0 };
            CHECK_INT(decode(text, sizeof(text) - 1, step, room, &out), 1);
            CHECK_STR(out.data, "hello world0123456789");
        }
}

TEST(chunks_that_are_not_well_formed_are_refused)
{
    static const char *const bad[] = {
        "\r\n",
        "g\r\n",
        "-1\r\n",
        " 5\r\nhello\r\n",
        "5 \r\nhello\r\n",
        "5\nhello\r\n",
        "5\r\nhello\n",
        "5\r\nhelloX\r\n",
        "5\r\nhello\r\r",
        "5;a\nb\r\nhello\r\n",
        "5;\x01\r\nhello\r\n",
        "0x5\r\nhello\r\n",
        "8000000000000000\r\n",
        "fffffffffffffffffffff\r\n",
        "0\r\n folded\r\n\r\n",
        "0\r\nA: b\n\r\n",
        "0\r\nA: \x02\r\n\r\n",
        "0\r\n\rX",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        cleanup_buf struct buf out = { 0 };
        ck_assert_msg(decode(bad[i], strlen(bad[i]), 3, 64, &out) == -EBADMSG, "'%s'", bad[i]);
    }
}

TEST(chunk_framing_is_bounded)
{
    cleanup_buf struct buf text = { 0 };
    cleanup_buf struct buf out = { 0 };

    for (int i = 0; i < 2 * CHUNK_LINE_MAX; i++)
        buf_text(&text, "0");
    CHECK_INT(decode(text.data, text.size, 64, 64, &out), -EBADMSG);
    buf_clear(&text);
    buf_text(&text, "5;");
    for (int i = 0; i < 2 * CHUNK_LINE_MAX; i++)
        buf_text(&text, "x");
    CHECK_INT(decode(text.data, text.size, 64, 64, &out), -EBADMSG);
    buf_clear(&text);
    buf_text(&text, "0\r\n");
    for (size_t i = 0; i < CHUNK_TRAILERS_MAX; i++)
        buf_text(&text, "A: b\r\n");
    CHECK_INT(decode(text.data, text.size, 64, 64, &out), -EBADMSG);
}

TEST(chunk_decoding_leaves_what_follows_the_body)
{
    static const char text[] = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1";
    struct chunk_reader reader = { 0 };
    char out[8];
    struct pass pass = {
        .in = text, .in_size = sizeof(text) - 1, .out = out, .out_room = sizeof(out)
    };

    CHECK_INT(chunk_decode(&reader, &pass), 1);
    CHECK_STR(pass.in, "GET / HTTP/1.1");
    CHECK_INT((int)(sizeof(out) - pass.out_room), 1);
}

TEST(chunks_written_are_chunks_read)
{
    cleanup_buf struct buf text = { 0 };
    cleanup_buf struct buf out = { 0 };

    chunk_append(&text, "hello ", 6);
    chunk_append(&text, "", 0);
    chunk_append(&text, "world", 5);
    buf_text(&text, CHUNK_LAST);
    CHECK_INT(decode(text.data, text.size, 7, 3, &out), 1);
    CHECK_STR(out.data, "hello world");
}

TEST(bodies_by_length_end_where_they_should)
{
    struct body_reader body;
    char out[16];
    struct pass pass = { .in = "hello world", .in_size = 11, .out = out, .out_room = 3 };

    body_init(&body, BODY_SIZED, 5);
    CHECK_INT(body_decode(&body, &pass), 0);
    CHECK(!body.is_done);
    pass.out_room = sizeof(out) - 3;
    CHECK_INT(body_decode(&body, &pass), 0);
    CHECK(body.is_done);
    CHECK_STR(pass.in, " world");
    body_init(&body, BODY_SIZED, 0);
    CHECK(body.is_done);
    body_init(&body, BODY_NONE, 0);
    CHECK(body.is_done);
}
