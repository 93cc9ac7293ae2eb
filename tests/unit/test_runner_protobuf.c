/* SPDX-License-Identifier: Apache-2.0 */
/* The encoding of criu's messages: bytes that its specification names, and what is cut or wrong. */
#include <errno.h>
#include <string.h>

#include "lib/test.h"
#include "runner/checkpoint/protobuf.h"

TEST(numbers_and_texts_are_encoded_as_the_specification_says)
{
    static const unsigned char wanted[] = { 0x08, 0x96, 0x01, 0x12, 0x07, 't',  'e',  's', 't',
                                            'i',  'n',  'g',  0x9a, 0x02, 0x02, 0x08, 0x00 };
    cleanup_buf struct buf message = { 0 };
    cleanup_buf struct buf inner = { 0 };

    protobuf_number(&message, 1, 150);
    protobuf_text(&message, 2, "testing");
    protobuf_number(&inner, 1, 0);
    protobuf_message(&message, 35, &inner);
    CHECK_INT((int)message.size, (int)sizeof(wanted));
    CHECK_INT(memcmp(message.data, wanted, sizeof(wanted)), 0);
}

TEST(what_was_encoded_is_read)
{
    cleanup_buf struct buf message = { 0 };

    protobuf_number(&message, 1, -1);
    protobuf_text(&message, 4095, "");
    struct protobuf field = { .at = message.data, .end = message.data + message.size };
    CHECK_INT(protobuf_next(&field), 1);
    CHECK_INT(field.field, 1);
    CHECK_INT((int64_t)field.number, -1);
    CHECK_INT(protobuf_next(&field), 1);
    CHECK_INT(field.field, 4095);
    CHECK(field.bytes != NULL && field.size == 0);
    CHECK_INT(protobuf_next(&field), 0);
}

TEST(what_is_cut_or_wrong_is_refused)
{
    static const struct {
        const char *bytes;
        size_t size;
    } wrong[] = {
        { "\x08", 1 },                                              /* no number */
        { "\x08\x80", 2 },                                          /* an endless one */
        { "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 }, /* too long a one */
        { "\x12\x05"
          "abcd",
          6 },             /* bytes beyond the end */
        { "\x00\x01", 2 }, /* field 0 */
        { "\x0b", 1 },     /* a group */
        { "\x0d\x01", 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct protobuf field = { .at = wrong[i].bytes, .end = wrong[i].bytes + wrong[i].size };
        CHECK_INT(protobuf_next(&field), -EBADMSG);
    }
}
