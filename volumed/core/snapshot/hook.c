/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooks around a cut are an operation of their own, around the cut's: its intent is what makes
 * the hooks after run when we die in between.
 */
#include "core/snapshot/hook.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/container/container.h"
#include "core/container/exec.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "store/attachment.h"

#define OUTPUT_MAX 4096
#define TOLD_MAX   200

struct around {
    struct hook_plan *plan;
    struct task *task; /* with the client's idempotency key, which is the body's */
    hook_body_fn body;
    void *context;
};

static int add_requested(struct task *task, const struct hook *wanted, struct hook_plan *plan,
                         struct error *err);
static int add_labelled(struct task *task, const struct cut *cut, struct hook_plan *plan,
                        struct error *err);
static int add_by_label(struct task *task, const char *container_id, struct hook_plan *plan,
                        struct error *err);
static bool is_planned(const struct hook_plan *plan, const char *container_id);
static void add(struct task *task, struct hook_plan *plan, const struct hook *hook);
static int compare(const void *a, const void *b);
static int prepare(struct task *task, struct op *op, struct error *err);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static void run_after(struct task *task, struct hook_plan *plan, size_t count);
static int run(struct task *task, const struct hook_plan *plan, const struct hook *hook,
               const char *command, struct error *err);

const struct op_kind hook_kind = {
    .name = "snapshot.hooks",
    .prepare = prepare,
    .load = load,
    .apply = apply,
};

int hook_plan(struct task *task, const struct hook_spec *spec, const struct cut *cut,
              struct hook_plan *plan, struct error *err)
{
    *plan = (struct hook_plan){
        .timeout_ms = spec->timeout_ms > 0 ? spec->timeout_ms : HOOK_TIMEOUT_MS_DEFAULT,
    };
    for (size_t i = 0; i < spec->count; i++)
        if (add_requested(task, &spec->items[i], plan, err) < 0)
            return -1;
    if (!spec->is_off && add_labelled(task, cut, plan, err) < 0)
        return -1;
    if (plan->count > 0)
        qsort(plan->items, plan->count, sizeof(*plan->items), compare);
    return 0;
}

int hook_around(struct task *task, struct hook_plan *plan, hook_body_fn body, void *context,
                struct error *err)
{
    struct around around = { plan, task, body, context };
    struct task keyless = *task;
    cleanup_op struct op op = {
        .kind = &hook_kind,
        .subject = arena_printf(task->mem, "hooks of %zu container%s", plan->count,
                                plan->count == 1 ? "" : "s"),
        .data = &around,
    };

    if (plan->count == 0)
        return body(task, context, err);
    keyless.idempotency_key = NULL;
    return op_run(&keyless, &op, err);
}

void hook_warn(struct task *task, const struct hook_plan *plan, const char *const **warnings)
{
    const char *const *lists[] = { *warnings, plan->failures };
    size_t count = 0;

    if (plan->failures == NULL)
        return;
    for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
        for (size_t i = 0; lists[l] != NULL && lists[l][i] != NULL; i++)
            count++;
    const char **all = arena_array(task->mem, count + 1, sizeof(*all));
    count = 0;
    for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
        for (size_t i = 0; lists[l] != NULL && lists[l][i] != NULL; i++)
            all[count++] = lists[l][i];
    *warnings = all;
}

static int add_requested(struct task *task, const struct hook *wanted, struct hook_plan *plan,
                         struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, wanted->container, &container, err) < 0)
        return -1;
    if (strcmp(container.state, "running") != 0)
        return fail(err, ERR_CONFLICT, "container '%s' does not run, so its hooks cannot",
                    container.name);
    if (is_planned(plan, container.id))
        return fail(err, ERR_INVALID, "container '%s' is given hooks twice", container.name);
    add(task, plan, &(struct hook){ container.id, container.name, wanted->before, wanted->after });
    return 0;
}

static int add_labelled(struct task *task, const struct cut *cut, struct hook_plan *plan,
                        struct error *err)
{
    for (size_t i = 0; i < cut->count; i++) {
        struct attachment_user *users = NULL;
        int count =
            store_attachment_users(task->db, task->mem, cut->members[i].volume.id, &users, err);
        if (count < 0)
            return -1;
        for (int u = 0; u < count; u++)
            if (users[u].mode != ACCESS_RO && strcmp(users[u].state, "running") == 0 &&
                !is_planned(plan, users[u].container_id) &&
                add_by_label(task, users[u].container_id, plan, err) < 0)
                return -1;
    }
    return 0;
}

static int add_by_label(struct task *task, const char *container_id, struct hook_plan *plan,
                        struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, container_id, &container, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    const json_t *labels = json_member(container.config, "Labels");
    const char *before = json_string_value(json_object_get(labels, HOOK_LABEL_BEFORE));
    const char *after = json_string_value(json_object_get(labels, HOOK_LABEL_AFTER));
    if (before != NULL || after != NULL)
        add(task, plan, &(struct hook){ container.id, container.name, before, after });
    return 0;
}

