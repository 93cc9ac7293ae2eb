/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of batches.  The first few are copied by whoever walks: a small tree needs no threads. */
#include "driver/batch_copy.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/sys.h"
#include "base/thread.h"
#include "driver/attributes.h"

#define BATCH_ENTRIES  32
#define THREADS_BEYOND ((size_t)8) /* batches without threads */

struct batch {
    struct batch_dir *dir;
    size_t count;
    char *names[BATCH_ENTRIES];
    struct stat st[BATCH_ENTRIES];
};

static int submit(struct batch_copier *copier, struct batch_dir *dir, struct error *err);
static void start_threads(struct batch_copier *copier);
static bool enqueue(struct batch_copier *copier, struct batch *batch);
static struct batch *dequeue(struct batch_copier *copier, bool is_waiting);
static void *work(void *argument);
static void run_batch(struct batch_copier *copier, struct batch *batch);
static void batch_free(struct batch *batch);
static void finish_dir(struct batch_copier *copier, struct batch_dir *dir);
static void note_error(struct batch_copier *copier, int rc, const char *name);
static int first_error(struct batch_copier *copier, struct error *err);

void batch_copier_init(struct batch_copier *copier, struct entry_copier *entries)
{
    *copier = (struct batch_copier){ .entries = entries };
    (void)pthread_mutex_init(&copier->lock, NULL); /* neither can fail with default attributes */
    (void)pthread_cond_init(&copier->work, NULL);
}

int batch_copier_end(struct batch_copier *copier, struct error *err)
{
    struct batch *batch;

    while ((batch = dequeue(copier, false)) != NULL)
        run_batch(copier, batch);
    (void)lock_take(&copier->lock);
    copier->is_over = true;
    (void)pthread_cond_broadcast(&copier->work);
    (void)pthread_mutex_unlock(&copier->lock);
    for (size_t i = 0; i < copier->thread_count; i++)
        (void)pthread_join(copier->threads[i], NULL);
    (void)pthread_cond_destroy(&copier->work);
    (void)pthread_mutex_destroy(&copier->lock);
    if (copier->has_failed)
        *err = copier->error;
    return copier->has_failed ? -1 : 0;
}

struct batch_dir *batch_dir_new(int to_fd)
{
    struct batch_dir *dir = mem_alloc(sizeof(*dir));

    *dir = (struct batch_dir){ .from_fd = -1, .to_fd = to_fd };
    return dir;
}

void batch_dir_free(struct batch_dir *dir)
{
    if (dir == NULL)
        return;
    if (dir->open != NULL)
        batch_free(dir->open);
    sys_close_fd(&dir->from_fd);
    sys_close_fd(&dir->to_fd);
    free(dir);
}

int batch_add(struct batch_copier *copier, struct batch_dir *dir, const struct tree_entry *entry,
              struct error *err)
{
    if (dir->from_fd < 0)
        dir->from_fd = fcntl(entry->dirfd, F_DUPFD_CLOEXEC, 0);
    if (dir->from_fd < 0)
        return fail_sys(err, -errno, "cannot copy '%s'", entry->name);
    if (dir->open == NULL) {
        dir->open = mem_alloc(sizeof(*dir->open));
        dir->open->dir = dir;
        dir->open->count = 0;
    }
    struct batch *batch = dir->open;
    batch->names[batch->count] = mem_strdup(entry->name);
    batch->st[batch->count++] = entry->st;
    return batch->count < BATCH_ENTRIES ? 0 : submit(copier, dir, err);
}

int batch_flush(struct batch_copier *copier, struct batch_dir *dir, struct error *err)
{
    return dir->open == NULL ? 0 : submit(copier, dir, err);
}

int batch_dir_leave(struct batch_copier *copier, struct batch_dir *dir,
                    const struct tree_entry *entry, struct error *err)
{
    struct attributes_place from = { .fd = entry->fd, .dirfd = entry->dirfd, .name = entry->name };
    bool is_pending = false;

    if (dir->open != NULL && submit(copier, dir, err) < 0) {
        (void)lock_take(&copier->lock);
        dir->has_left = true; /* whoever still works on it frees it */
        is_pending = dir->pending > 0;
        (void)pthread_mutex_unlock(&copier->lock);
        if (!is_pending)
            batch_dir_free(dir);
        return -1;
    }
    (void)lock_take(&copier->lock);
    dir->has_left = true;
    dir->st = entry->st;
    is_pending = dir->pending > 0;
    (void)pthread_mutex_unlock(&copier->lock);
    if (is_pending)
        return 0;
    int rc = entry_copy_directory(copier->entries, &from, &entry->st, dir->to_fd);
    batch_dir_free(dir);
    return rc < 0 ? fail_sys(err, rc, "cannot copy directory '%s'", entry->name) : 0;
}

