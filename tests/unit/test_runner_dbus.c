/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to systemd and from it; names of scopes. */
#include <string.h>

#include "lib/test.h"
#include "runner/cgroup/cgroup_systemd.h"
#include "runner/cgroup/dbus.h"

/* What systemd 252 said when a job was over. */
static const unsigned char job_removed[] =
    "l\4\1\1\x25\0\0\0\x05\0\0\0\x22\0\0\0"
    "\3\1s\0\x0a\0\0\0JobRemoved\0\0\0\0\0\0"
    "\x08\1g\0\4uoss\0\0\0\0\0\0\0"
    "\7\0\0\0\6\0\0\0/job/7\0\0\x07\0\0\0x.scope\0\4\0\0\0done";
#define FIELDS_SIZE  40
#define BODY_SIZE    37
#define MESSAGE_SIZE ((size_t)16 + FIELDS_SIZE + BODY_SIZE)

TEST(values_are_aligned_and_arrays_know_their_size)
{
    struct dbus_body body = { 0 };
    static const unsigned char expected[] = "\1\0\0\0\x02\0\0\0\1\0\0\0a\0\0\0"
                                            "\x10\0\0\0\0\0\0\0"
                                            "\xff\xff\xff\xff\xff\xff\xff\xff\7\0\0\0\0\0\0\0";

    dbus_put_u8(&body, 1);
    dbus_put_u32(&body, 2);
    dbus_put_text(&body, "a");
    size_t begin = dbus_array_begin(&body, 8);
    dbus_put_u64(&body, UINT64_MAX);
    dbus_put_u64(&body, 7);
    dbus_array_end(&body, begin, 8);
    CHECK(body.size == sizeof(expected) - 1);
    CHECK(memcmp(body.data, expected, body.size) == 0);
    CHECK(!body.is_full);
}

TEST(an_empty_array_is_empty_also_where_its_items_would_be_aligned)
{
    struct dbus_body body = { 0 };

    size_t begin = dbus_array_begin(&body, 8);
    dbus_array_end(&body, begin, 8);
    CHECK(body.size == 8);
    CHECK_INT(body.data[0], 0);
}

TEST(what_does_not_fit_is_not_sent)
{
    static struct dbus_body body;
    static struct dbus bus = { .fd = -1 };
    const struct dbus_call call = { "/", "i", "m", "s", &body };
    struct error err = { 0 };
    uint32_t serial;

    for (int i = 0; i < DBUS_BODY_MAX; i++)
        dbus_put_text(&body, "x");
    CHECK(body.is_full);
    CHECK_INT(dbus_send(&bus, &call, &serial, &err), -1);
    CHECK_INT(err.code, ERR_INVALID);
}

TEST(a_signal_is_read)
{
    struct dbus_message message;
    struct error err = { 0 };
    const char *text;
    uint32_t job;
    size_t size = MESSAGE_SIZE;

    CHECK(dbus_message_size(job_removed) == size);
    CHECK_OK(dbus_message_read(job_removed, size, &message, &err), &err);
    CHECK_INT(message.type, DBUS_SIGNAL);
    CHECK_STR(message.member, "JobRemoved");
    CHECK_STR(message.signature, "uoss");
    CHECK_INT(dbus_get_u32(&message, &job), 0);
    CHECK_INT(job, 7);
    CHECK_INT(dbus_get_text(&message, &text), 0);
    CHECK_STR(text, "/job/7");
    CHECK_INT(dbus_get_text(&message, &text), 0);
    CHECK_STR(text, "x.scope");
    CHECK_INT(dbus_get_text(&message, &text), 0);
    CHECK_STR(text, "done");
    CHECK(dbus_get_text(&message, &text) < 0);
}

TEST(a_message_that_lies_about_a_length_is_refused)
{
    unsigned char data[sizeof(job_removed)];
    struct dbus_message message;
    struct error err = { 0 };
    size_t size = MESSAGE_SIZE;

    for (size_t at = 16; at < 16 + FIELDS_SIZE; at++) { /* each byte of the fields in turn */
        memcpy(data, job_removed, sizeof(data));
        data[at] = 0xff;
        if (dbus_message_read(data, size, &message, &err) == 0)
            CHECK(message.body_size == BODY_SIZE);
    }
    memcpy(data, job_removed, sizeof(data));
    data[4] = 0xff; /* the body's */
    CHECK_INT(dbus_message_read(data, size, &message, &err), -1);
    data[0] = 'B';
    CHECK(dbus_message_size(data) == 0);
}

TEST(a_scope_has_the_name_and_slice_that_the_path_asks_for)
{
    cleanup_arena struct arena *mem = arena_new();
    struct error err = { 0 };
    struct scope scope;

    CHECK_OK(scope_plan(mem, "a-b.slice:pre:name", "id", &scope, &err), &err);
    CHECK_STR(scope.unit, "pre-name.scope");
    CHECK_STR(scope.slice, "a-b.slice");
    CHECK_OK(scope_plan(mem, NULL, "id", &scope, &err), &err);
    CHECK_STR(scope.unit, "runner-id.scope");
    CHECK_OK(scope_plan(mem, "::name", "id", &scope, &err), &err);
    CHECK_STR(scope.unit, "name.scope");
    CHECK_INT(scope_plan(mem, "/a/b", "id", &scope, &err), -1);
    CHECK_INT(scope_plan(mem, "a:b", "id", &scope, &err), -1);
    CHECK_INT(scope_plan(mem, "a:b:c:d", "id", &scope, &err), -1);
    CHECK_INT(scope_plan(mem, "a:b:../c", "id", &scope, &err), -1);
    CHECK_INT(scope_plan(mem, "a:b:", "id", &scope, &err), -1);
}
