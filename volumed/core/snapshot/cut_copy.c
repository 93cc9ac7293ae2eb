/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying the members of a cut.  Several go at once: on btrfs they then share commits, elsewhere
 * one walks while another waits for the disk.  Drivers allow it for different trees.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/thread.h"
#include "core/pool/pool_reserve.h"
#include "core/snapshot/cut.h"
#include "driver/driver.h"

#define THREADS_MAX 8

struct copying {
    struct cut *cut;
    int64_t deadline_ms;
    atomic_size_t next;
    atomic_bool has_failed;
    pthread_mutex_t lock;
    struct error *err; /* guarded by lock: the first failure's */
};

static void *copy_some(void *argument);
static int copy_member(struct cut_member *member, int64_t deadline_ms, struct error *err);

int cut_copy(struct cut *cut, int64_t deadline_ms, const struct cut_member **slowest,
             struct error *err)
{
    struct copying copying = {
        .cut = cut,
        .deadline_ms = deadline_ms,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .err = err,
    };
    pthread_t threads[THREADS_MAX];
    struct error ignored; /* with fewer threads it takes longer, no more */
    size_t started = 0;

    while (started < THREADS_MAX && started + 1 < cut->count &&
           thread_start(&threads[started], "cut", copy_some, &copying, &ignored) == 0)
        started++;
    (void)copy_some(&copying);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL); /* fails only on misuse */
    (void)pthread_mutex_destroy(&copying.lock);
    *slowest = &cut->members[0];
    for (size_t i = 1; i < cut->count; i++)
        if (cut->members[i].took_ms > (*slowest)->took_ms)
            *slowest = &cut->members[i];
    return copying.has_failed ? -1 : 0;
}

static void *copy_some(void *argument)
{
    struct copying *copying = argument;
    struct error failure;

    while (!copying->has_failed) {
        size_t index = atomic_fetch_add(&copying->next, 1);
        if (index >= copying->cut->count)
            break;
        struct cut_member *member = &copying->cut->members[index];
        if (copy_member(member, copying->deadline_ms, &failure) == 0)
            continue;
        LOCK_SCOPE(&copying->lock);
        if (!atomic_exchange(&copying->has_failed, true)) {
            *copying->err = failure;
            if (copying->cut->count > 1)
                (void)error_prefix(copying->err, "volume '%s'", member->volume.name);
        }
    }
    return NULL;
}

static int copy_member(struct cut_member *member, int64_t deadline_ms, struct error *err)
{
    int64_t begun_ms = clock_mono_ms();
    const struct driver_copy copy = {
        .source_fd = member->source_fd,
        .dirfd = member->place_fd,
        .name = member->snapshot.id,
        .is_read_only = !cut_has_place(member),
        .deadline_ms = deadline_ms,
    };
    int rc = pool_tree_clone(member->pool, &copy, err);

    member->took_ms = clock_mono_ms() - begun_ms;
    return rc;
}
