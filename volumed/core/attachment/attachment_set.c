/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments on their way into rows.  Volumes to be made are built on disk first, filled from the
 * image, and get their rows in the transaction that publishes the container: one commit for all,
 * nothing left behind by a create that fails.
 */
#include <string.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "core/attachment/attachment.h"
#include "core/attachment/attachment_snapshot.h"
#include "core/operation/claim.h"
#include "core/pool/pool.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_draft.h"
#include "core/volume/volume_seed.h"
#include "store/attachment.h"
#include "store/volume.h"

#define ATTACHMENTS_MAX 1000

struct attachment_build {
    struct volume_draft draft;
    bool is_new;  /* no volume of that name was there; the draft is to be made */
    bool is_used; /* the draft got its row */
    int same_as;  /* an earlier item makes the same volume; -1: none does */
    struct claim claim;
    struct attachment_cut cut; /* the snapshot below a scratch on the volume itself */
};

static int place(struct task *task, struct attachment *item, struct error *err);
static int check_duplicates(const struct attachment_set *set, struct error *err);
static void order(struct attachment_set *set);
static int find_volume(struct task *task, struct attachment_set *set, size_t i, struct error *err);
static int draft_volume(struct task *task, struct attachment_set *set, size_t i, struct error *err);
static bool wants_content(const struct attachment *item, const struct attachment_source *source);
static int build_new(struct task *task, struct attachment_set *set, size_t i,
                     const struct attachment_source *source, struct error *err);
static int seed_existing(struct task *task, const struct attachment *item,
                         const struct attachment_source *source, struct error *err);
static int is_seedable(struct task *task, const struct volume *volume, struct error *err);
static int insert_volume(struct task *task, struct attachment_set *set, size_t i,
                         struct error *err);

int attachment_set_plan(struct task *task, const struct attachment *wanted, size_t count,
                        struct attachment_set *set, struct error *err)
{
    struct attachment_set planned = { .count = count };

