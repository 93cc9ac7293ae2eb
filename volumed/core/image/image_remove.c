/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rm and prune.  All rows go in one transaction, which also decides; the directories of layers that
 * nothing stands on any more follow it.  Rules and texts are dockerd's.
 */
#include <string.h>

#include "base/log.h"
#include "core/image/image.h"
#include "core/image/image_match.h"
#include "core/image/image_ref.h"
#include "core/image/layer.h"
#include "core/operation/event.h"
#include "core/operation/image_kinds.h"
#include "store/db.h"
#include "store/image.h"

struct removal {
    const char *ref; /* what the client said; NULL when pruning */
    const struct filter *filter;
    bool force;
    bool is_dry_run;
    json_t *report;
    struct layer *layers; /* gone */
    size_t layer_count;
    int64_t reclaimed_bytes;
};

/* Why an image has to stay. */
enum conflict {
    CONFLICT_NONE,
    CONFLICT_SOFT, /* 'force' overrides it */
    CONFLICT_HARD
};

static int remove_finish(struct task *task, struct op *op, struct error *err);
static void remove_after(struct task *task, struct op *op, bool is_done);
static int remove_named(struct task *task, struct removal *removal, const struct image_ref *ref,
                        const struct image *image, struct error *err);
static int remove_identified(struct task *task, struct removal *removal, const struct image *image,
                             struct error *err);
static int untag(struct task *task, struct removal *removal, const char *id, const char *name,
                 struct error *err);
static int delete_image(struct task *task, struct removal *removal, const char *id,
                        struct error *err);
static int delete_parents(struct task *task, struct removal *removal, const char *id,
                          struct error *err);
static int find_conflict(struct task *task, const struct image *image, enum conflict *conflict,
                         const char **reason, struct error *err);
static int fail_conflict(struct task *task, const struct image *image, enum conflict conflict,
                         const char *reason, struct error *err);
static bool has_one_repository(const struct image *image);
static size_t repository_length(const char *name);
static int read_full(struct task *task, const char *id, struct image *image, struct error *err);
static void report_pair(struct removal *removal, const char *key, const char *value);
static int prune_finish(struct task *task, struct op *op, struct error *err);
static int prune_image(struct task *task, struct removal *removal, const struct image *image,
                       struct error *err);
static int collect(struct task *task, struct removal *removal, struct error *err);
static int count_users(struct task *task, const char *id, struct error *err);

static const char *const no_tags[] = { NULL };

const char *const image_prune_filters[] = { "dangling", "label", "label!", "until", NULL };

const struct op_kind image_remove_kind = {
    .name = "image.remove",
    .finish = remove_finish,
    .after = remove_after,
};

const struct op_kind image_prune_kind = {
    .name = "image.prune",
    .finish = prune_finish,
    .after = remove_after,
};

int image_remove(struct task *task, const char *ref, bool force, json_t **report, struct error *err)
{
    cleanup_json json_t *built = json_array();
    struct removal removal = { .ref = ref, .force = force, .report = built };
    cleanup_op struct op op = {
        .kind = &image_remove_kind,
        .data = &removal,
        .subject = arena_printf(task->mem, "image '%s'", ref),
    };

    if (op_run(task, &op, err) < 0)
        return -1;
    *report = json_incref(op.result);
    return 0;
}

int image_prune(struct task *task, const struct filter *filter, bool is_dry_run, json_t **report,
                int64_t *reclaimed_bytes, struct error *err)
{
    cleanup_json json_t *built = json_array();
    struct removal removal = { .filter = filter, .is_dry_run = is_dry_run, .report = built };
    cleanup_op struct op op = {
        .kind = &image_prune_kind,
        .data = &removal,
        .subject = "unused images",
    };

    if (is_dry_run) {
        /* The same work in a transaction that is not committed. */
        cleanup_tx struct tx tx = { 0 };
        if (tx_begin(&tx, task->db, err) < 0 || prune_finish(task, &op, err) < 0)
            return -1;
    } else if (op_run(task, &op, err) < 0) {
        return -1;
    }
    *report = json_incref(op.result);
    *reclaimed_bytes = removal.reclaimed_bytes;
    return 0;
}

static int remove_finish(struct task *task, struct op *op, struct error *err)
{
    struct removal *removal = op->data;
    struct image_ref ref;
    struct image image;

    if (image_ref_find(task, removal->ref, &ref, err) < 0 ||
        read_full(task, ref.id, &image, err) < 0)
        return -1;
    int rc = ref.name != NULL ? remove_named(task, removal, &ref, &image, err)
                              : remove_identified(task, removal, &image, err);
    if (rc < 0 || collect(task, removal, err) < 0)
        return -1;
    op->result = json_incref(removal->report);
    return 0;
}

