/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume takes on disk, by walking it: hard links once, holes not at all. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/sys.h"
#include "base/tree.h"
#include "core/service.h"
#include "core/volume/volume.h"

#define BLOCK_BYTES 512 /* of st_blocks, whatever the filesystem's */

/* A set of inodes with several names: open addressing, at most half full. */
struct inode {
    dev_t dev;
    ino_t ino;
};

struct counter {
    const _Atomic bool *is_stopping; /* NULL: nobody asks */
    struct usage usage;
    struct inode *seen;
    size_t seen_count;
    size_t seen_capacity;
};

static int measure(int fd, const _Atomic bool *is_stopping, struct usage *usage, struct error *err);
static void counter_done(struct counter *counter);
static int count_directory(void *context, const struct tree_entry *entry, struct error *err);
static int count_file(void *context, const struct tree_entry *entry, struct error *err);
static void add(struct counter *counter, const struct stat *st);
static bool is_first(struct counter *counter, const struct stat *st);
static bool insert(struct inode *table, size_t capacity, const struct inode *inode);
static void grow(struct counter *counter);

int volume_usage(struct task *task, const struct volume *volume, struct usage *usage,
                 struct error *err)
{
    cleanup_fd int fd = volume_open(task, volume, err);

    return fd < 0 ? -1 : measure(fd, &task->service->is_stopping, usage, err);
}

int volume_usage_at(int fd, struct usage *usage, struct error *err)
{
    return measure(fd, NULL, usage, err);
}

static int measure(int fd, const _Atomic bool *is_stopping, struct usage *usage, struct error *err)
{
    static const struct tree_visitor visitor = { .enter = count_directory, .visit = count_file };
    CLEANUP(counter_done) struct counter counter = { .is_stopping = is_stopping };

    if (tree_walk(fd, &visitor, &counter, err) < 0)
        return -1;
    *usage = counter.usage;
    return 0;
}

static void counter_done(struct counter *counter)
{
    free(counter->seen);
}

static int count_directory(void *context, const struct tree_entry *entry, struct error *err)
{
    struct counter *counter = context;

    if (counter->is_stopping != NULL && *counter->is_stopping)
        return fail(err, ERR_BUSY, "the service is stopping");
    /* As du: a directory's blocks count, its size says nothing about data. */
    counter->usage.used_bytes += (int64_t)entry->st.st_blocks * BLOCK_BYTES;
    counter->usage.files++;
    return 0;
}

static int count_file(void *context, const struct tree_entry *entry, struct error *err)
{
    struct counter *counter = context;

    (void)err;
    if (entry->st.st_nlink < 2 || is_first(counter, &entry->st))
        add(counter, &entry->st);
    return 0;
}

static void add(struct counter *counter, const struct stat *st)
{
    counter->usage.apparent_bytes += st->st_size;
    counter->usage.used_bytes += (int64_t)st->st_blocks * BLOCK_BYTES;
    counter->usage.files++;
}

static bool is_first(struct counter *counter, const struct stat *st)
{
    struct inode inode = { st->st_dev, st->st_ino };

    if (counter->seen_count * 2 >= counter->seen_capacity)
        grow(counter);
    if (!insert(counter->seen, counter->seen_capacity, &inode))
        return false;
    counter->seen_count++;
    return true;
}

/* False when it was there.  Inode 0 does not exist and marks a free place. */
static bool insert(struct inode *table, size_t capacity, const struct inode *inode)
{
    size_t at = (inode->ino * 0x9E3779B97F4A7C15U + inode->dev) & (capacity - 1);

    while (table[at].ino != 0) {
        if (table[at].ino == inode->ino && table[at].dev == inode->dev)
            return false;
        at = (at + 1) & (capacity - 1);
    }
    table[at] = *inode;
    return true;
}

static void grow(struct counter *counter)
{
    size_t capacity = counter->seen_capacity == 0 ? 256 : counter->seen_capacity * 2;
    struct inode *larger = mem_alloc(capacity * sizeof(*larger));

    for (size_t i = 0; i < counter->seen_capacity; i++)
        if (counter->seen[i].ino != 0)
            (void)insert(larger, capacity, &counter->seen[i]); /* new in the larger table */
    free(counter->seen);
    counter->seen = larger;
    counter->seen_capacity = capacity;
}
