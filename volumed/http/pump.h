/* SPDX-License-Identifier: Apache-2.0 */
/* A hijacked connection: bytes to and from a peer, whatever they are, until either side ends. */
#ifndef HTTP_PUMP_H
#define HTTP_PUMP_H

#include "http/connection.h"

struct pump;

/* Takes peer_fd over; -1 ends the connection.  What has been received goes first. */
void pump_begin(struct connection *connection, int peer_fd);

/* Closes the peer.  NULL is fine. */
void pump_free(struct pump *pump);

#endif