static void remove_after(struct task *task, struct op *op, bool is_done)
{
    const struct removal *removal = op->data;
    struct error err;

    for (size_t i = 0; is_done && i < removal->layer_count; i++)
        if (layer_discard(task, &removal->layers[i], &err) < 0)
            log_warn("layer left id=%s error=\"%s\"", removal->layers[i].dir_id, err.message);
}

/* A name goes; the image too when it was its last one and nothing needs it. */
static int remove_named(struct task *task, struct removal *removal, const struct image_ref *ref,
                        const struct image *image, struct error *err)
{
    struct image_user *users;
    enum conflict conflict;
    const char *reason;

    int count = store_image_list_users(task->db, task->mem, image->id, &users, err);
    if (count < 0)
        return -1;
    bool is_last = image->tags[1] == NULL;
    if (!removal->force && is_last && count > 0)
        return fail(err, ERR_CONFLICT,
                    "conflict: unable to remove repository reference \"%s\" (must force) - "
                    "container %.12s is using its referenced image %s",
                    removal->ref, users[0].container_id, image_short_id(task->mem, image->id));
    if (untag(task, removal, image->id, ref->name, err) < 0)
        return -1;
    if (!is_last)
        return 0;
    struct image bare = *image;
    bare.tags = no_tags;
    if (find_conflict(task, &bare, &conflict, &reason, err) < 0)
        return -1;
    /* The name is gone as was asked; what still needs the image keeps it, nameless. */
    if (conflict == CONFLICT_HARD || (conflict == CONFLICT_SOFT && !removal->force))
        return 0;
    return delete_image(task, removal, image->id, err);
}

static int remove_identified(struct task *task, struct removal *removal, const struct image *image,
                             struct error *err)
{
    enum conflict conflict;
    const char *reason;
    struct image judged = *image;

    /* All names of one repository go along with the id. */
    if (has_one_repository(image))
        judged.tags = no_tags;
    if (find_conflict(task, &judged, &conflict, &reason, err) < 0)
        return -1;
    if (conflict == CONFLICT_HARD || (conflict == CONFLICT_SOFT && !removal->force))
        return fail_conflict(task, image, conflict, reason, err);
    for (size_t i = 0; image->tags[i] != NULL; i++)
        if (untag(task, removal, image->id, image->tags[i], err) < 0)
            return -1;
    return delete_image(task, removal, image->id, err);
}

static int untag(struct task *task, struct removal *removal, const char *id, const char *name,
                 struct error *err)
{
    const char *familiar = image_name_familiar(task->mem, name);
    struct pairs attributes = { 0 };

    if (store_image_untag(task->db, name, err) < 0)
        return -1;
    report_pair(removal, "Untagged", familiar);
    pairs_set(&attributes, task->mem, "name", familiar);
    return event_emit(task, "image", "untag", id, &attributes, err);
}

static int delete_image(struct task *task, struct removal *removal, const char *id,
                        struct error *err)
{
    struct image image;

    if (read_full(task, id, &image, err) < 0 || store_image_delete(task->db, id, err) < 0)
        return -1;
    report_pair(removal, "Deleted", id);
    if (event_emit(task, "image", "delete", id, NULL, err) < 0)
        return -1;
    return image.parent == NULL ? 0 : delete_parents(task, removal, image.parent, err);
}

/* Nameless images below it that nothing else needs. */
static int delete_parents(struct task *task, struct removal *removal, const char *id,
                          struct error *err)
{
    while (id != NULL) {
        struct image image;
        enum conflict conflict;
        const char *reason;
        int found = store_image_find(task->db, task->mem, id, &image, err);
        if (found <= 0)
            return found;
        if (image.tags[0] != NULL)
            return 0;
        if (find_conflict(task, &image, &conflict, &reason, err) < 0)
            return -1;
        if (conflict != CONFLICT_NONE)
            return 0;
        if (store_image_delete(task->db, id, err) < 0 ||
            event_emit(task, "image", "delete", id, NULL, err) < 0)
            return -1;
        report_pair(removal, "Deleted", id);
        id = image.parent;
    }
    return 0;
}

