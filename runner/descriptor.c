/* SPDX-License-Identifier: Apache-2.0 */
/* One close_range(2) a gap between those that are kept. */
#include "descriptor.h"

#include <errno.h>
#include <unistd.h>

static int next_kept(int first, const int *kept, size_t count);

int descriptors_close_but(int first, const int *kept, size_t count)
{
    int next;

    do {
        next = next_kept(first, kept, count);
        unsigned int last = next < 0 ? ~0u : (unsigned int)next - 1;
        if (next != first && close_range((unsigned int)first, last, 0) < 0)
            return -errno;
        first = next + 1;
    } while (next >= 0);
    return 0;
}

/* The smallest that is not below 'first', or -1. */
static int next_kept(int first, const int *kept, size_t count)
{
    int next = -1;

    for (size_t i = 0; i < count; i++)
        if (kept[i] >= first && (next < 0 || kept[i] < next))
            next = kept[i];
    return next;
}
