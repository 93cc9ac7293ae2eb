/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 as RFC 4648 has it, for headers that carry JSON. */
#ifndef DOCKER_BASE64_H
#define DOCKER_BASE64_H

#include "base/arena.h"

char *base64_encode(struct arena *mem, const char *text);

#endif
