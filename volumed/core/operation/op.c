/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: runs an operation's steps in order and remembers, durably, that it is under way. What
 * an operation does is its kind's; this file knows only the order and what a failure at each point
 * means (op.h has the drawing).
 */
#include "core/operation/op.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/thread.h"
#include "core/operation/event.h"
#include "core/service.h"
#include "model/container.h"
#include "store/db.h"
#include "store/operation.h"

#define RESUME_MAX 1000

/* Operations at work in this process: resume leaves them alone. */
struct at_work {
    struct list node;
    const char *id;
};

static pthread_mutex_t at_work_lock = PTHREAD_MUTEX_INITIALIZER; /* guards: at_work_list */
static struct list at_work_list = { &at_work_list, &at_work_list };

static void at_work_enter(struct at_work *work, const char *id);
static void at_work_leave(struct at_work *work);
static int run(struct task *task, struct op *op, struct error *err);
static int begin(struct task *task, struct op *op, struct error *err);
static int complete(struct task *task, struct op *op, struct error *err);
static int publish(struct task *task, struct op *op, bool *is_commit_lost, struct error *err);
static void undo(struct task *task, struct op *op, const struct error *cause);
static int give_up(struct task *task, struct op *op, const struct error *cause, struct error *err);
static int resume(struct task *task, const struct operation *row, struct error *err);
static const struct op_kind *kind_find(const char *name);

int op_run(struct task *task, struct op *op, struct error *err)
{
    struct at_work work;
    int seen = op_replay(task, op, err);
    if (seen != 0)
        return seen < 0 ? -1 : 0;
    uuid_make(op->id);
    at_work_enter(&work, op->id);
    int rc = run(task, op, err);
    at_work_leave(&work);
    return rc;
}

int op_replay(struct task *task, struct op *op, struct error *err)
{
    struct operation first;

    if (task->idempotency_key == NULL)
        return 0;
    int found = store_operation_find_key(task->db, task->mem, task->idempotency_key, &first, err);

    if (found <= 0)
        return found;
    if (strcmp(first.kind, op->kind->name) != 0)
        return fail(err, ERR_CONFLICT, "idempotency key '%s' was used for %s",
                    task->idempotency_key, first.kind);
    if (strcmp(first.state, "done") != 0)
        return fail(err, ERR_BUSY, "operation %s with this idempotency key is still running",
                    first.id);
    op->is_replayed = true;
    json_decref(op->result);
    op->result = json_read(first.result, strlen(first.result), err);
    return op->result == NULL ? -1 : 1;
}

void op_done(struct op *op)
{
    json_decref(op->note);
    json_decref(op->result);
    op->note = NULL;
    op->result = NULL;
}

int op_resume_all(struct task *task, struct error *err)
{
    struct operation *list = NULL;
    int settled = 0;
    int count = store_operation_list(task->db, task->mem, true, RESUME_MAX, &list, err);

    for (int i = 0; i < count; i++) {
        struct error failure;
        if (op_is_at_work(list[i].id))
            continue;
        if (resume(task, &list[i], &failure) < 0)
            log_error("operation not settled id=%s kind=%s error=\"%s\"", list[i].id, list[i].kind,
                      failure.message);
        else
            settled++;
    }
    return count < 0 ? -1 : settled;
}

bool op_is_at_work(const char *id)
{
    LOCK_SCOPE(&at_work_lock);
    list_each(node, &at_work_list)
        if (strcmp(container_of(node, struct at_work, node)->id, id) == 0)
            return true;
    return false;
}

int operation_list(struct task *task, bool only_running, int limit, struct operation **list,
                   struct error *err)
{
    return store_operation_list(task->db, task->mem, only_running, limit, list, err);
}

int operation_get(struct task *task, const char *id, struct operation *operation, struct error *err)
{
    int found = store_operation_find(task->db, task->mem, id, operation, err);

    if (found < 0)
        return -1;
    return found > 0 ? 0 : fail(err, ERR_NOT_FOUND, "no such operation: %s", id);
}

static int run(struct task *task, struct op *op, struct error *err)
{
    if (op->kind->prepare != NULL && begin(task, op, err) < 0)
        return -1;
    return complete(task, op, err);
}

static struct operation as_row(struct task *task, const struct op *op, const char *state)
{
    int64_t now_ms = clock_now_ms();
    bool is_over = strcmp(state, "running") != 0;

    return (struct operation){
        .id = op->id,
        .kind = op->kind->name,
        .subject = op->subject != NULL ? op->subject : "",
        .state = state,
        .note = op->note != NULL ? json_write(task->mem, op->note) : "{}",
        .actor = task->actor,
        .idempotency_key = task->idempotency_key,
        .result = op->result != NULL ? json_write(task->mem, op->result) : "{}",
        .error_code = "",
        .error_message = "",
        .started_ms = now_ms,
        .finished_ms = is_over ? now_ms : 0,
    };
}

