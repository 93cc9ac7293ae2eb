/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments: volumes made visible to containers.  These are not verbs of their own but parts of
 * the verbs on containers, to be called in this order:
 *
 *   create   attachment_copy()          for each --volumes-from
 *            attachment_set_plan()      checks and orders what is wanted; finds existing volumes
 *            attachment_set_build()     on disk: data of volumes to be made, filled from the image
 *            attachment_set_insert()    in the transaction that publishes the container
 *            attachment_set_done()      after it: removes what was built and is not wanted
 *   start    attachment_check_start()   in the transaction that moves the container to 'starting'
 *            attachment_open()          descriptors to mount; attachment_close() when handed over
 *            attachment_emit(…"mount")  in the transaction that moves it to 'running'
 *   stop     attachment_emit(…"unmount") in the transaction that records the exit
 *            attachment_release()       after it: unmounts what nobody uses any more
 *   remove   attachment_delete()        in the transaction that removes the container
 *            attachment_garbage_remove() after it
 *
 * Nothing here parses Docker's JSON.
 */
#ifndef CORE_ATTACHMENT_H
#define CORE_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/attachment/scratch.h"
#include "core/operation/task.h"
#include "model/attachment.h"

/* The attachments of a container, parents before children. */
int attachment_list(struct task *task, const char *container_id, struct attachment **list,
                    size_t *count, struct error *err);

/*
 * What --volumes-from takes of a container (given by id): the same volumes at the same places,
 * read-only if is_read_only.  The copies are no longer anonymous to the new container's client but
 * stay so to `rm -v`, as Docker has it.  Binds are the caller's.
 */
int attachment_copy(struct task *task, const char *container_id, bool is_read_only,
                    struct attachment **list, size_t *count, struct error *err);

/* Puts 'more' over 'list': one at the same (cleaned) destination replaces the former. */
void attachment_merge(struct task *task, struct attachment **list, size_t *count,
                      const struct attachment *more, size_t more_count);

/*
 * Where the image's content for a new volume comes from.  open() returns a readable directory
 * descriptor of 'destination' in the image, taken over by the callee, or -1 with code NOT_FOUND
 * when the image has no directory there (the volume stays empty).
 */
struct attachment_source {
    int (*open)(void *context, const char *destination, struct error *err);
    void *context;
    const char *image; /* recorded: the image's id */
};

/* One container's attachments on their way from a request into rows. */
struct attachment_set {
    struct attachment *items; /* parents before children; volume_id filled where known */
    size_t count;
    struct attachment_build *builds; /* one for each item; core's own */
};

/*
 * INVALID: a destination is relative, "/" or given twice, a mode or a subpath makes no sense.
 * CONFLICT: a named volume exists with other options than are given.  Who may write is asked when
 * the container starts.  'wanted' may be in any order; other mounts' destinations (binds, tmpfs)
 * are the caller's to compare.
 */
int attachment_set_plan(struct task *task, const struct attachment *wanted, size_t count,
                        struct attachment_set *set, struct error *err);

/* 'source' may be NULL: nothing is copied up.  Durable on return, but without rows. */
int attachment_set_build(struct task *task, struct attachment_set *set,
                         const struct attachment_source *source, struct error *err);

/* In the caller's transaction, after the container's row: volumes and attachments. */
int attachment_set_insert(struct task *task, struct attachment_set *set, const char *container_id,
                          struct error *err);

/* Always, once; is_published tells whether the transaction was committed. */
void attachment_set_done(struct task *task, struct attachment_set *set, bool is_published);

/*
 * In the transaction that moves the container to 'starting'.  CONFLICT: another running container
 * writes where one of the two is exclusive (named).  BUSY: an operation holds a volume still.
 */
int attachment_check_start(struct task *task, const char *container_id, struct error *err);

/* The same for one attachment that is added to a container that runs. */
int attachment_check(struct task *task, const struct attachment *attachment, struct error *err);

/* What a runner mounts: 'fd' is an O_PATH descriptor of a directory or file. */
struct attachment_mount {
    struct attachment attachment;
    int fd;
    struct scratch scratch; /* where attachment.is_scratch: an overlay over 'fd' is mounted */
};

/*
 * Resolves each attachment to a descriptor, beneath its volume and never through a link; mounts
 * foreign filesystems and makes subpaths where that was asked for.  Parents before children.
 */
int attachment_open(struct task *task, const char *container_id, struct attachment_mount **mounts,
                    size_t *count, struct error *err);
int attachment_open_one(struct task *task, const struct attachment *attachment,
                        struct attachment_mount *mount, struct error *err);
void attachment_close(struct attachment_mount *mounts, size_t count);

/* Docker's volume events "mount" and "unmount", one for each attachment. */
int attachment_emit(struct task *task, const char *container_id, const char *action,
                    struct error *err);

/* Unmounts foreign filesystems that no running container and no other engine uses any more. */
int attachment_release(struct task *task, const char *container_id, struct error *err);

/* Data whose rows are gone; removed after the commit, or by reconcile if we die before. */
struct volume_removal; /* core/volume/volume_remove.h */

struct attachment_garbage {
    struct volume_removal *volumes;
    size_t count;
    struct snapshot *snapshots; /* that were cut for scratches */
    size_t snapshot_count;
};

enum attachment_fate {
    ATTACHMENT_VOLUMES_STAY,
    ATTACHMENT_VOLUMES_GO,
    ATTACHMENT_VOLUMES_TO_TRASH
};

/*
 * In the caller's transaction: forgets a container's attachments.  Its anonymous volumes stay or go
 * too, unless another container refers to them, they are protected or have snapshots.
 */
int attachment_delete(struct task *task, const char *container_id, enum attachment_fate fate,
                      struct attachment_garbage *garbage, struct error *err);
void attachment_garbage_remove(struct task *task, const struct attachment_garbage *garbage);

#endif
