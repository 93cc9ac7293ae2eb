/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying the entries of directories in batches, by a few threads while there is enough to do.  One
 * thread walks and adds; what it may hold at once is bounded, and past the bound it copies itself.
 */
#ifndef DRIVER_BATCH_COPY_H
#define DRIVER_BATCH_COPY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/tree.h"
#include "driver/entry_copy.h"

#define BATCH_THREADS_MAX 4
#define BATCH_QUEUE       32

struct batch;

/* A directory whose entries are being copied.  The copier's lock guards: pending, has_left, st. */
struct batch_dir {
    int from_fd; /* -1 until its first entry */
    int to_fd;
    struct batch *open; /* gathers; the walking thread's */
    int pending;        /* batches that are not done */
    bool has_left;      /* the walk is past it: the last batch gives it its attributes */
    struct stat st;
};

struct batch_copier {
    struct entry_copier *entries;
    pthread_mutex_t lock; /* guards: all below, and directories as told there */
    pthread_cond_t work;
    struct batch *queue[BATCH_QUEUE];
    size_t first;
    size_t count;
    bool is_over;
    bool has_failed;
    struct error error; /* the first */
    /* The walking thread's own: */
    size_t submitted;
    size_t thread_count;
    pthread_t threads[BATCH_THREADS_MAX];
};

void batch_copier_init(struct batch_copier *copier, struct entry_copier *entries);

/* Waits for all that was added; -1 with the first error of it. */
int batch_copier_end(struct batch_copier *copier, struct error *err);

/* Takes over 'to_fd'. */
struct batch_dir *batch_dir_new(int to_fd);

/* For a directory that the walk never left. */
void batch_dir_free(struct batch_dir *dir);

/* An entry of the directory, now or later.  Fails with the first error of any so far. */
int batch_add(struct batch_copier *copier, struct batch_dir *dir, const struct tree_entry *entry,
              struct error *err);

/* Lets go of what is gathered of the directory. */
int batch_flush(struct batch_copier *copier, struct batch_dir *dir, struct error *err);

/*
 * No more entries: the directory gets its attributes when those it has are copied, since they
 * change its times, and its default ACL would colour them.  Takes the directory over, also when it
 * fails.
 */
int batch_dir_leave(struct batch_copier *copier, struct batch_dir *dir,
                    const struct tree_entry *entry, struct error *err);

#endif
