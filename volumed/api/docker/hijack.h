/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that become a container's or an exec's streams.  The client is answered first and
 * connected afterwards: clients that buffer what comes with the head would lose output that is
 * faster than they are.
 */
#ifndef API_DOCKER_HIJACK_H
#define API_DOCKER_HIJACK_H

#include "api/call.h"

struct hijack {
    struct http_server *server;
    int64_t token;
    bool is_raw; /* a terminal's: bytes, not frames */
};

/* Answers the client.  What goes wrong from now on can only be told in the stream. */
int hijack_begin(struct call *call, bool is_raw, struct hijack *hijack, struct error *err);

/* Connects to 'fd', taken over; -1 hangs up.  Once a hijack, from any thread. */
void hijack_connect(const struct hijack *hijack, int fd);

/* Connects to a text that stands for the output, as dockerd tells errors this late. */
void hijack_tell(const struct hijack *hijack, const char *text);

#endif
