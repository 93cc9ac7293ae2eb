/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of one directory that both trees have, compared by two threads.  The walk gathers them and
 * tells the results, so that changes come in the order of names.
 */
#ifndef DRIVER_TREE_DIFF_BATCH_H
#define DRIVER_TREE_DIFF_BATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "driver/tree_diff.h"

#define DIFF_BATCH_FILES 128

struct diff_result_of_file {
    const char *name; /* the walk's */
    int rc;           /* as of tree_diff_compare; below 0 the walk looks for itself */
    struct tree_change change;
};

struct diff_batch {
    const struct tree_diff_spec *spec;
    struct diff_result_of_file *files; /* DIFF_BATCH_FILES, made at the first */
    size_t count;
    int dirfd[2];
    atomic_size_t next;
    size_t batches; /* until now */
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* guards: what follows */
    pthread_cond_t bell;
    bool is_given; /* the second thread is to help, or does */
    bool is_over;
};

void diff_batch_init(struct diff_batch *batch, const struct tree_diff_spec *spec);
void diff_batch_done(struct diff_batch *batch);

/* Adds a name; true when there is no room for another. */
bool diff_batch_add(struct diff_batch *batch, const char *name);

/* Compares what was gathered, in these directories.  The descriptors must be of trees in which no
 * device can be opened. */
void diff_batch_run(struct diff_batch *batch, const int dirfd[2]);

#endif
