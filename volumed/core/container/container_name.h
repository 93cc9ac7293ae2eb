/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that nobody named. */
#ifndef CORE_CONTAINER_NAME_H
#define CORE_CONTAINER_NAME_H

#include "base/arena.h"

/* "brave_hopper": an adjective and a surname of a scientist; from the second attempt on with a
 * digit. */
const char *container_name_invent(struct arena *mem, int attempt);

#endif
