/* SPDX-License-Identifier: Apache-2.0 */
/* The other side of container_wait(): what wakes those who wait.  Thread-safe. */
#ifndef CORE_WAIT_H
#define CORE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* The container has ended with 'exit_code'.  Who waits for it to stand still waits on when it is to
 * be started again; who waits for its removal waits for that. */
void wait_wake_exit(const char *id, int64_t exit_code, bool will_restart);

/* The container is gone: everybody is woken. */
void wait_wake_removed(const char *id);

#endif
