/* SPDX-License-Identifier: Apache-2.0 */
/* A library of a container that tells when somebody has loaded it. */
#include <unistd.h>

static void tell(void) __attribute__((constructor));

static void tell(void)
{
    static const char text[] = "loaded\n";

    if (write(1, text, sizeof(text) - 1) < 0)
        _exit(1);
}
