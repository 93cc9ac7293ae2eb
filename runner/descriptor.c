/* SPDX-License-Identifier: Apache-2.0 */
/* One close_range(2) a gap between those that are kept. */
#include "descriptor.h"

#include <errno.h>
#include <unistd.h>

int descriptors_close_but(int first, const int *kept, size_t count)
{
    for (;;) {
        int next = -1;
        for (size_t i = 0; i < count; i++)
            if (kept[i] >= first && (next < 0 || kept[i] < next))
                next = kept[i];
        unsigned int last = next < 0 ? ~0u : (unsigned int)next - 1;
        if ((next < 0 || next > first) && close_range((unsigned int)first, last, 0) < 0)
            return -errno;
        if (next < 0)
            return 0;
        first = next + 1;
    }
}
