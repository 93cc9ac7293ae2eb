/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching: at once, or by a list of those who wait until the container starts. */
#include "core/container/attach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/sys.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "core/box/box.h"
#include "core/container/container.h"
#include "runtime/supervisor.h"

#define STREAMS_SIZE 32

struct pending {
    struct list node;
    char id[HEX_ID_SIZE];
    struct attach_spec spec;
    struct attach_later later;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: pendings */
static struct list pendings = { &pendings, &pendings };

static int get(struct task *task, const char *ref, struct container *container, struct error *err);
static int connect_now(struct task *task, const char *id, const struct attach_spec *spec,
                       struct error *err);
static struct pending *add(const char *id, const struct attach_spec *spec,
                           const struct attach_later *later);
static bool take_back(struct pending *pending);
static void take_all(const char *id, struct list *taken);
static void streams_text(const struct attach_spec *spec, char text[STREAMS_SIZE]);

int container_attach_prepare(struct task *task, const char *ref, bool *is_later, bool *is_terminal,
                             struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (get(task, ref, &container, err) < 0)
        return -1;
    *is_later = !container_is_live(&container);
    *is_terminal = json_is_true(json_object_get(container.config, "Tty"));
    return 0;
}

int container_attach(struct task *task, const char *ref, const struct attach_spec *spec, int *fd,
                     const struct attach_later *later, struct error *err)
{
    cleanup_container struct container container = { 0 };
    cleanup_container struct container again = { 0 };

    if (get(task, ref, &container, err) < 0)
        return -1;
    if (container_is_live(&container)) {
        *fd = connect_now(task, container.id, spec, err);
        return *fd < 0 ? -1 : 0;
    }
    *fd = -1;
    struct pending *pending = add(container.id, spec, later);
    /* It may have started between the look and the entry: then nobody would come for us. */
    if (container_get(task, container.id, &again, err) < 0)
        return take_back(pending) ? -1 : 0;
    if (!container_is_live(&again) || !take_back(pending))
        return 0;
    *fd = connect_now(task, container.id, spec, err);
    return *fd < 0 ? -1 : 0;
}

void attach_connect(int box_fd, const char *id)
{
    struct list taken;

    take_all(id, &taken);
    list_each(node, &taken) {
        struct pending *pending = container_of(node, struct pending, node);
        char streams[STREAMS_SIZE];
        struct error ignored; /* the client sees its stream end */
        streams_text(&pending->spec, streams);
        pending->later.connect(pending->later.context,
                               supervisor_attach(box_fd, streams, &ignored));
        free(pending);
    }
}

void attach_drop(const char *id)
{
    struct list taken;

    take_all(id, &taken);
    list_each(node, &taken) {
        struct pending *pending = container_of(node, struct pending, node);
        pending->later.connect(pending->later.context, -1);
        free(pending);
    }
}

static int get(struct task *task, const char *ref, struct container *container, struct error *err)
{
    if (container_get(task, ref, container, err) < 0)
        return -1;
    if (strcmp(container->state, "paused") == 0)
        return fail(err, ERR_CONFLICT,
                    "container %s is paused, unpause the container before attach", ref);
    if (strcmp(container->state, "restarting") == 0)
        return fail(err, ERR_CONFLICT,
                    "container %s is restarting, wait until the container is running", ref);
    return 0;
}

static int connect_now(struct task *task, const char *id, const struct attach_spec *spec,
                       struct error *err)
{
    cleanup_fd int box_fd = box_open(task, id, err);
    char streams[STREAMS_SIZE];

    streams_text(spec, streams);
    return box_fd < 0 ? -1 : supervisor_attach(box_fd, streams, err);
}

static struct pending *add(const char *id, const struct attach_spec *spec,
                           const struct attach_later *later)
{
    struct pending *pending = mem_alloc(sizeof(*pending));

    *pending = (struct pending){ .spec = *spec, .later = *later };
    memcpy(pending->id, id, sizeof(pending->id));
    LOCK_SCOPE(&lock);
    list_append(&pendings, &pending->node);
    return pending;
}

/* False: someone else has it already (and may have freed it). */
static bool take_back(struct pending *pending)
{
    bool is_found = false;

    {
        LOCK_SCOPE(&lock);
        list_each(node, &pendings)
            is_found = is_found || node == &pending->node;
        if (is_found)
            list_remove(&pending->node);
    }
    if (is_found)
        free(pending);
    return is_found;
}

static void take_all(const char *id, struct list *taken)
{
    list_init(taken);
    LOCK_SCOPE(&lock);
    list_each(node, &pendings) {
        struct pending *pending = container_of(node, struct pending, node);
        if (strcmp(pending->id, id) != 0)
            continue;
        list_remove(node);
        list_append(taken, node);
    }
}

static void streams_text(const struct attach_spec *spec, char text[STREAMS_SIZE])
{
    const struct {
        bool is_wanted;
        const char *name;
    } streams[] = {
        { spec->has_stdin, "stdin" },
        { spec->has_stdout, "stdout" },
        { spec->has_stderr, "stderr" },
        { spec->has_logs, "logs" },
    };

    int size = 0;

    text[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
        if (streams[i].is_wanted) /* all four fit */
            size += snprintf(text + size, STREAMS_SIZE - (size_t)size, "%s%s", size == 0 ? "" : ",",
                             streams[i].name);
}
