/* SPDX-License-Identifier: Apache-2.0 */
/* A hijacked connection whose peer comes later, and the number by which it is found then. */
#ifndef HTTP_TICKET_H
#define HTTP_TICKET_H

#include "http/connection.h"

struct ticket;

/* The head has been sent: waits for the peer, or begins with it if it was quicker. */
void ticket_wait(struct connection *connection);

/* Begins with every peer that has come.  The loop's. */
void tickets_settle(struct http_server *server);

/* NULL is fine. */
void ticket_free(struct ticket *ticket);

#endif
