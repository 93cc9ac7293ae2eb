/* SPDX-License-Identifier: Apache-2.0 */
/* Attach without stream: what a container has written so far, and then the end. */
#ifndef API_DOCKER_LOG_DUMP_H
#define API_DOCKER_LOG_DUMP_H

#include "api/call.h"

int docker_log_dump(struct call *call, struct error *err);

#endif
