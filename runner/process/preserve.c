/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for each descriptor's flags: one that closes on execution was not passed to us but is ours.
 */
#include "runner/process/preserve.h"

#include <fcntl.h>

#define FIRST 3
#define MAX   4096

int preserve_check(int count, struct error *err)
{
    if (count < 0 || count > MAX)
        return fail(err, ERR_INVALID, "cannot preserve %d descriptors", count);
    for (int fd = FIRST; fd < FIRST + count; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags < 0 || (flags & FD_CLOEXEC) != 0)
            return fail(err, ERR_INVALID, "descriptor %d is to be preserved and is not open", fd);
    }
    return 0;
}
