/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of the D-Bus protocol as it takes to ask systemd for something over its private socket: a
 * client that sends method calls and reads replies and signals.  Little endian only.  Nothing here
 * knows what is asked for.
 */
#ifndef RUNNER_DBUS_H
#define RUNNER_DBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DBUS_BODY_MAX    8192
#define DBUS_MESSAGE_MAX ((size_t)64 * 1024)

/* A body, or a part of one, in the making.  Zero is empty. */
struct dbus_body {
    unsigned char data[DBUS_BODY_MAX];
    size_t size;
    bool is_full; /* something did not fit: it will not be sent */
};

void dbus_put_u8(struct dbus_body *body, uint8_t value);
void dbus_put_u32(struct dbus_body *body, uint32_t value);
void dbus_put_u64(struct dbus_body *body, uint64_t value);
void dbus_put_text(struct dbus_body *body, const char *text); /* also an object's path */
void dbus_put_signature(struct dbus_body *body, const char *signature);
void dbus_align(struct dbus_body *body, size_t alignment); /* 8 before a struct */

/* An array whose items are aligned to 'alignment'; returns what dbus_array_end wants. */
size_t dbus_array_begin(struct dbus_body *body, size_t alignment);
void dbus_array_end(struct dbus_body *body, size_t begin, size_t alignment);

struct dbus_call {
    const char *path;
    const char *interface;
    const char *member;
    const char *signature; /* of the body; "" for none */
    const struct dbus_body *body;
};

enum dbus_type {
    DBUS_CALL = 1,
    DBUS_REPLY = 2,
    DBUS_ERROR = 3,
    DBUS_SIGNAL = 4,
};

/* A message that has come.  Texts point into it; absent ones are "". */
struct dbus_message {
    enum dbus_type type;
    uint32_t reply_to;
    const char *member;
    const char *error_name;
    const char *signature;
    const unsigned char *body;
    size_t body_size;
    size_t at; /* how far the body has been read */
};

/* Reads a whole message of 'size' bytes.  Errors: INVALID. */
int dbus_message_read(const unsigned char *data, size_t size, struct dbus_message *message,
                      struct error *err);

/* How large the message that begins so is, from its first 16 bytes; 0 when it is none of ours. */
size_t dbus_message_size(const unsigned char head[16]);

/* The next value of a body, which must be of that type.  Return 0, or -EBADMSG. */
int dbus_get_u32(struct dbus_message *message, uint32_t *value);
int dbus_get_text(struct dbus_message *message, const char **text);

struct dbus {
    int fd;
    uint32_t serial;
    unsigned char received[DBUS_MESSAGE_MAX]; /* the last message */
};

/* Connects to 'path' as the calling user.  Errors: NOT_FOUND (nobody listens), DENIED. */
int dbus_open(struct dbus *bus, const char *path, struct error *err);
void dbus_close(struct dbus *bus);

/* Sends a call; *serial is what its reply will name. */
int dbus_send(struct dbus *bus, const struct dbus_call *call, uint32_t *serial, struct error *err);

/* Waits for the next message, at most until 'deadline_ms' (monotonic).  Errors: TIMEOUT. */
int dbus_receive(struct dbus *bus, int64_t deadline_ms, struct dbus_message *message,
                 struct error *err);

#endif