    if (count > ATTACHMENTS_MAX)
        return fail(err, ERR_INVALID, "more than %d volumes", ATTACHMENTS_MAX);
    planned.items = arena_array(task->mem, count + 1, sizeof(*planned.items));
    planned.builds = arena_array(task->mem, count + 1, sizeof(*planned.builds));
    for (size_t i = 0; i < count; i++) {
        planned.items[i] = wanted[i];
        if (place(task, &planned.items[i], err) < 0)
            return -1;
    }
    order(&planned);
    if (check_duplicates(&planned, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (find_volume(task, &planned, i, err) < 0)
            return -1;
    *set = planned;
    return 0;
}

int attachment_set_build(struct task *task, struct attachment_set *set,
                         const struct attachment_source *source, struct error *err)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct attachment_build *build = &set->builds[i];
        int rc = 0;
        if (build->is_new && build->same_as < 0)
            rc = build_new(task, set, i, source, err);
        else if (!build->is_new && wants_content(&set->items[i], source))
            rc = seed_existing(task, &set->items[i], source, err);
        if (rc == 0 && set->items[i].is_scratch && set->items[i].snapshot_id == NULL)
            rc = attachment_cut_build(task, &set->items[i], &set->builds[i].cut, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

int attachment_set_insert(struct task *task, struct attachment_set *set, const char *container_id,
                          struct error *err)
{
    for (size_t i = 0; i < set->count; i++) {
        struct attachment *item = &set->items[i];
        item->container_id = container_id;
        if (insert_volume(task, set, i, err) < 0 ||
            attachment_cut_insert(task, item, &set->builds[i].cut, err) < 0 ||
            store_attachment_insert(task->db, item, err) < 0)
            return -1;
    }
    return 0;
}

void attachment_set_done(struct task *task, struct attachment_set *set, bool is_published)
{
    for (size_t i = 0; i < set->count; i++) {
        struct attachment_build *build = &set->builds[i];
        attachment_cut_done(task, &build->cut, is_published);
        if (build->claim.name == NULL)
            continue;
        if (!is_published || !build->is_used)
            volume_data_discard(task, build->draft.volume.pool_id, build->draft.volume.data_id);
        claim_leave(&build->claim);
    }
}

static int place(struct task *task, struct attachment *item, struct error *err)
{
    if (item->destination == NULL || item->destination[0] != '/')
        return fail(err, ERR_INVALID, "invalid mount path: '%s' mount path must be absolute",
                    item->destination != NULL ? item->destination : "");
    item->destination = path_clean(task->mem, item->destination);
    if (strcmp(item->destination, "/") == 0)
        return fail(err, ERR_INVALID, "invalid specification: destination can't be '/'");
    if (item->subpath == NULL)
        item->subpath = "";
    if (item->subpath[0] == '/' || strstr(item->subpath, "..") != NULL) {
        /* ".." inside a name is harmless; as a component it is not. */
        const char *clean = path_clean(task->mem, item->subpath);
        if (item->subpath[0] == '/' || strcmp(clean + 1, item->subpath) != 0)
            return fail(err, ERR_INVALID,
                        "invalid volume subpath '%s': it must be a relative path within the volume",
                        item->subpath);
    }
    return 0;
}

static int check_duplicates(const struct attachment_set *set, struct error *err)
{
    for (size_t i = 0; i < set->count; i++)
        for (size_t k = i + 1; k < set->count; k++)
            if (strcmp(set->items[i].destination, set->items[k].destination) == 0)
                return fail(err, ERR_INVALID, "Duplicate mount point: %s",
                            set->items[i].destination);
    return 0;
}

/* Parents before children, otherwise as given: insertion sort is stable, and lists are short. */
static void order(struct attachment_set *set)
{
    for (size_t i = 1; i < set->count; i++) {
        struct attachment item = set->items[i];
        int depth = path_depth(item.destination);
        size_t at = i;
        for (; at > 0 && path_depth(set->items[at - 1].destination) > depth; at--)
            set->items[at] = set->items[at - 1];
        set->items[at] = item;
    }
}

static int find_volume(struct task *task, struct attachment_set *set, size_t i, struct error *err)
{
    struct attachment *item = &set->items[i];
    struct volume volume;

    set->builds[i].same_as = -1;
    if (item->volume_id != NULL && *item->volume_id != '\0')
        return 0; /* of --volumes-from */
    if (attachment_snapshot_check(item, err) < 0)
        return -1;
    item->is_anonymous = item->volume_name == NULL || *item->volume_name == '\0';
    int found = item->is_anonymous
                    ? 0
                    : store_volume_find(task->db, task->mem, item->volume_name, &volume, err);
    if (found < 0)
        return -1;
    if (found == 0 || strcmp(volume.name, item->volume_name) != 0) {
        if (attachment_shows_snapshot(item))
            return fail(err, ERR_NOT_FOUND, "get %s: no such volume", item->volume_name);
        return draft_volume(task, set, i, err);
    }
    if (item->driver_options.count > 0 && !pairs_equal(&item->driver_options, &volume.options))
        return fail(err, ERR_CONFLICT, "volume '%s' exists already, with other options",
                    volume.name);
    item->volume_id = volume.id;
    return attachment_shows_snapshot(item) ? attachment_snapshot_find(task, item, &volume, err) : 0;
}

static int draft_volume(struct task *task, struct attachment_set *set, size_t i, struct error *err)
{
    struct attachment *item = &set->items[i];
    struct attachment_build *build = &set->builds[i];
    struct volume_spec spec = VOLUME_SPEC_EMPTY;

    build->is_new = true;
    for (size_t k = 0; k < i && !item->is_anonymous; k++) {
        if (!set->builds[k].is_new || strcmp(set->items[k].volume_name, item->volume_name) != 0)
            continue;
        build->same_as = (int)k;
        return 0;
    }
    spec.name = item->is_anonymous ? NULL : item->volume_name;
    spec.driver = item->driver;
    spec.options = item->driver_options;
    spec.labels = item->labels;
    if (volume_draft(task, &spec, &build->draft, err) < 0)
        return -1;
    if (build->draft.from_volume != NULL)
        return fail(err, ERR_UNSUPPORTED,
                    "volume '%s' does not exist; make it with 'from' before the container",
                    build->draft.volume.name);
    item->volume_name = build->draft.volume.name;
    return 0;
}

static bool wants_content(const struct attachment *item, const struct attachment_source *source)
{
    return source != NULL && !item->is_nocopy && *item->subpath == '\0' &&
           !attachment_shows_snapshot(item);
}

static int build_new(struct task *task, struct attachment_set *set, size_t i,
                     const struct attachment_source *source, struct error *err)
{
    struct attachment_build *build = &set->builds[i];
    const struct attachment *item = &set->items[i];
    struct volume *volume = &build->draft.volume;
    const struct driver_pool *pool = NULL;
    cleanup_fd int source_fd = -1;

    if (wants_content(item, source) && !volume_is_foreign(volume) && !build->draft.shape.is_nocow) {
        source_fd = source->open(source->context, item->destination, err);
        if (source_fd < 0 && err->code != ERR_NOT_FOUND)
            return -1;
    }
    if (source_fd < 0)
        return volume_data_create(task, volume, &build->draft.shape, &build->claim, err);
    claim_enter(&build->claim, volume->data_id);
    if (volume_data_fill(task, volume, source_fd, err) < 0 ||
        pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    volume->is_seeded = true;
    volume->seeded_from = volume_seed_record(task, source->image, item->destination);
    return volume_shape_is_given(&build->draft.shape)
               ? volume_data_shape(pool, volume->data_id, &build->draft.shape, err)
               : 0;
}

static int seed_existing(struct task *task, const struct attachment *item,
                         const struct attachment_source *source, struct error *err)
{
    struct volume volume;
    int found = store_volume_find_id(task->db, task->mem, item->volume_id, &volume, err);

    if (found <= 0)
        return found; /* removed meanwhile: insert will tell */
    int seedable = is_seedable(task, &volume, err);
    if (seedable <= 0)
        return seedable;
    cleanup_fd int source_fd = source->open(source->context, item->destination, err);
    if (source_fd < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    return volume_seed(task, &volume, source_fd, source->image, item->destination, err);
}

/* Asked before the image is opened; volume_seed asks again under its intent. */
static int is_seedable(struct task *task, const struct volume *volume, struct error *err)
{
    const struct driver_pool *pool = NULL;
    bool is_empty = false;

    if (volume->is_seeded || volume_is_foreign(volume))
        return 0;
    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    cleanup_fd int fd = volume_data_open(pool, volume, err);
    if (fd < 0 || fs_dir_is_empty(fd, &is_empty, err) < 0)
        return -1;
    return is_empty;
}

/* Somebody may have made a volume of that name meanwhile: then theirs it is, and ours goes. */
static int insert_volume(struct task *task, struct attachment_set *set, size_t i, struct error *err)
{
    struct attachment *item = &set->items[i];
    struct attachment_build *build = &set->builds[i];
    struct volume volume;

    if (build->is_new && build->same_as >= 0) {
        item->volume_id = set->items[build->same_as].volume_id;
        return 0;
    }
    int found = build->is_new
                    ? store_volume_find(task->db, task->mem, item->volume_name, &volume, err)
                    : store_volume_find_id(task->db, task->mem, item->volume_id, &volume, err);
    if (found < 0)
        return -1;
    if (found > 0) {
        item->volume_id = volume.id;
        item->volume_name = volume.name;
        return 0;
    }
    if (!build->is_new)
        return fail(err, ERR_CONFLICT, "volume '%s' was removed meanwhile", item->volume_name);
    item->volume_id = build->draft.volume.id;
    build->is_used = true;
    return volume_draft_insert(task, &build->draft, err);
}
