/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that check, and the list in which they are found.  A check belongs to its thread; the
 * list holds it only while it is not stopped, so that whoever stops it does not wait for it.
 */
#include "core/box/health.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "core/container/container_event.h"
#include "core/container/exec.h"
#include "core/operation/event.h"
#include "core/service.h"
#include "store/container.h"

#define OUTPUT_MAX_BYTES 4096

struct health_result {
    int64_t started_ns;
    int64_t finished_ns;
    int64_t exit_code;
    char *output;
};

struct health {
    struct list node;
    char id[HEX_ID_SIZE];
    struct service *service;
    struct arena *mem; /* the spec's */
    struct health_spec spec;
    int64_t started_ms; /* monotonic */
    int stop_fd;        /* an eventfd: readable once it is to stop */
    bool is_stopped;
    struct health_state state;
    struct health_result results[HEALTH_LOG_MAX]; /* oldest first */
    size_t result_count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: all below, and checks' state */
static struct list checks = { &checks, &checks };
static pthread_cond_t thread_ended = PTHREAD_COND_INITIALIZER;
static int thread_count;

static void *health_main(void *argument);
static bool sleep_until_next(struct health *health);
static void check_once(struct task *task, struct health *health);
static bool note_result(struct health *health, struct health_result result,
                        struct health_state *state);
static void record_status(struct task *task, const char *id, const struct health_state *state);
static void tell_to_stop(struct health *health);
static struct health *find(const char *id);
static void thread_over(void);
static void health_free(struct health *health);
static json_t *health_json(const struct health *health);

const char *health_initial(struct task *task, const struct container *container)
{
    struct health_spec spec;
    struct error ignored; /* it was checked when the container was made */
    const json_t *config = container->config;

    if (health_spec_parse(task->mem, json_object_get(config, "Healthcheck"),
                          json_object_get(config, "Shell"), &spec, &ignored) < 0 ||
        spec.argv == NULL)
        return "";
    return "{\"Status\":\"starting\",\"FailingStreak\":0,\"Log\":[]}";
}

void health_start(struct task *task, const struct container *container)
{
    struct health *health = mem_alloc(sizeof(*health));
    struct error err;
    pthread_t thread;

    *health = (struct health){
        .service = task->service,
        .mem = arena_new(),
        .started_ms = clock_mono_ms(),
        .stop_fd = -1,
    };
    list_init(&health->node);
    memcpy(health->id, container->id, strlen(container->id) + 1);
    health->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (health_spec_parse(health->mem, json_object_get(container->config, "Healthcheck"),
                          json_object_get(container->config, "Shell"), &health->spec, &err) < 0 ||
        health->spec.argv == NULL || health->stop_fd < 0) {
        health_free(health);
        return;
    }
    health_stop(container->id);
    {
        LOCK_SCOPE(&lock);
        list_append(&checks, &health->node);
        thread_count++;
    }
    if (thread_start(&thread, "health", health_main, health, &err) < 0) {
        log_error("cannot check health id=%s error=\"%s\"", container->id, err.message);
        health_stop(container->id);
        thread_over();
        health_free(health);
        return;
    }
    (void)pthread_detach(thread); /* it frees what it has when it is told to stop */
}

void health_stop(const char *id)
{
    LOCK_SCOPE(&lock);
    struct health *health = find(id);
    if (health != NULL)
        tell_to_stop(health);
}

void health_stop_all(void)
{
    LOCK_SCOPE(&lock);
    list_each(node, &checks)
        tell_to_stop(container_of(node, struct health, node));
    while (thread_count > 0)
        (void)pthread_cond_wait(&thread_ended, &lock); /* fails only on misuse */
}

void health_read(struct task *task, const char *id, const char **text)
{
    LOCK_SCOPE(&lock);
    const struct health *health = find(id);
    if (health == NULL)
        return;
    cleanup_json json_t *json = health_json(health);
    *text = json_write(task->mem, json);
}

static void *health_main(void *argument)
{
    struct health *health = argument;
    cleanup_arena struct arena *mem = arena_new();
    struct task task = { .service = health->service, .mem = mem, .actor = "volumed" };

    while (sleep_until_next(health)) {
        check_once(&task, health);
        arena_reset(mem);
    }
    health_free(health);
    thread_over();
    return NULL;
}

/* False when it was stopped. */
static bool sleep_until_next(struct health *health)
{
    struct pollfd pollfd = { .fd = health->stop_fd, .events = POLLIN };
    int64_t wait_ms = health->spec.interval_ms;

    {
        LOCK_SCOPE(&lock);
        if (health->state.status == HEALTH_STARTING &&
            clock_mono_ms() - health->started_ms < health->spec.start_period_ms)
            wait_ms = health->spec.start_interval_ms;
    }
    (void)poll(&pollfd, 1, wait_ms > INT_MAX ? INT_MAX : (int)wait_ms); /* the flag decides */
    LOCK_SCOPE(&lock);
    return !health->is_stopped;
}

static void check_once(struct task *task, struct health *health)
{
    struct health_result result = { .started_ns = clock_now_ns() };
    struct exec_run_spec check = {
        .argv = health->spec.argv,
        .timeout_ms = health->spec.timeout_ms,
        .max_bytes = OUTPUT_MAX_BYTES,
        .cancel_fd = health->stop_fd,
    };
    struct health_state state;
    struct exec_result ran;
    struct error err;
    cleanup_db struct db *db = service_db_open(task->service, &err); /* checks are rare */

    if (db == NULL)
        return;
    task->db = db;
    if (exec_run(task, health->id, &check, &ran, &err) < 0)
        ran = (struct exec_result){ .exit_code = -1, .output = err.message };
    result.exit_code = ran.exit_code;
    result.finished_ns = clock_now_ns();
    result.output = mem_strdup(ran.output);
    if (note_result(health, result, &state))
        record_status(task, health->id, &state);
    task->db = NULL;
}

/* Takes over the result's output.  True when the status has changed. */
static bool note_result(struct health *health, struct health_result result,
                        struct health_state *state)
{
    LOCK_SCOPE(&lock);
    if (health->result_count == HEALTH_LOG_MAX) {
        free(health->results[0].output);
        memmove(&health->results[0], &health->results[1],
                (HEALTH_LOG_MAX - 1) * sizeof(health->results[0]));
        health->result_count--;
    }
    health->results[health->result_count++] = result;
    bool has_changed = health_state_apply(
        &health->state, &health->spec, clock_mono_ms() - health->started_ms, result.exit_code == 0);
    *state = health->state;
    return has_changed && !health->is_stopped;
}

static void record_status(struct task *task, const char *id, const struct health_state *state)
{
    cleanup_container struct container container = { 0 };
    cleanup_tx struct tx tx = { 0 };
    const char *text = "";
    struct error err;

    health_read(task, id, &text);
    if (tx_begin(&tx, task->db, &err) == 0 &&
        store_container_find(task->db, task->mem, id, &container, &err) > 0 &&
        store_container_set_health(task->db, id, text, &err) >= 0 &&
        container_emit(
            task, &container,
            arena_printf(task->mem, "health_status: %s", health_status_name(state->status)), NULL,
            &err) == 0 &&
        tx_commit(&tx, &err) == 0)
        event_bell_ring(task->service->bell);
    else
        log_warn("cannot record a health status id=%s", id);
}

/* With the lock held, as the next. */
static void tell_to_stop(struct health *health)
{
    health->is_stopped = true;
    list_remove(&health->node);
    (void)eventfd_write(health->stop_fd, 1); /* it is empty: this cannot fail */
}

static struct health *find(const char *id)
{
    list_each(node, &checks) {
        struct health *health = container_of(node, struct health, node);
        if (strcmp(health->id, id) == 0)
            return health;
    }
    return NULL;
}

static void thread_over(void)
{
    LOCK_SCOPE(&lock);
    thread_count--;
    (void)pthread_cond_signal(&thread_ended); /* fails only on misuse */
}

static void health_free(struct health *health)
{
    for (size_t i = 0; i < health->result_count; i++)
        free(health->results[i].output);
    sys_close_fd(&health->stop_fd);
    arena_free(health->mem);
    free(health);
}

static json_t *health_json(const struct health *health)
{
    json_t *log = json_array();

    for (size_t i = 0; i < health->result_count; i++) {
        const struct health_result *result = &health->results[i];
        json_t *entry = json_object();
        json_set(entry, "Start", json_time_ns(result->started_ns));
        json_set(entry, "End", json_time_ns(result->finished_ns));
        json_set(entry, "ExitCode", json_integer(result->exit_code));
        json_set(entry, "Output", json_text(result->output));
        json_array_append_new(log, entry);
    }
    return json_pack("{ss sI so}", "Status", health_status_name(health->state.status),
                     "FailingStreak", (json_int_t)health->state.failing_streak, "Log", log);
}
