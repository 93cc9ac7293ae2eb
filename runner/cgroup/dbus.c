/* SPDX-License-Identifier: Apache-2.0 */
/* The connection: who we are, messages out, messages in. */
#include "runner/cgroup/dbus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"

#define HEAD_SIZE       16
#define AUTH_TIMEOUT_MS 5000

static int authenticate(struct dbus *bus, struct error *err);
static int read_line(int fd, char *line, size_t size);
static int read_whole(int fd, unsigned char *data, size_t size, int64_t deadline_ms);
static void put_field(struct dbus_body *head, uint8_t code, const char *signature,
                      const char *text);

int dbus_open(struct dbus *bus, const char *path, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    *bus = (struct dbus){ .fd = -1 };
    if (strlen(path) >= sizeof(address.sun_path))
        return fail(err, ERR_INVALID, "the path of socket '%s' is too long", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    bus->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = bus->fd < 0 ? -errno : 0;
    if (rc == 0 && connect(bus->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        rc = -errno;
    if (rc < 0) {
        dbus_close(bus);
        return fail_sys(err, rc, "cannot connect to '%s'", path);
    }
    rc = authenticate(bus, err);
    if (rc < 0)
        dbus_close(bus);
    return rc;
}

void dbus_close(struct dbus *bus)
{
    sys_close_fd(&bus->fd);
}

int dbus_send(struct dbus *bus, const struct dbus_call *call, uint32_t *serial, struct error *err)
{
    struct dbus_body head = { 0 };

    if (call->body != NULL && call->body->is_full)
        return fail(err, ERR_INVALID, "too much for one D-Bus message");
    *serial = ++bus->serial;
    dbus_put_u8(&head, 'l');
    dbus_put_u8(&head, DBUS_CALL);
    dbus_put_u8(&head, 0); /* flags */
    dbus_put_u8(&head, 1); /* version */
    dbus_put_u32(&head, call->body != NULL ? (uint32_t)call->body->size : 0);
    dbus_put_u32(&head, *serial);
    size_t fields = dbus_array_begin(&head, 8);
    put_field(&head, 1, "o", call->path);
    put_field(&head, 2, "s", call->interface);
    put_field(&head, 3, "s", call->member);
    put_field(&head, 6, "s", "org.freedesktop.systemd1");
    if (*call->signature != '\0') {
        dbus_align(&head, 8);
        dbus_put_u8(&head, 8);
        dbus_put_signature(&head, "g");
        dbus_put_signature(&head, call->signature);
    }
    dbus_array_end(&head, fields, 8);
    dbus_align(&head, 8);
    int rc = sys_write_all(bus->fd, head.data, head.size);
    if (rc >= 0 && call->body != NULL)
        rc = sys_write_all(bus->fd, call->body->data, call->body->size);
    return rc < 0 ? fail_sys(err, rc, "cannot send '%s'", call->member) : 0;
}

int dbus_receive(struct dbus *bus, int64_t deadline_ms, struct dbus_message *message,
                 struct error *err)
{
    int rc = read_whole(bus->fd, bus->received, HEAD_SIZE, deadline_ms);
    size_t size = rc < 0 ? 0 : dbus_message_size(bus->received);

    if (rc == 0 && size < HEAD_SIZE)
        return fail(err, ERR_INVALID, "a D-Bus message is not to be understood");
    if (rc == 0)
        rc = read_whole(bus->fd, bus->received + HEAD_SIZE, size - HEAD_SIZE, deadline_ms);
    if (rc == -ETIMEDOUT)
        return fail(err, ERR_TIMEOUT, "no answer over D-Bus");
    if (rc < 0)
        return fail_sys(err, rc, "cannot hear an answer over D-Bus");
    return dbus_message_read(bus->received, size, message, err);
}

/* EXTERNAL: the kernel tells the other side who we are; we say the same, in hexadecimal digits. */
static int authenticate(struct dbus *bus, struct error *err)
{
    char uid[16];
    char text[80] = "";
    char line[256];

    (void)snprintf(uid, sizeof(uid), "%u", (unsigned int)geteuid()); /* fits */
    for (size_t i = 0; uid[i] != '\0'; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", (unsigned int)uid[i] & 0xff);
    char request[128];
    int length = snprintf(request, sizeof(request), "%cAUTH EXTERNAL %s\r\n", '\0', text);
    int rc = sys_write_all(bus->fd, request, (size_t)length);
    if (rc >= 0)
        rc = read_line(bus->fd, line, sizeof(line));
    if (rc >= 0 && strncmp(line, "OK ", 3) != 0)
        return fail(err, ERR_DENIED, "refused over D-Bus: %.64s", line);
    if (rc >= 0)
        rc = sys_write_all(bus->fd, "BEGIN\r\n", 7);
    return rc < 0 ? fail_sys(err, rc, "cannot log in over D-Bus") : 0;
}

/* Byte by byte: what follows it is not ours to take yet. */
static int read_line(int fd, char *line, size_t size)
{
    int64_t deadline_ms = clock_mono_ms() + AUTH_TIMEOUT_MS;
    size_t used = 0;

    while (used + 1 < size) {
        int rc = read_whole(fd, (unsigned char *)line + used, 1, deadline_ms);
        if (rc < 0)
            return rc;
        if (line[used] == '\n')
            break;
        used++;
    }
    line[used] = '\0';
    return 0;
}

static int read_whole(int fd, unsigned char *data, size_t size, int64_t deadline_ms)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };

    for (size_t used = 0; used < size;) {
        int64_t left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0)
            return -ETIMEDOUT;
        if (poll(&ready, 1, (int)left_ms) <= 0)
            continue;
        ssize_t got = sys_read(fd, data + used, size - used);
        if (got <= 0)
            return got == 0 ? -ECONNRESET : (int)got;
        used += (size_t)got;
    }
    return 0;
}

static void put_field(struct dbus_body *head, uint8_t code, const char *signature, const char *text)
{
    dbus_align(head, 8);
    dbus_put_u8(head, code);
    dbus_put_signature(head, signature);
    dbus_put_text(head, text);
}
