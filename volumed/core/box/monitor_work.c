/* SPDX-License-Identifier: Apache-2.0 */
/* A queue and its thread. */
#include "core/box/monitor_work.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "core/service.h"
#include "store/db.h"

struct item {
    struct list node;
    monitor_work_fn run;
    char id[HEX_ID_SIZE];
};

struct monitor_work {
    struct service *service;
    struct db *db;
    pthread_t thread;
    bool is_started;
    pthread_mutex_t lock; /* guards: items, is_ending */
    pthread_cond_t bell;
    struct list items;
    bool is_ending;
};

static void *work_main(void *argument);
static struct item *take(struct monitor_work *work);
static void drop(struct monitor_work *work, struct item *item);

struct monitor_work *monitor_work_new(struct service *service)
{
    struct monitor_work *work = mem_alloc(sizeof(*work));

    *work = (struct monitor_work){ .service = service };
    list_init(&work->items);
    (void)pthread_mutex_init(&work->lock, NULL); /* never fails with default attributes */
    (void)pthread_cond_init(&work->bell, NULL);
    return work;
}

int monitor_work_start(struct monitor_work *work, struct error *err)
{
    work->db = service_db_open(work->service, err);
    if (work->db == NULL || thread_start(&work->thread, "work", work_main, work, err) < 0)
        return -1;
    work->is_started = true;
    return 0;
}

void monitor_work_free(struct monitor_work *work)
{
    if (work == NULL)
        return;
    if (work->is_started) {
        {
            LOCK_SCOPE(&work->lock);
            work->is_ending = true;
            (void)pthread_cond_signal(&work->bell); /* fails only on misuse */
        }
        (void)pthread_join(work->thread, NULL); /* it is joinable and not this thread */
    }
    list_each(node, &work->items)
        free(container_of(node, struct item, node));
    db_close(work->db);
    (void)pthread_cond_destroy(&work->bell); /* nobody waits any more */
    (void)pthread_mutex_destroy(&work->lock);
    free(work);
}

void monitor_work_add(struct monitor_work *work, monitor_work_fn run, const char *id)
{
    struct item *item = mem_alloc(sizeof(*item));

    assert(strlen(id) < sizeof(item->id));
    item->run = run;
    memcpy(item->id, id, strlen(id) + 1);
    LOCK_SCOPE(&work->lock);
    list_append(&work->items, &item->node);
    (void)pthread_cond_signal(&work->bell); /* fails only on misuse */
}

bool monitor_work_has(struct monitor_work *work, const char *id)
{
    LOCK_SCOPE(&work->lock);
    list_each(node, &work->items)
        if (strcmp(container_of(node, struct item, node)->id, id) == 0)
            return true;
    return false;
}

static void *work_main(void *argument)
{
    struct monitor_work *work = argument;
    cleanup_arena struct arena *mem = arena_new();
    struct task task = {
        .service = work->service,
        .db = work->db,
        .mem = mem,
        .actor = "volumed",
    };
    struct item *item;

    while ((item = take(work)) != NULL) {
        item->run(&task, item->id);
        drop(work, item);
        arena_reset(mem);
    }
    return NULL;
}

/* The first, which stays in the list until it is done; NULL: the end. */
static struct item *take(struct monitor_work *work)
{
    LOCK_SCOPE(&work->lock);
    while (list_is_empty(&work->items) && !work->is_ending)
        (void)pthread_cond_wait(&work->bell, &work->lock); /* fails only on misuse */
    if (work->is_ending)
        return NULL;
    return container_of(work->items.next, struct item, node);
}

static void drop(struct monitor_work *work, struct item *item)
{
    LOCK_SCOPE(&work->lock);
    list_remove(&item->node);
    free(item);
}
