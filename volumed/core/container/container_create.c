/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container.  Box and volumes' data are built under ids that nobody knows yet; one
 * transaction publishes them all, so a create is one durable commit and a crash leaves only
 * garbage.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/sys.h"
#include "core/attachment/attachment.h"
#include "core/box/box.h"
#include "core/container/container.h"
#include "core/container/container_config.h"
#include "core/container/container_event.h"
#include "core/container/container_host.h"
#include "core/container/container_mount.h"
#include "core/container/container_name.h"
#include "core/image/image.h"
#include "core/operation/claim.h"
#include "core/operation/container_kinds.h"
#include "core/operation/op.h"
#include "core/recreate/carry.h"
#include "model/name.h"
#include "mount/overlay.h"
#include "store/container.h"

#define NAME_ATTEMPTS 32

/* The image's tree, opened when the first volume wants to be filled from it. */
struct image_view {
    struct task *task;
    const char *chain_id;
    int fd; /* -1: not opened */
};

struct creation {
    struct container container;
    struct attachment_set set;
    struct image_view view;
    struct claim claim; /* reconcile keeps its hands off the box */
    struct carry carry; /* what a removed predecessor had */
    char id[HEX_ID_SIZE];
};

static int create_apply(struct task *task, struct op *op, struct error *err);
static int create_finish(struct task *task, struct op *op, struct error *err);
static int create_revert(struct task *task, struct op *op, struct error *err);
static void create_after(struct task *task, struct op *op, bool is_done);
static int run(struct task *task, struct creation *creation, const struct host_warnings *warnings,
               struct op *op, struct error *err);
static int fill(struct task *task, const struct container_spec *spec, struct creation *creation,
                struct host_warnings *warnings, struct error *err);
static int fill_config(struct task *task, const struct container_spec *spec,
                       const struct image *image, struct creation *creation, struct error *err);
static int fill_name(struct task *task, const char *wanted, struct container *container,
                     struct error *err);
static int fill_mounts(struct task *task, const struct container_spec *spec,
                       struct creation *creation, struct error *err);
static void carry(struct task *task, const struct attachment *carried, size_t carried_count,
                  struct mount_plan *plan);
static bool is_taken(const struct mount_plan *plan, const char *destination);
static int name_is_free(struct task *task, const char *name, struct error *err);
static int name_taken(const char *name, const char *holder, struct error *err);
static void set_host_name(struct creation *creation, const json_t *request);
static int view_open_dir(void *context, const char *destination, struct error *err);
static int view_open(struct image_view *view, struct error *err);
static int read_result(struct task *task, const struct op *op, const char **id,
                       const char *const **warnings, struct error *err);

const struct op_kind container_create_kind = {
    .name = "container.create",
    .apply = create_apply,
    .finish = create_finish,
    .revert = create_revert,
    .after = create_after,
};

int container_create(struct task *task, const struct container_spec *spec, const char **id,
                     const char *const **warnings, struct error *err)
{
    struct creation *creation = arena_alloc(task->mem, sizeof(*creation));
    struct host_warnings told = { 0 };
    cleanup_op struct op op = { .kind = &container_create_kind, .data = creation };

    creation->view = (struct image_view){ .task = task, .fd = -1 };
    hex_id_make(creation->id);
    creation->container.id = creation->id;
    claim_enter(&creation->claim, creation->id);
    int rc = fill(task, spec, creation, &told, err);
    if (rc == 0)
        rc = run(task, creation, &told, &op, err);
    /* NOT_FOUND makes clients pull the image; that a volume or container is missing must not. */
    if (rc < 0 && creation->container.image_id != NULL && err->code == ERR_NOT_FOUND)
        err->code = ERR_INVALID;
    if (rc < 0)
        carry_undo(task, &creation->carry);
    sys_close_fd(&creation->view.fd);
    container_done(&creation->container);
    claim_leave(&creation->claim);
    return rc < 0 ? -1 : read_result(task, &op, id, warnings, err);
}

