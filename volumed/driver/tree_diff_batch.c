/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counter that both threads take files by.  The second thread begins when there is more than a
 * little to do, and sleeps between batches.
 */
#include "driver/tree_diff_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/sys.h"
#include "base/thread.h"

#define BATCHES_ALONE ((size_t)2)

static void *help(void *argument);
static bool wait_for_work(struct diff_batch *batch);
static void compare_all(struct diff_batch *batch);
static int compare_file(const struct diff_batch *batch, struct diff_result_of_file *file);
static int open_file(int dirfd, const char *name, struct stat *st);
static void give(struct diff_batch *batch);
static void take_back(struct diff_batch *batch);

void diff_batch_init(struct diff_batch *batch, const struct tree_diff_spec *spec)
{
    *batch = (struct diff_batch){ .spec = spec };
    (void)pthread_mutex_init(&batch->lock, NULL); /* neither can fail with default attributes */
    (void)pthread_cond_init(&batch->bell, NULL);
}

void diff_batch_done(struct diff_batch *batch)
{
    (void)lock_take(&batch->lock);
    batch->is_over = true;
    (void)pthread_cond_broadcast(&batch->bell);
    (void)pthread_mutex_unlock(&batch->lock);
    if (batch->has_thread)
        (void)pthread_join(batch->thread, NULL);
    (void)pthread_cond_destroy(&batch->bell);
    (void)pthread_mutex_destroy(&batch->lock);
    free(batch->files);
}

bool diff_batch_add(struct diff_batch *batch, const char *name)
{
    if (batch->files == NULL)
        batch->files = mem_alloc(DIFF_BATCH_FILES * sizeof(*batch->files));
    batch->files[batch->count++].name = name;
    return batch->count == DIFF_BATCH_FILES;
}

void diff_batch_run(struct diff_batch *batch, const int dirfd[2])
{
    struct error ignored; /* without a second thread the first does all */
    bool is_shared = batch->count == DIFF_BATCH_FILES;

    batch->dirfd[0] = dirfd[0];
    batch->dirfd[1] = dirfd[1];
    atomic_store(&batch->next, 0);
    if (is_shared && ++batch->batches == BATCHES_ALONE)
        batch->has_thread = thread_start(&batch->thread, "compare", help, batch, &ignored) == 0;
    is_shared = is_shared && batch->has_thread;
    if (is_shared)
        give(batch);
    compare_all(batch);
    if (is_shared)
        take_back(batch);
}

static void *help(void *argument)
{
    struct diff_batch *batch = argument;

    while (wait_for_work(batch)) {
        compare_all(batch);
        LOCK_SCOPE(&batch->lock);
        batch->is_given = false;
        (void)pthread_cond_broadcast(&batch->bell);
    }
    return NULL;
}

static bool wait_for_work(struct diff_batch *batch)
{
    LOCK_SCOPE(&batch->lock);
    while (!batch->is_given && !batch->is_over)
        (void)pthread_cond_wait(&batch->bell, &batch->lock); /* looped */
    return !batch->is_over;
}

static void give(struct diff_batch *batch)
{
    LOCK_SCOPE(&batch->lock);
    batch->is_given = true;
    (void)pthread_cond_broadcast(&batch->bell);
}

static void take_back(struct diff_batch *batch)
{
    LOCK_SCOPE(&batch->lock);
    while (batch->is_given)
        (void)pthread_cond_wait(&batch->bell, &batch->lock); /* looped */
}

static void compare_all(struct diff_batch *batch)
{
    for (;;) {
        size_t i = atomic_fetch_add(&batch->next, 1);
        if (i >= batch->count)
            return;
        batch->files[i].rc = compare_file(batch, &batch->files[i]);
    }
}

static int compare_file(const struct diff_batch *batch, struct diff_result_of_file *file)
{
    struct tree_pair pair = {
        .from_dirfd = batch->dirfd[0],
        .to_dirfd = batch->dirfd[1],
        .name = file->name,
        .path = file->name,
    };
    cleanup_fd int from = open_file(pair.from_dirfd, file->name, &pair.from);
    cleanup_fd int to = from < 0 ? -1 : open_file(pair.to_dirfd, file->name, &pair.to);
    const int files[2] = { from, to };

    if (from < 0 || to < 0)
        return from < 0 ? from : to;
    pair.files = files;
    return tree_diff_compare(batch->spec, &pair, &file->change);
}

/* It was a regular file when its directory was read; should it be a pipe by now, nobody waits. */
static int open_file(int dirfd, const char *name, struct stat *st)
{
    cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", st, AT_EMPTY_PATH);

    if (rc < 0)
        return rc;
    return S_ISREG(st->st_mode) ? move_fd(&fd) : -EBUSY;
}