static int begin(struct task *task, struct op *op, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };

    if (tx_begin(&tx, task->db, err) < 0 || op->kind->prepare(task, op, err) < 0)
        return -1;
    struct operation row = as_row(task, op, "running");
    if (store_operation_insert(task->db, &row, err) < 0)
        return -1;
    for (size_t i = 0; i < OP_OBJECTS_MAX && op->objects[i] != NULL; i++)
        if (store_intent_insert(task->db, op->objects[i], op->id, err) < 0)
            return -1;
    return tx_commit(&tx, err);
}

/* From apply to the end; what a fresh run and a resumed one share. */
static int complete(struct task *task, struct op *op, struct error *err)
{
    bool is_commit_lost = false;

    if (op->kind->apply != NULL && op->kind->apply(task, op, err) < 0) {
        undo(task, op, err);
        return -1;
    }
    if (publish(task, op, &is_commit_lost, err) == 0) {
        event_bell_ring(task->service->bell);
        if (op->kind->after != NULL)
            op->kind->after(task, op, true);
        return 0;
    }
    if (op->kind->prepare == NULL) {
        /* A commit that failed may yet be found committed after a crash: then its data must be
         * there. */
        if (!is_commit_lost)
            undo(task, op, err);
        return -1;
    }
    log_error("operation pending id=%s kind=%s error=\"%s\"", op->id, op->kind->name, err->message);
    err->code = ERR_PENDING;
    return error_prefix(err, "%s is done on disk but not yet recorded (operation %s)",
                        op->subject != NULL ? op->subject : op->kind->name, op->id);
}

static int publish(struct task *task, struct op *op, bool *is_commit_lost, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };

    if (tx_begin(&tx, task->db, err) < 0)
        return -1;
    if (op->kind->finish != NULL && op->kind->finish(task, op, err) < 0)
        return -1;
    struct operation row = as_row(task, op, "done");
    int rc = op->kind->prepare != NULL ? store_operation_end(task->db, &row, err)
                                       : store_operation_insert(task->db, &row, err);
    if (rc < 0)
        return -1;
    if (tx_commit(&tx, err) < 0) {
        *is_commit_lost = !tx.is_refused;
        return -1;
    }
    return 0;
}

/* Takes back disk, then rows.  What cannot be taken back now stays an intent for reconcile. */
static void undo(struct task *task, struct op *op, const struct error *cause)
{
    struct error failure;

    if (op->kind->revert != NULL && op->kind->revert(task, op, &failure) < 0) {
        log_error("cannot revert id=%s kind=%s error=\"%s\"", op->id, op->kind->name,
                  failure.message);
        return;
    }
    if (op->kind->prepare != NULL && give_up(task, op, cause, &failure) < 0) {
        log_error("cannot abandon id=%s kind=%s error=\"%s\"", op->id, op->kind->name,
                  failure.message);
        return;
    }
    if (op->kind->after != NULL)
        op->kind->after(task, op, false);
}

static int give_up(struct task *task, struct op *op, const struct error *cause, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };
    struct operation row = as_row(task, op, "failed");

    row.error_code = error_code_name(cause->code);
    row.error_message = cause->message;
    if (tx_begin(&tx, task->db, err) < 0)
        return -1;
    if (op->kind->abandon != NULL && op->kind->abandon(task, op, err) < 0)
        return -1;
    if (store_operation_end(task->db, &row, err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

static int resume(struct task *task, const struct operation *row, struct error *err)
{
    cleanup_op struct op op = { .kind = kind_find(row->kind), .subject = row->subject };
    struct at_work work;

    if (op.kind == NULL)
        return fail(err, ERR_CORRUPT, "unknown operation kind '%s'", row->kind);
    assert(strlen(row->id) < sizeof(op.id));
    memcpy(op.id, row->id, strlen(row->id) + 1);
    op.is_resumed = true;
    op.note = json_read(row->note, strlen(row->note), err);
    if (op.note == NULL || (op.kind->load != NULL && op.kind->load(task, &op, err) < 0))
        return -1;
    log_info("operation resumed id=%s kind=%s subject=\"%s\"", op.id, op.kind->name, op.subject);
    at_work_enter(&work, op.id);
    int rc = complete(task, &op, err);
    at_work_leave(&work);
    /* Undone is settled too: only what is still pending is not. */
    return rc < 0 && err->code == ERR_PENDING ? -1 : 0;
}

static const struct op_kind *kind_find(const char *name)
{
    for (size_t i = 0; op_kinds[i] != NULL; i++)
        if (strcmp(op_kinds[i]->name, name) == 0)
            return op_kinds[i];
    return NULL;
}

static void at_work_enter(struct at_work *work, const char *id)
{
    work->id = id;
    LOCK_SCOPE(&at_work_lock);
    list_append(&at_work_list, &work->node);
}

static void at_work_leave(struct at_work *work)
{
    LOCK_SCOPE(&at_work_lock);
    list_remove(&work->node);
}