static int find_conflict(struct task *task, const struct image *image, enum conflict *conflict,
                         const char **reason, struct error *err)
{
    struct image_user *users;
    int64_t children = 0;
    int count = store_image_list_users(task->db, task->mem, image->id, &users, err);

    if (count < 0 || store_image_count_children(task->db, image->id, &children, err) < 0)
        return -1;
    *conflict = CONFLICT_HARD;
    *reason = "image has dependent child images";
    if (children > 0)
        return 0;
    if (count > 0) {
        *conflict = users[0].is_running ? CONFLICT_HARD : CONFLICT_SOFT;
        *reason = arena_printf(task->mem, "image is being used by %s container %.12s",
                               users[0].is_running ? "running" : "stopped", users[0].container_id);
        return 0;
    }
    *conflict = image->tags[0] != NULL ? CONFLICT_SOFT : CONFLICT_NONE;
    *reason = "image is referenced in multiple repositories";
    return 0;
}

static int fail_conflict(struct task *task, const struct image *image, enum conflict conflict,
                         const char *reason, struct error *err)
{
    return fail(err, ERR_CONFLICT, "conflict: unable to delete %s (%s) - %s",
                image_short_id(task->mem, image->id),
                conflict == CONFLICT_HARD ? "cannot be forced" : "must be forced", reason);
}

static bool has_one_repository(const struct image *image)
{
    size_t length = image->tags[0] == NULL ? 0 : repository_length(image->tags[0]);

    for (size_t i = 1; length > 0 && image->tags[i] != NULL; i++)
        if (repository_length(image->tags[i]) != length ||
            strncmp(image->tags[i], image->tags[0], length) != 0)
            return false;
    return true;
}

/* A full name's part before its tag. */
static size_t repository_length(const char *name)
{
    const char *path = strchr(name, '/'); /* a port may come before it */

    return (size_t)(path - name) + strcspn(path, ":@");
}

/* The row, its tags still full. */
static int read_full(struct task *task, const char *id, struct image *image, struct error *err)
{
    int found = store_image_find(task->db, task->mem, id, image, err);

    if (found < 0)
        return -1;
    return found > 0 ? 0 : fail(err, ERR_NOT_FOUND, "No such image: %s", id);
}

static void report_pair(struct removal *removal, const char *key, const char *value)
{
    json_t *item = json_object();

    json_set(item, key, json_text(value));
    (void)json_array_append_new(removal->report, item); /* fails only for want of memory */
}

static int prune_finish(struct task *task, struct op *op, struct error *err)
{
    struct removal *removal = op->data;
    struct filter kept = { 0 }; /* without "dangling", which is not a property here */
    struct image_match match;
    struct image *images;
    bool is_dangling = true;

    if (filter_get_bool(removal->filter, "dangling", &is_dangling, err) < 0)
        return -1;
    kept.terms = arena_array(task->mem, removal->filter->count, sizeof(*kept.terms));
    for (size_t i = 0; i < removal->filter->count; i++)
        if (strcmp(removal->filter->terms[i].key, "dangling") != 0)
            kept.terms[kept.count++] = removal->filter->terms[i];
    if (image_match_init(task, &kept, &match, err) < 0)
        return -1;
    int count = store_image_list(task->db, task->mem, &images, err);
    for (int i = 0; i < count; i++) {
        struct image judged = images[i];
        int fits =
            is_dangling && images[i].tags[0] != NULL ? 0 : image_match_test(&match, &judged, err);
        if (fits < 0 || (fits > 0 && prune_image(task, removal, &images[i], err) < 0))
            return -1;
    }
    if (count < 0 || collect(task, removal, err) < 0)
        return -1;
    op->result = json_incref(removal->report);
    return 0;
}

static int prune_image(struct task *task, struct removal *removal, const struct image *image,
                       struct error *err)
{
    int64_t children = 0;
    int users = count_users(task, image->id, err);

    if (users < 0 || store_image_count_children(task->db, image->id, &children, err) < 0)
        return -1;
    struct image present;
    int found = store_image_find(task->db, task->mem, image->id, &present, err);
    if (found <= 0 || users > 0 || children > 0) /* it may have gone as another's parent */
        return found < 0 ? -1 : 0;
    for (size_t i = 0; image->tags[i] != NULL; i++)
        if (untag(task, removal, image->id, image->tags[i], err) < 0)
            return -1;
    return delete_image(task, removal, image->id, err);
}

/* Layers that nothing stands on any more. */
static int collect(struct task *task, struct removal *removal, struct error *err)
{
    if (layer_forget_unused(task, &removal->layers, &removal->layer_count, err) < 0)
        return -1;
    for (size_t i = 0; i < removal->layer_count; i++) {
        removal->reclaimed_bytes += removal->layers[i].size_bytes;
        report_pair(removal, "Deleted", removal->layers[i].chain_id);
    }
    return 0;
}

static int count_users(struct task *task, const char *id, struct error *err)
{
    struct image_user *users;

    return store_image_list_users(task->db, task->mem, id, &users, err);
}
