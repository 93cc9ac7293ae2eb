/* SPDX-License-Identifier: Apache-2.0 */
/* A list under a lock.  Ended execs are kept for a while, so that clients can ask for the exit
 * code.
 */
#include "core/container/exec_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "core/box/exec_box.h"
#include "core/container/container.h"
#include "core/container/container_event.h"
#include "core/service.h"

#define KEPT_MS 300000 /* after the end; as long as dockerd */

enum exec_phase {
    EXEC_CREATED,
    EXEC_RUNNING,
    EXEC_ENDED
};

struct entry {
    struct list node;
    char id[HEX_ID_SIZE];
    char container_id[HEX_ID_SIZE];
    json_t *config;
    enum exec_phase phase;
    int64_t exit_code;
    int64_t pid;
    int64_t ended_ms; /* monotonic */
};

struct execs {
    pthread_mutex_t lock; /* guards: entries */
    struct list entries;
};

static struct entry *find(struct execs *execs, const char *id);
static void forget_old(struct execs *execs);
static void entry_free(struct entry *entry);
static void snapshot(struct task *task, const struct entry *entry, struct exec *exec);

struct execs *execs_new(void)
{
    struct execs *execs = mem_alloc(sizeof(*execs));

    (void)pthread_mutex_init(&execs->lock, NULL); /* never fails with default attributes */
    list_init(&execs->entries);
    return execs;
}

void execs_free(struct execs *execs)
{
    if (execs == NULL)
        return;
    list_each(node, &execs->entries)
        entry_free(container_of(node, struct entry, node));
    (void)pthread_mutex_destroy(&execs->lock); /* nobody is left to hold it */
    free(execs);
}

void execs_add(struct task *task, const char *container_id, const json_t *config, const char **id)
{
    struct execs *execs = task->service->execs;
    struct entry *entry = mem_alloc(sizeof(*entry));

    *entry = (struct entry){ .config = json_deep_copy(config) };
    hex_id_make(entry->id);
    memcpy(entry->container_id, container_id, strlen(container_id) + 1);
    *id = arena_strdup(task->mem, entry->id);
    LOCK_SCOPE(&execs->lock);
    forget_old(execs);
    list_append(&execs->entries, &entry->node);
}

int execs_get(struct task *task, const char *id, struct exec *exec, struct error *err)
{
    struct execs *execs = task->service->execs;

    LOCK_SCOPE(&execs->lock);
    const struct entry *entry = find(execs, id);
    if (entry == NULL)
        return fail(err, ERR_NOT_FOUND, "No such exec instance: %s", id);
    snapshot(task, entry, exec);
    return 0;
}

void exec_done(struct exec *exec)
{
    if (exec == NULL)
        return;
    json_decref(exec->config);
    exec->config = NULL;
}

int execs_begin(struct task *task, const char *id, struct error *err)
{
    struct execs *execs = task->service->execs;

    LOCK_SCOPE(&execs->lock);
    struct entry *entry = find(execs, id);
    if (entry == NULL)
        return fail(err, ERR_NOT_FOUND, "No such exec instance: %s", id);
    if (entry->phase == EXEC_RUNNING)
        return fail(err, ERR_CONFLICT, "Error: Exec command %s is already running", id);
    if (entry->phase == EXEC_ENDED)
        return fail(err, ERR_CONFLICT, "Error: Exec command %s has already run", id);
    entry->phase = EXEC_RUNNING;
    return 0;
}

void execs_set_pid(struct task *task, const char *id, int64_t pid)
{
    struct execs *execs = task->service->execs;

    LOCK_SCOPE(&execs->lock);
    struct entry *entry = find(execs, id);
    if (entry != NULL)
        entry->pid = pid;
}

void execs_set_exit(struct task *task, const char *id, int64_t exit_code)
{
    struct execs *execs = task->service->execs;

    LOCK_SCOPE(&execs->lock);
    struct entry *entry = find(execs, id);
    if (entry == NULL || entry->phase == EXEC_ENDED)
        return; /* one that could not be started has its code already */
    entry->phase = EXEC_ENDED;
    entry->exit_code = exit_code;
    entry->ended_ms = clock_mono_ms();
}

void execs_ended(struct task *task, const char *id, const struct box_exit *end)
{
    cleanup_container struct container container = { 0 };
    cleanup_exec struct exec exec = { 0 };
    struct pairs extra = { 0 };
    struct error err;

    execs_set_exit(task, id, end->code);
    if (execs_get(task, id, &exec, &err) < 0)
        return;
    pairs_set(&extra, task->mem, "execID", id);
    pairs_set(&extra, task->mem, "exitCode", arena_printf(task->mem, "%" PRId64, end->code));
    if (container_get(task, exec.container_id, &container, &err) == 0 &&
        container_emit(task, &container, "exec_die", &extra, &err) < 0)
        log_warn("cannot record the end of an exec id=%s error=\"%s\"", id, err.message);
    exec_box_remove_later(task, &exec);
}

const char *const *execs_of(struct task *task, const char *container_id)
{
    struct execs *execs = task->service->execs;
    size_t count = 0;

    LOCK_SCOPE(&execs->lock);
    list_each(node, &execs->entries)
        count += strcmp(container_of(node, struct entry, node)->container_id, container_id) == 0;
    const char **ids = arena_array(task->mem, count + 1, sizeof(*ids));
    count = 0;
    list_each(node, &execs->entries) {
        const struct entry *entry = container_of(node, struct entry, node);
        if (strcmp(entry->container_id, container_id) == 0 && entry->phase != EXEC_ENDED)
            ids[count++] = arena_strdup(task->mem, entry->id);
    }
    return ids;
}

/* With the lock held, as all below. */
static struct entry *find(struct execs *execs, const char *id)
{
    list_each(node, &execs->entries) {
        struct entry *entry = container_of(node, struct entry, node);
        if (strcmp(entry->id, id) == 0)
            return entry;
    }
    return NULL;
}

static void forget_old(struct execs *execs)
{
    int64_t now_ms = clock_mono_ms();

    list_each(node, &execs->entries) {
        struct entry *entry = container_of(node, struct entry, node);
        if (entry->phase == EXEC_ENDED && now_ms - entry->ended_ms > KEPT_MS) {
            list_remove(node);
            entry_free(entry);
        }
    }
}

static void entry_free(struct entry *entry)
{
    json_decref(entry->config);
    free(entry);
}

static void snapshot(struct task *task, const struct entry *entry, struct exec *exec)
{
    *exec = (struct exec){
        .id = arena_strdup(task->mem, entry->id),
        .container_id = arena_strdup(task->mem, entry->container_id),
        .config = json_deep_copy(entry->config),
        .is_running = entry->phase == EXEC_RUNNING,
        .has_exited = entry->phase == EXEC_ENDED,
        .exit_code = entry->exit_code,
        .pid = entry->pid,
        .is_terminal = json_is_true(json_member(entry->config, "Tty")),
    };
}
