/* SPDX-License-Identifier: Apache-2.0 */
/* Notes of origins, and following them back. */
#include "core/volume/lineage.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume.h"
#include "store/lineage.h"

/* An ancestry is as deep as people clone clones; what is longer than this is cut off. */
#define NODES_MAX 4096

struct walk {
    struct task *task;
    struct lineage *lineage;
    const char **ids; /* seen; those from 'next' on are still to be asked about */
    size_t id_count;
    size_t id_capacity;
    size_t next;
    size_t edge_capacity;
};

static int follow(struct walk *walk, struct error *err);
static void add_id(struct walk *walk, const char *id);
static int note_snapshot(struct task *task, const char *relation, const struct volume *volume,
                         const struct snapshot *snapshot, const char *detail, struct error *err);
static int note_parent(struct task *task, const struct volume *volume, struct error *err);

int lineage_get(struct task *task, const char *volume_ref, const char *snapshot_name,
                struct lineage *lineage, struct error *err)
{
    struct volume volume;
    struct snapshot snapshot;
    struct lineage found = { .kind = "volume" };
    struct walk walk = { .task = task, .lineage = &found };

    if (volume_ref == NULL) {
        int count = store_lineage_list(task->db, task->mem, NULL, &lineage->edges, err);
        lineage->count = count < 0 ? 0 : (size_t)count;
        return count < 0 ? -1 : 0;
    }
    if (volume_get(task, volume_ref, &volume, err) < 0)
        return -1;
    found.id = volume.id;
    found.name = volume.name;
    if (snapshot_name != NULL) {
        if (snapshot_get(task, volume.id, snapshot_name, &snapshot, err) < 0)
            return -1;
        found.kind = "snapshot";
        found.id = snapshot.id;
        found.name = arena_printf(task->mem, "%s@%s", volume.name, snapshot.name);
    }
    add_id(&walk, found.id);
    while (walk.next < walk.id_count)
        if (follow(&walk, err) < 0)
            return -1;
    *lineage = found;
    return 0;
}

int lineage_note_made(struct task *task, const struct volume *volume, struct error *err)
{
    const char *image = NULL;
    const char *path = NULL;

    if (volume->parent != NULL)
        return note_parent(task, volume, err); /* what seeded that is its own edge */
    if (volume->seeded_from == NULL)
        return 0;
    cleanup_json json_t *seed = json_read(volume->seeded_from, strlen(volume->seeded_from), err);
    if (seed == NULL || json_get_text(seed, "image", task->mem, &image, err) < 0 ||
        json_get_text(seed, "path", task->mem, &path, err) < 0)
        return -1;
    return image == NULL ? 0 : lineage_note_seeded(task, volume, image, path, err);
}

int lineage_note_seeded(struct task *task, const struct volume *volume, const char *image,
                        const char *path, struct error *err)
{
    cleanup_json json_t *detail = json_object();

    json_set(detail, "path", json_text(path));
    const struct lineage_edge edge = {
        .child_id = volume->id,
        .child_name = volume->name,
        .relation = "seeded",
        .parent_kind = "image",
        .parent_id = image,
        .parent_name = image,
        .detail = json_write(task->mem, detail),
        .time_ms = clock_now_ms(),
    };
    return store_lineage_insert(task->db, &edge, err) < 0 ? -1 : 0;
}

int lineage_note_rolled_back(struct task *task, const struct volume *volume,
                             const struct snapshot *snapshot, struct error *err)
{
    return note_snapshot(task, "rolled-back", volume, snapshot, NULL, err);
}

int lineage_note_restored(struct task *task, const struct volume *volume,
                          const struct snapshot *snapshot, const char *files, struct error *err)
{
    return note_snapshot(task, "restored", volume, snapshot, files, err);
}

int lineage_note_started(struct task *task, const char *container_id, struct error *err)
{
    return store_lineage_insert_writer(task->db, container_id, clock_now_ms(), err) < 0 ? -1 : 0;
}

/* One id's edges, and their parents to the ids to ask about. */
static int follow(struct walk *walk, struct error *err)
{
    struct lineage *lineage = walk->lineage;
    struct lineage_edge *list = NULL;
    int count =
        store_lineage_list(walk->task->db, walk->task->mem, walk->ids[walk->next++], &list, err);

    for (int i = 0; i < count; i++) {
        if (lineage->count == walk->edge_capacity)
            lineage->edges = arena_grow(walk->task->mem, lineage->edges, &walk->edge_capacity,
                                        sizeof(*lineage->edges));
        lineage->edges[lineage->count++] = list[i];
        if (strcmp(list[i].parent_kind, "volume") == 0 ||
            strcmp(list[i].parent_kind, "capsule") == 0 || /* whose id is the volume's in it */
            strcmp(list[i].parent_kind, "snapshot") == 0)
            add_id(walk, list[i].parent_id);
    }
    return count < 0 ? -1 : 0;
}

static void add_id(struct walk *walk, const char *id)
{
    for (size_t i = 0; i < walk->id_count; i++)
        if (strcmp(walk->ids[i], id) == 0)
            return;
    if (walk->id_count == NODES_MAX)
        return;
    if (walk->id_count == walk->id_capacity)
        walk->ids = arena_grow(walk->task->mem, walk->ids, &walk->id_capacity, sizeof(*walk->ids));
    walk->ids[walk->id_count++] = id;
}

static int note_snapshot(struct task *task, const char *relation, const struct volume *volume,
                         const struct snapshot *snapshot, const char *detail, struct error *err)
{
    const struct lineage_edge edge = {
        .child_id = volume->id,
        .child_name = volume->name,
        .relation = relation,
        .parent_kind = "snapshot",
        .parent_id = snapshot->id,
        .parent_name = arena_printf(task->mem, "%s@%s", snapshot->volume_name, snapshot->name),
        .detail = detail,
        .time_ms = clock_now_ms(),
    };

    return store_lineage_insert(task->db, &edge, err) < 0 ? -1 : 0;
}

/* volume->parent: {"volume", "volume_id"} and perhaps {"snapshot", "snapshot_id"}. */
static int note_parent(struct task *task, const struct volume *volume, struct error *err)
{
    struct lineage_edge edge = {
        .child_id = volume->id,
        .child_name = volume->name,
        .relation = "cloned",
        .parent_kind = "volume",
        .time_ms = volume->created_ms,
    };
    const char *snapshot = NULL;
    cleanup_json json_t *parent = json_read(volume->parent, strlen(volume->parent), err);

    if (parent == NULL || json_get_text(parent, "volume_id", task->mem, &edge.parent_id, err) < 0 ||
        json_get_text(parent, "volume", task->mem, &edge.parent_name, err) < 0 ||
        json_get_text(parent, "snapshot", task->mem, &snapshot, err) < 0 ||
        json_get_text(parent, "snapshot_id", task->mem, &edge.parent_id, err) < 0)
        return -1;
    if (edge.parent_id == NULL || edge.parent_name == NULL)
        return 0;
    if (snapshot != NULL) {
        edge.parent_kind = "snapshot";
        edge.parent_name = arena_printf(task->mem, "%s@%s", edge.parent_name, snapshot);
    }
    return store_lineage_insert(task->db, &edge, err) < 0 ? -1 : 0;
}