static int run(struct task *task, struct creation *creation, const struct host_warnings *warnings,
               struct op *op, struct error *err)
{
    op->subject = arena_printf(task->mem, "container '%s'", creation->container.name);
    op->result = json_pack("{ss so}", "Id", creation->id, "Warnings", json_list(warnings->items));
    return op_run(task, op, err);
}

/* From the result, which is the first run's when the request is repeated with its key. */
static int read_result(struct task *task, const struct op *op, const char **id,
                       const char *const **warnings, struct error *err)
{
    if (json_get_text(op->result, "Id", task->mem, id, err) < 0)
        return -1;
    return json_get_list(op->result, "Warnings", task->mem, warnings, err);
}

static int fill(struct task *task, const struct container_spec *spec, struct creation *creation,
                struct host_warnings *warnings, struct error *err)
{
    struct container *container = &creation->container;
    struct image image = { 0 };

    container->host_config = host_config_complete(spec->host_config, task->mem, warnings, err);
    if (container->host_config == NULL || fill_name(task, spec->name, container, err) < 0)
        return -1;
    if (spec->image == NULL || spec->image[0] == '\0')
        return fail(err, ERR_INVALID, "no image specified: Config.Image is empty");
    if (image_get(task, spec->image, &image, err) < 0)
        return -1;
    if (fill_config(task, spec, &image, creation, err) < 0)
        return -1;
    container->image_id = image.id;
    container->image_name = spec->image;
    container->chain_id = image.chain_id;
    container->state = "created";
    container->error = "";
    container->health = "";
    container->generation = spec->generation > 0 ? spec->generation : 1;
    container->created_ns = clock_now_ns();
    container->is_auto_remove = json_is_true(json_object_get(container->host_config, "AutoRemove"));
    container->networking =
        spec->networking != NULL ? json_deep_copy(spec->networking) : json_object();
    creation->view.chain_id = image.chain_id;
    if (spec->may_carry &&
        carry_find(task, container->name, container->config, &creation->carry, err) < 0)
        return -1;
    host_warn(warnings, creation->carry.warning);
    return fill_mounts(task, spec, creation, err);
}

static int fill_config(struct task *task, const struct container_spec *spec,
                       const struct image *image, struct creation *creation, struct error *err)
{
    struct container *container = &creation->container;
    cleanup_json json_t *document = json_read(image->config, strlen(image->config), err);

    if (document == NULL)
        return -1;
    container->config = config_complete(spec->config, json_member(document, "config"), spec->image,
                                        creation->id, err);
    if (container->config == NULL)
        return -1;
    set_host_name(creation, spec->config);
    return config_command(container->config, task->mem, &container->path, &container->args, err);
}

/* In the host's network the host's name holds, unless another was asked for. */
static void set_host_name(struct creation *creation, const json_t *request)
{
    char name[256] = "";

    if (!host_network_is_host(creation->container.host_config) ||
        json_string_length(json_member(request, "Hostname")) > 0)
        return;
    if (gethostname(name, sizeof(name) - 1) == 0)
        json_set(creation->container.config, "Hostname", json_text(name));
}

static int fill_name(struct task *task, const char *wanted, struct container *container,
                     struct error *err)
{
    if (wanted != NULL && wanted[0] == '/')
        wanted++;
    if (wanted != NULL && wanted[0] != '\0') {
        container->name = wanted;
        return name_check("container", wanted, err) < 0 ? -1 : name_is_free(task, wanted, err);
    }
    for (int i = 0; i < NAME_ATTEMPTS; i++) {
        container->name = container_name_invent(task->mem, i);
        if (name_is_free(task, container->name, err) == 0)
            return 0;
        if (err->code != ERR_CONFLICT)
            return -1;
    }
    container->name = arena_strndup(task->mem, container->id, 12);
    return 0;
}

static int name_is_free(struct task *task, const char *name, struct error *err)
{
    const char *holder = NULL;

    if (store_container_find_name(task->db, task->mem, name, &holder, err) < 0)
        return -1;
    return holder == NULL ? 0 : name_taken(name, holder, err);
}

