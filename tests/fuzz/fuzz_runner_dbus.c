/* SPDX-License-Identifier: Apache-2.0 */
/* A D-Bus message from whoever answers: texts end inside it, and so does reading. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "runner/cgroup/dbus.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    struct dbus_message message;
    struct error err = { 0 };
    const char *text = "";
    uint32_t number = 0;

    if (size < 16 || dbus_message_size(data) != size ||
        dbus_message_read(data, size, &message, &err) < 0)
        return 0;
    assert(message.body + message.body_size == data + size);
    assert(strlen(message.member) + strlen(message.error_name) + strlen(message.signature) < size);
    while (dbus_get_u32(&message, &number) == 0 && dbus_get_text(&message, &text) == 0)
        assert(strlen(text) < size);
    return 0;
}
