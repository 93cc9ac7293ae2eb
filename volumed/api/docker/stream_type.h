/* SPDX-License-Identifier: Apache-2.0 */
/* The media types of Docker's byte streams. */
#ifndef API_DOCKER_STREAM_TYPE_H
#define API_DOCKER_STREAM_TYPE_H

#include "api/call.h"

/* Framed streams have a name of their own from API 1.42 on; a terminal's are raw. */
static inline const char *stream_type(const struct call *call, bool is_raw)
{
    if (is_raw || call->api_minor < 42)
        return "application/vnd.docker.raw-stream";
    return "application/vnd.docker.multiplexed-stream";
}

#endif
