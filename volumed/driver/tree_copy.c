/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a tree while walking it.  The source is hostile (base/tree.h).  So may the target be, when
 * it lies in a volume that is in use: nothing in it is followed, and the way up is checked.
 *
 * The walk makes directories and gathers the other entries into batches (batch_copy.h).  That keeps
 * descriptors of the directories on the way open; below a certain depth, where that would be many,
 * the walk copies by itself and remembers identities, as base/tree.c does.
 */
#include "driver/tree_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/sys.h"
#include "base/tree.h"
#include "driver/attributes.h"
#include "driver/batch_copy.h"
#include "driver/tree_merge.h"

#define BATCH_DEPTH ((size_t)24)

/* A directory that is being walked, or one above it. */
struct level {
    struct batch_dir *dir; /* NULL deep down */
    dev_t dev;             /* of the copy, deep down */
    ino_t ino;
};

struct copier {
    const struct tree_copy_spec *spec;
    struct entry_copier entries;
    struct batch_copier batches;
    struct level *levels;
    size_t depth;
    size_t capacity;
    int deep_fd; /* the copy's present directory, deep down; else -1 */
};

static int enter_directory(void *context, const struct tree_entry *entry, struct error *err);
static int leave_directory(void *context, const struct tree_entry *entry, struct error *err);
static int copy_entry(void *context, const struct tree_entry *entry, struct error *err);
static int present_fd(const struct copier *copier);
static int push(struct copier *copier, int to_fd);
static int leave_deep(struct copier *copier, const struct tree_entry *entry, struct error *err);
static int finish(struct copier *copier, struct error *err);
static void copier_done(struct copier *copier);