static bool is_planned(const struct hook_plan *plan, const char *container_id)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->items[i].container, container_id) == 0)
            return true;
    return false;
}

/* Copied: the container's JSON goes before the plan does. */
static void add(struct task *task, struct hook_plan *plan, const struct hook *hook)
{
    struct hook *longer = arena_array(task->mem, plan->count + 1, sizeof(*longer));

    for (size_t i = 0; i < plan->count; i++)
        longer[i] = plan->items[i];
    longer[plan->count++] = (struct hook){
        .container = arena_strdup(task->mem, hook->container),
        .name = arena_strdup(task->mem, hook->name),
        .before = arena_strdup(task->mem, hook->before),
        .after = arena_strdup(task->mem, hook->after),
    };
    plan->items = longer;
}

static int compare(const void *a, const void *b)
{
    const struct hook *left = a;
    const struct hook *right = b;

    return strcmp(left->container, right->container);
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    const struct around *around = op->data;
    json_t *hooks = json_array();

    (void)task;
    (void)err;
    for (size_t i = 0; i < around->plan->count; i++) {
        const struct hook *hook = &around->plan->items[i];
        json_t *entry = json_object();
        json_set(entry, "container", json_text(hook->container));
        json_set(entry, "name", json_text(hook->name));
        json_set(entry, "after", json_text(hook->after));
        json_add(hooks, entry);
    }
    op->note = json_object();
    json_set(op->note, "hooks", hooks);
    json_set(op->note, "timeout_ms", json_integer(around->plan->timeout_ms));
    return 0;
}

static int load(struct task *task, struct op *op, struct error *err)
{
    struct around *around = arena_alloc(task->mem, sizeof(*around));
    const json_t *hooks = json_object_get(op->note, "hooks");
    size_t index;
    json_t *entry;

    around->plan = arena_alloc(task->mem, sizeof(*around->plan));
    op->data = around;
    json_array_foreach(hooks, index, entry)
    {
        struct hook hook = { 0 };
        if (json_get_text(entry, "container", task->mem, &hook.container, err) < 0 ||
            json_get_text(entry, "name", task->mem, &hook.name, err) < 0 ||
            json_get_text(entry, "after", task->mem, &hook.after, err) < 0)
            return -1;
        add(task, around->plan, &hook);
    }
    return json_get_int(op->note, "timeout_ms", &around->plan->timeout_ms, err);
}

/* Resumed: whatever was done between them is over, one way or the other. */
static int apply(struct task *task, struct op *op, struct error *err)
{
    struct around *around = op->data;
    struct hook_plan *plan = around->plan;
    size_t begun = 0;
    int rc = 0;

    while (!op->is_resumed && rc == 0 && begun < plan->count) {
        const struct hook *hook = &plan->items[begun++];
        if (hook->before != NULL)
            rc = run(task, plan, hook, hook->before, err);
    }
    if (!op->is_resumed && rc == 0)
        rc = around->body(around->task, around->context, err);
    run_after(task, plan, op->is_resumed ? plan->count : begun);
    return rc;
}

/* In reverse, as brackets close. */
static void run_after(struct task *task, struct hook_plan *plan, size_t count)
{
    const char **failures = arena_array(task->mem, count + 1, sizeof(*failures));
    size_t failed = 0;
    struct error err;

    for (size_t i = count; i > 0; i--) {
        const struct hook *hook = &plan->items[i - 1];
        if (hook->after == NULL || run(task, plan, hook, hook->after, &err) == 0)
            continue;
        log_warn("hook after failed container=%s error=\"%s\"", hook->name, err.message);
        failures[failed++] = arena_strdup(task->mem, err.message);
    }
    plan->failures = failures;
}

static int run(struct task *task, const struct hook_plan *plan, const struct hook *hook,
               const char *command, struct error *err)
{
    const char *argv[] = { "/bin/sh", "-c", command, NULL };
    const struct exec_run_spec spec = {
        .argv = argv,
        .timeout_ms = plan->timeout_ms,
        .max_bytes = OUTPUT_MAX,
        .cancel_fd = -1,
    };
    const char *which = command == hook->before ? "before" : "after";
    struct exec_result result = { 0 };

    if (exec_run(task, hook->container, &spec, &result, err) < 0)
        return error_prefix(err, "hook %s in container '%s'", which, hook->name);
    if (result.exit_code == 0)
        return 0;
    return fail(err, ERR_CONFLICT, "hook %s in container '%s' failed with %lld: %.*s", which,
                hook->name, (long long)result.exit_code, TOLD_MAX,
                result.output != NULL ? result.output : "");
}