/* The gathered batch, to the threads or, where they have enough, done here. */
static int submit(struct batch_copier *copier, struct batch_dir *dir, struct error *err)
{
    struct batch *batch = dir->open;

    dir->open = NULL;
    if (++copier->submitted == THREADS_BEYOND)
        start_threads(copier);
    (void)lock_take(&copier->lock);
    dir->pending++;
    (void)pthread_mutex_unlock(&copier->lock);
    if (copier->thread_count == 0 || !enqueue(copier, batch))
        run_batch(copier, batch);
    return first_error(copier, err);
}

/* One less than there are processors, since the walk copies too; without any it copies alone. */
static void start_threads(struct batch_copier *copier)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct error ignored;

    while (copier->thread_count < BATCH_THREADS_MAX &&
           (long)copier->thread_count < (processors > 2 ? processors - 1 : 1) &&
           thread_start(&copier->threads[copier->thread_count], "copy", work, copier, &ignored) ==
               0)
        copier->thread_count++;
}

static bool enqueue(struct batch_copier *copier, struct batch *batch)
{
    LOCK_SCOPE(&copier->lock);

    if (copier->count == BATCH_QUEUE)
        return false;
    copier->queue[(copier->first + copier->count++) % BATCH_QUEUE] = batch;
    (void)pthread_cond_signal(&copier->work);
    return true;
}

/* NULL: there is nothing to do, and, when waiting, will not be. */
static struct batch *dequeue(struct batch_copier *copier, bool is_waiting)
{
    LOCK_SCOPE(&copier->lock);

    while (is_waiting && copier->count == 0 && !copier->is_over)
        (void)pthread_cond_wait(&copier->work, &copier->lock); /* looped */
    if (copier->count == 0)
        return NULL;
    struct batch *batch = copier->queue[copier->first];
    copier->first = (copier->first + 1) % BATCH_QUEUE;
    copier->count--;
    return batch;
}

static void *work(void *argument)
{
    struct batch_copier *copier = argument;
    struct batch *batch;

    while ((batch = dequeue(copier, true)) != NULL)
        run_batch(copier, batch);
    return NULL;
}

static void run_batch(struct batch_copier *copier, struct batch *batch)
{
    struct batch_dir *dir = batch->dir;
    struct error ignored;

    for (size_t i = 0; i < batch->count && first_error(copier, &ignored) == 0; i++) {
        const struct entry_place place = {
            .from_dirfd = dir->from_fd,
            .to_dirfd = dir->to_fd,
            .name = batch->names[i],
            .to_name = batch->names[i],
            .st = &batch->st[i],
        };
        int rc = entry_copy(copier->entries, &place);
        if (rc < 0 && rc != -ENOENT) /* it vanished between being seen and being read */
            note_error(copier, rc, batch->names[i]);
    }
    batch_free(batch);
    (void)lock_take(&copier->lock);
    assert(dir->pending > 0);
    bool is_last = --dir->pending == 0 && dir->has_left;
    (void)pthread_mutex_unlock(&copier->lock);
    if (is_last)
        finish_dir(copier, dir);
}

static void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        free(batch->names[i]);
    free(batch);
}

static void finish_dir(struct batch_copier *copier, struct batch_dir *dir)
{
    struct error ignored;

    if (first_error(copier, &ignored) == 0) {
        struct attributes_place from = { .fd = dir->from_fd };
        int rc = entry_copy_directory(copier->entries, &from, &dir->st, dir->to_fd);
        if (rc < 0)
            note_error(copier, rc, "a directory");
    }
    batch_dir_free(dir);
}

static void note_error(struct batch_copier *copier, int rc, const char *name)
{
    LOCK_SCOPE(&copier->lock);

    if (copier->has_failed)
        return;
    copier->has_failed = true;
    (void)fail_sys(&copier->error, rc, "cannot copy '%s'", name);
}

static int first_error(struct batch_copier *copier, struct error *err)
{
    LOCK_SCOPE(&copier->lock);

    if (copier->has_failed)
        *err = copier->error;
    return copier->has_failed ? -1 : 0;
}