static int name_taken(const char *name, const char *holder, struct error *err)
{
    return fail(err, ERR_CONFLICT,
                "Conflict. The container name \"/%s\" is already in use by container \"%s\". You"
                " have to remove (or rename) that container to be able to reuse that name.",
                name, holder);
}

static int fill_mounts(struct task *task, const struct container_spec *spec,
                       struct creation *creation, struct error *err)
{
    struct container *container = &creation->container;
    struct mount_plan plan;

    if (mount_plan_make(task, container->config, container->host_config, &plan, err) < 0)
        return -1;
    carry(task, spec->carried, spec->carried_count, &plan);
    carry(task, creation->carry.items, creation->carry.count, &plan);
    container->mounts = plan.mounts;
    return attachment_set_plan(task, plan.attachments, plan.attachment_count, &creation->set, err);
}

/* What a predecessor had, but where this one is to have something of its own. */
static void carry(struct task *task, const struct attachment *carried, size_t carried_count,
                  struct mount_plan *plan)
{
    struct attachment *wanted = arena_array(task->mem, carried_count + 1, sizeof(*wanted));
    size_t count = 0;

    for (size_t i = 0; i < carried_count; i++)
        if (!is_taken(plan, carried[i].destination))
            wanted[count++] = carried[i];
    attachment_merge(task, &plan->attachments, &plan->attachment_count, wanted, count);
}

/* By something that has a name; an anonymous volume is what is carried over. */
static bool is_taken(const struct mount_plan *plan, const char *destination)
{
    size_t i;
    json_t *mount;

    for (i = 0; i < plan->attachment_count; i++)
        if (strcmp(plan->attachments[i].destination, destination) == 0 &&
            plan->attachments[i].volume_name != NULL && plan->attachments[i].volume_id == NULL)
            return true;
    json_array_foreach(plan->mounts, i, mount)
    {
        if (strcmp(json_string_value(json_object_get(mount, "Destination")), destination) == 0)
            return true;
    }
    return false;
}

static int create_apply(struct task *task, struct op *op, struct error *err)
{
    struct creation *creation = op->data;
    struct attachment_source source = {
        .open = view_open_dir,
        .context = &creation->view,
        .image = creation->container.image_id,
    };

    if (box_make(task, creation->id, err) < 0)
        return -1;
    return attachment_set_build(task, &creation->set,
                                creation->container.chain_id != NULL ? &source : NULL, err);
}

static int create_finish(struct task *task, struct op *op, struct error *err)
{
    struct creation *creation = op->data;

    /* Again, under the write lock: another may have taken it meanwhile. */
    if (name_is_free(task, creation->container.name, err) < 0 ||
        store_container_insert(task->db, &creation->container, err) < 0 ||
        attachment_set_insert(task, &creation->set, creation->id, err) < 0 ||
        carry_settle(task, creation->container.name, err) < 0)
        return -1;
    return container_emit(task, &creation->container, "create", NULL, err);
}

static int create_revert(struct task *task, struct op *op, struct error *err)
{
    const struct creation *creation = op->data;

    return box_remove(task, creation->id, err);
}

static void create_after(struct task *task, struct op *op, bool is_done)
{
    struct creation *creation = op->data;

    attachment_set_done(task, &creation->set, is_done);
}

static int view_open_dir(void *context, const char *destination, struct error *err)
{
    struct image_view *view = context;

    if (view->fd < 0 && view_open(view, err) < 0)
        return -1;
    int fd = path_open_in_root(view->fd, destination, O_RDONLY | O_DIRECTORY);
    if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
        return fail(err, ERR_NOT_FOUND, "the image has no directory '%s'", destination);
    return fd < 0 ? fail_sys(err, fd, "cannot open '%s' of the image", destination) : fd;
}

static int view_open(struct image_view *view, struct error *err)
{
    const char *const *dirs;

    if (image_layers(view->task, view->chain_id, &dirs, err) < 0)
        return -1;
    view->fd = overlay_view_open(dirs, err);
    return view->fd < 0 ? -1 : 0;
}
