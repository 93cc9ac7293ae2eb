/* SPDX-License-Identifier: Apache-2.0 */
/* Those who wait for containers to end: one eventfd each, in one list. */
#include "core/container/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"
#include "base/sys.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "core/container/container.h"
#include "core/container/container_io.h"

enum wait_condition {
    WAIT_NOT_RUNNING,
    WAIT_NEXT_EXIT,
    WAIT_REMOVED
};

struct wait {
    struct list node;
    char id[HEX_ID_SIZE];
    enum wait_condition condition;
    int fd;
    bool is_over;
    int64_t exit_code;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: waits and what is in it */
static struct list waits = { &waits, &waits };

static int condition_find(const char *name, enum wait_condition *condition, struct error *err);
static int begin(struct task *task, struct wait *wait, struct error *err);
static void finish(struct wait *wait);

int container_wait(struct task *task, const char *ref, const char *condition, struct wait **wait,
                   struct error *err)
{
    enum wait_condition wanted = WAIT_NOT_RUNNING;
    const char *id;

    if (condition_find(condition, &wanted, err) < 0 || container_resolve(task, ref, &id, err) < 0)
        return -1;
    struct wait *made = mem_alloc(sizeof(*made));
    *made = (struct wait){ .condition = wanted };
    memcpy(made->id, id, sizeof(made->id));
    list_init(&made->node);
    made->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->fd < 0) {
        int rc = fail_sys(err, -errno, "cannot wait for container '%s'", ref);
        free(made);
        return rc;
    }
    if (begin(task, made, err) < 0) {
        wait_free(made);
        return -1;
    }
    *wait = made;
    return 0;
}

int wait_fd(const struct wait *wait)
{
    return wait->fd;
}

bool wait_is_over(struct wait *wait, int64_t *exit_code, const char **message)
{
    LOCK_SCOPE(&lock);
    if (!wait->is_over)
        return false;
    *exit_code = wait->exit_code;
    *message = NULL;
    return true;
}

void wait_free(struct wait *wait)
{
    if (wait == NULL)
        return;
    {
        LOCK_SCOPE(&lock);
        list_remove(&wait->node);
    }
    sys_close_fd(&wait->fd);
    free(wait);
}

void wait_wake_exit(const char *id, int64_t exit_code, bool will_restart)
{
    LOCK_SCOPE(&lock);
    list_each(node, &waits) {
        struct wait *wait = container_of(node, struct wait, node);
        if (strcmp(wait->id, id) != 0)
            continue;
        wait->exit_code = exit_code;
        if (wait->condition == WAIT_NEXT_EXIT ||
            (wait->condition == WAIT_NOT_RUNNING && !will_restart))
            finish(wait);
    }
}

void wait_wake_removed(const char *id)
{
    LOCK_SCOPE(&lock);
    list_each(node, &waits) {
        struct wait *wait = container_of(node, struct wait, node);
        if (strcmp(wait->id, id) == 0)
            finish(wait);
    }
}

static int condition_find(const char *name, enum wait_condition *condition, struct error *err)
{
    static const char *const names[] = {
        [WAIT_NOT_RUNNING] = "not-running",
        [WAIT_NEXT_EXIT] = "next-exit",
        [WAIT_REMOVED] = "removed",
    };

    if (name == NULL || name[0] == '\0')
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], name) == 0) {
            *condition = (enum wait_condition)i;
            return 0;
        }
    return fail(err, ERR_INVALID, "invalid condition: \"%s\"", name);
}

/* In the list first, then the look at the row: an exit in between is not missed. */
static int begin(struct task *task, struct wait *wait, struct error *err)
{
    cleanup_container struct container container = { 0 };

    {
        LOCK_SCOPE(&lock);
        list_append(&waits, &wait->node);
    }

    if (container_get(task, wait->id, &container, err) < 0)
        return -1;
    bool has_ended = !container_is_live(&container) && strcmp(container.state, "restarting") != 0 &&
                     strcmp(container.state, "starting") != 0;
    LOCK_SCOPE(&lock);
    if (wait->is_over)
        return 0;
    wait->exit_code = container.exit_code;
    if (wait->condition == WAIT_NOT_RUNNING && has_ended)
        finish(wait);
    return 0;
}

/* With the lock held. */
static void finish(struct wait *wait)
{
    wait->is_over = true;
    (void)eventfd_write(wait->fd, 1); /* EAGAIN: it is readable already */
}