int tree_copy(const struct tree_copy_spec *spec, struct error *err)
{
    static const struct tree_visitor visitor = {
        .enter = enter_directory,
        .leave = leave_directory,
        .visit = copy_entry,
    };
    CLEANUP(copier_done) struct copier copier = { .spec = spec, .deep_fd = -1 };
    struct error later;

    entry_copier_init(&copier.entries, spec->target_fd);
    copier.entries.is_shared = spec->is_shared;
    copier.entries.is_lenient = spec->is_lenient;
    copier.entries.is_upper = spec->is_upper;
    copier.entries.deadline_ms = spec->deadline_ms;
    int to_fd = sys_openat(spec->target_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    int rc = to_fd < 0 ? to_fd : push(&copier, to_fd);
    if (rc < 0)
        return fail_sys(err, rc, "cannot open the copy's directory");
    batch_copier_init(&copier.batches, &copier.entries);
    rc = tree_walk(spec->source_fd, &visitor, &copier, err);
    if (rc == 0)
        rc = batch_flush(&copier.batches, copier.levels[0].dir, err);
    if (batch_copier_end(&copier.batches, rc < 0 ? &later : err) < 0 || rc < 0)
        return -1;
    return finish(&copier, err);
}

static int enter_directory(void *context, const struct tree_entry *entry, struct error *err)
{
    struct copier *copier = context;
    int rc = entry_copier_is_late(&copier->entries) ? -ETIMEDOUT : 0;

    if (rc == 0)
        rc = copier->spec->is_upper ? merge_directory(present_fd(copier), entry)
                                    : sys_mkdirat(present_fd(copier), entry->name, 0700);
    if (rc >= 0)
        rc = sys_openat(present_fd(copier), entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (rc >= 0)
        rc = push(copier, rc);
    return rc < 0 ? fail_sys(err, rc, "cannot copy directory '%s'", entry->name) : 0;
}

static int leave_directory(void *context, const struct tree_entry *entry, struct error *err)
{
    struct copier *copier = context;
    struct batch_dir *dir = copier->levels[copier->depth - 1].dir;

    if (dir == NULL)
        return leave_deep(copier, entry, err);
    copier->depth--;
    return batch_dir_leave(&copier->batches, dir, entry, err);
}

static int copy_entry(void *context, const struct tree_entry *entry, struct error *err)
{
    struct copier *copier = context;
    struct batch_dir *dir = copier->levels[copier->depth - 1].dir;

    if (dir != NULL)
        return batch_add(&copier->batches, dir, entry, err);
    const struct entry_place place = {
        .from_dirfd = entry->dirfd,
        .to_dirfd = copier->deep_fd,
        .name = entry->name,
        .to_name = entry->name,
        .st = &entry->st,
    };
    int rc = entry_copy(&copier->entries, &place);
    if (rc == -ENOENT) /* it vanished between being seen and being read */
        return 0;
    return rc < 0 ? fail_sys(err, rc, "cannot copy '%s'", entry->name) : 0;
}

static int present_fd(const struct copier *copier)
{
    const struct batch_dir *dir = copier->levels[copier->depth - 1].dir;

    return dir != NULL ? dir->to_fd : copier->deep_fd;
}

/* Takes over 'to_fd'. */
static int push(struct copier *copier, int to_fd)
{
    if (copier->depth == copier->capacity) {
        copier->capacity = copier->capacity == 0 ? 32 : copier->capacity * 2;
        copier->levels = mem_grow(copier->levels, copier->capacity * sizeof(*copier->levels));
    }
    struct level *level = &copier->levels[copier->depth++];
    *level = (struct level){ 0 };
    if (copier->depth <= BATCH_DEPTH) {
        level->dir = batch_dir_new(to_fd);
        return 0;
    }
    struct stat st;
    sys_close_fd(&copier->deep_fd);
    copier->deep_fd = to_fd;
    int rc = sys_fstatat(to_fd, "", &st, AT_EMPTY_PATH);
    if (rc >= 0) {
        level->dev = st.st_dev;
        level->ino = st.st_ino;
    }
    return rc;
}

static int leave_deep(struct copier *copier, const struct tree_entry *entry, struct error *err)
{
    const struct level *parent = &copier->levels[copier->depth - 2];
    struct attributes_place from = { .fd = entry->fd, .dirfd = entry->dirfd, .name = entry->name };
    struct stat st;
    int rc = entry_copy_directory(&copier->entries, &from, &entry->st, copier->deep_fd);

    copier->depth--;
    if (rc >= 0 && parent->dir == NULL) {
        cleanup_fd int up = sys_openat(copier->deep_fd, "..", O_RDONLY | O_DIRECTORY, 0);
        rc = up < 0 ? up : sys_fstatat(up, "", &st, AT_EMPTY_PATH);
        if (rc >= 0 && (st.st_dev != parent->dev || st.st_ino != parent->ino))
            return fail(err, ERR_BUSY, "the copy of '%s' was moved while it was made", entry->name);
        sys_close_fd(&copier->deep_fd);
        copier->deep_fd = move_fd(&up);
    } else {
        sys_close_fd(&copier->deep_fd);
    }
    return rc < 0 ? fail_sys(err, rc, "cannot copy directory '%s'", entry->name) : 0;
}

static int finish(struct copier *copier, struct error *err)
{
    const struct tree_copy_spec *spec = copier->spec;
    struct attributes_place from = { .fd = spec->source_fd };
    struct stat st;

    if (entry_copier_end(&copier->entries, err) < 0)
        return -1;
    int rc = sys_fstatat(spec->source_fd, "", &st, AT_EMPTY_PATH);
    if (rc >= 0)
        rc = entry_copy_directory(&copier->entries, &from, &st, spec->target_fd);
    if (rc >= 0 && spec->is_durable)
        rc = sys_syncfs(spec->target_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot finish a copy") : 0;
}

static void copier_done(struct copier *copier)
{
    while (copier->depth > 0)
        batch_dir_free(copier->levels[--copier->depth].dir);
    free(copier->levels);
    sys_close_fd(&copier->deep_fd);
    entry_copier_done(&copier->entries);
}
