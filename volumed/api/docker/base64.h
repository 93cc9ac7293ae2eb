/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 as RFC 4648 has it, for headers that carry JSON. */
#ifndef API_DOCKER_BASE64_H
#define API_DOCKER_BASE64_H

#include "base/arena.h"

char *base64_encode(struct arena *mem, const char *text);

#endif
