/* SPDX-License-Identifier: Apache-2.0 */
/* One close_range(2) a gap between those that are kept, or a run of those that are not. */
#include "runner/process/descriptor.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define LATE_MAX 128

/* A process of the runner has one thread. */
static struct {
    int fds[LATE_MAX];
    size_t count;
} late;

static int compare(const void *a, const void *b);
static int next_kept(int first, const int *kept, size_t count);

int descriptors_close_but(int first, const int *kept, size_t count)
{
    int next;

    late.count = 0; /* they are among those that are closed here */
    do {
        next = next_kept(first, kept, count);
        unsigned int last = next < 0 ? ~0u : (unsigned int)next - 1;
        if (next != first && close_range((unsigned int)first, last, 0) < 0)
            return -errno;
        first = next + 1;
    } while (next >= 0);
    return 0;
}

void descriptor_close_later(int *fd)
{
    if (*fd < 0)
        return;
    if (late.count == LATE_MAX)
        descriptors_close_late();
    late.fds[late.count++] = *fd;
    *fd = -1;
}

/* One call for each run of numbers. */
void descriptors_close_late(void)
{
    size_t end;

    qsort(late.fds, late.count, sizeof(late.fds[0]), compare);
    for (size_t begin = 0; begin < late.count; begin = end) {
        for (end = begin + 1; end < late.count && late.fds[end] == late.fds[end - 1] + 1; end++)
            ;
        /* Of open descriptors: cannot fail. */
        (void)close_range((unsigned int)late.fds[begin], (unsigned int)late.fds[end - 1], 0);
    }
    late.count = 0;
}

static int compare(const void *a, const void *b)
{
    int first = *(const int *)a;
    int second = *(const int *)b;

    return first < second ? -1 : first > second;
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
