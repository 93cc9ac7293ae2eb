/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table that only grows. */
#include "transfer/link_names.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static struct link_name *find(const struct link_names *names, dev_t device, ino_t inode);
static void grow(struct link_names *names);

const char *link_names_first(struct link_names *names, const struct stat *st, const char *path)
{
    if (2 * names->count >= names->capacity)
        grow(names);
    assert(names->items != NULL);
    struct link_name *item = find(names, st->st_dev, st->st_ino);
    if (item->path == NULL) {
        size_t size = strlen(path) + 1;
        char *copy = mem_alloc(size);
        memcpy(copy, path, size);
        *item = (struct link_name){ st->st_dev, st->st_ino, copy };
        names->count++;
    }
    return item->path;
}

void link_names_done(struct link_names *names)
{
    for (size_t i = 0; i < names->capacity; i++)
        free(names->items[i].path);
    free(names->items);
    *names = (struct link_names){ 0 };
}

static struct link_name *find(const struct link_names *names, dev_t device, ino_t inode)
{
    uint64_t hash = ((uint64_t)inode ^ (uint64_t)device) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(hash >> 20) & (names->capacity - 1);

    while (names->items[at].path != NULL &&
           (names->items[at].device != device || names->items[at].inode != inode))
        at = (at + 1) & (names->capacity - 1);
    return &names->items[at];
}

/* The capacity is a power of two. */
static void grow(struct link_names *names)
{
    struct link_names bigger = { .capacity = names->capacity == 0 ? 256 : 2 * names->capacity,
                                 .count = names->count };

    bigger.items = mem_alloc(bigger.capacity * sizeof(*bigger.items));
    memset(bigger.items, 0, bigger.capacity * sizeof(*bigger.items));
    for (size_t i = 0; i < names->capacity; i++)
        if (names->items[i].path != NULL)
            *find(&bigger, names->items[i].device, names->items[i].inode) = names->items[i];
    free(names->items);
    *names = bigger;
}
