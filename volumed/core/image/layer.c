/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Built in STATE/tmp by a confined child, made durable, renamed into STATE/layers.  Rows are
 * written by whoever makes an image of them.
 */
#include "core/image/layer.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/container/stream.h"
#include "core/service.h"
#include "store/layer.h"
#include "transfer/child.h"
#include "transfer/digest.h"
#include "transfer/overlay_mark.h"

#define ORPHANS_MAX 10000 /* at one start; the next takes the rest */

/* What a layer's two names are made of. */
struct build {
    const char *dir;     /* "<dir_id>" */
    const char *archive; /* "<dir_id>.tar.zst" */
    int dir_fd;
    int archive_fd;
};

static const char *archive_name(struct arena *mem, const char *dir_id);
static int build(struct task *task, const struct layer_spec *spec, struct build *build,
                 struct layer *layer, struct error *err);
static int run_child(struct task *task, const struct layer_spec *spec, const struct build *build,
                     struct buf *report, struct error *err);
static int read_report(struct task *task, const struct layer_spec *spec, const struct buf *report,
                       struct layer *layer, struct error *err);
static int mark_opaque(int dir_fd, const struct buf *report, struct error *err);
static int settle(struct task *task, const struct build *build, struct error *err);
static int remove_from(int parent_fd, struct arena *mem, const char *dir_id, struct error *err);
static int collect_rows(struct task *task, struct layer **removed, size_t *count,
                        struct error *err);
static int remove_orphans(struct task *task, struct error *err);
static int list_unclaimed(struct task *task, const char *const **names, struct error *err);
static bool has_row(const struct layer *rows, size_t count, const char *name);

int layer_unpack(struct task *task, const struct layer_spec *spec, struct layer *layer,
                 struct error *err)
{
    char *id = arena_alloc(task->mem, UUID_SIZE);
    struct error failure;

    uuid_make(id);
    claim_enter(spec->claim, id);
    struct build made = { .dir = id, .archive = archive_name(task->mem, id), -1, -1 };
    struct layer unpacked = { .dir_id = id, .parent = spec->parent, .created_ms = clock_now_ms() };
    int rc = build(task, spec, &made, &unpacked, err);
    sys_close_fd(&made.dir_fd);
    sys_close_fd(&made.archive_fd);
    if (rc < 0) {
        /* What cannot be removed now is garbage by name, and goes with the next start. */
        (void)remove_from(task->service->tmp_fd, task->mem, id, &failure);
        (void)remove_from(task->service->layers_fd, task->mem, id, &failure);
        return -1;
    }
    *layer = unpacked;
    return 0;
}

int layer_discard(struct task *task, const struct layer *layer, struct error *err)
{
    return remove_from(task->service->layers_fd, task->mem, layer->dir_id, err);
}

int layer_find(struct task *task, const char *chain_id, struct layer *layer, struct error *err)
{
    return store_layer_find(task->db, task->mem, chain_id, layer, err);
}

int layer_open_archive(struct task *task, const struct layer *layer, struct error *err)
{
    int fd = sys_openat(task->service->layers_fd, archive_name(task->mem, layer->dir_id),
                        O_RDONLY | O_NOFOLLOW, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open the archive of layer '%s'", layer->diff_id) : fd;
}

int layer_forget_unused(struct task *task, struct layer **removed, size_t *count, struct error *err)
{
    struct layer *all = NULL;
    size_t used = 0;

    for (;;) {
        struct layer *unused;
        int found = store_layer_list_unused(task->db, task->mem, &unused, err);
        if (found < 0)
            return -1;
        if (found == 0)
            break;
        struct layer *more = arena_array(task->mem, used + (size_t)found, sizeof(*more));
        if (used > 0)
            memcpy(more, all, used * sizeof(*more));
        memcpy(more + used, unused, (size_t)found * sizeof(*more));
        all = more;
        for (int i = 0; i < found; i++)
            if (store_layer_delete(task->db, unused[i].chain_id, err) < 0)
                return -1;
        used += (size_t)found;
    }
    *removed = all;
    *count = used;
    return 0;
}

int image_layers(struct task *task, const char *chain_id, const char *const **dirs,
                 struct error *err)
{
    struct layer *chain = NULL;
    int count =
        chain_id == NULL ? 0 : store_layer_chain(task->db, task->mem, chain_id, &chain, err);

    if (count < 0)
        return -1;
    if (count == 0 && chain_id != NULL)
        return fail(err, ERR_NOT_FOUND, "layer '%s' is missing", chain_id);
    const char **list = arena_array(task->mem, (size_t)count + 1, sizeof(*list));
    for (int i = 0; i < count; i++)
        list[i] =
            arena_printf(task->mem, "%s/layers/%s", task->service->state_dir, chain[i].dir_id);
    *dirs = list;
    return 0;
}

int image_collect_layers(struct task *task, struct error *err)
{
    struct layer *removed;
    size_t count;

    if (collect_rows(task, &removed, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (layer_discard(task, &removed[i], err) < 0)
            return -1;
    return remove_orphans(task, err);
}

static const char *archive_name(struct arena *mem, const char *dir_id)
{
    return arena_printf(mem, "%s.tar.zst", dir_id);
}

static int build(struct task *task, const struct layer_spec *spec, struct build *build,
                 struct layer *layer, struct error *err)
{
    cleanup_buf struct buf report = { 0 };

    build->dir_fd = fs_make_dir(task->service->tmp_fd, build->dir, 0755, err);
    if (build->dir_fd < 0)
        return -1;
    build->archive_fd = sys_openat(task->service->tmp_fd, build->archive,
                                   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (build->archive_fd < 0)
        return fail_sys(err, build->archive_fd, "cannot make '%s'", build->archive);
    if (run_child(task, spec, build, &report, err) < 0 ||
        read_report(task, spec, &report, layer, err) < 0 ||
        mark_opaque(build->dir_fd, &report, err) < 0)
        return -1;
    return settle(task, build, err);
}

static int run_child(struct task *task, const struct layer_spec *spec, const struct build *build,
                     struct buf *report, struct error *err)
{
    cleanup_child struct child child = CHILD_NONE;
    cleanup_json json_t *request =
        json_pack("{s:i, s:i}", "copy", CHILD_FIRST_FD, "directory", CHILD_FIRST_FD + 1);
    const int fds[] = { build->archive_fd, build->dir_fd };
    struct child_spec child_spec = {
        .program = task->service->confined_path,
        .verb = "unpack-layer",
        .request = request,
        .input = spec->source != NULL ? CHILD_PIPE : CHILD_FILE,
        .input_fd = spec->tar_fd,
        .fds = fds,
        .fd_count = ARRAY_SIZE(fds),
    };

    if (child_start(&child, &child_spec, err) < 0)
        return -1;
    if (spec->source != NULL && stream_feed(&child, spec->source, err) < 0)
        return -1;
    return child_wait(&child, report, err);
}

static int read_report(struct task *task, const struct layer_spec *spec, const struct buf *report,
                       struct layer *layer, struct error *err)
{
    char *chain_id = arena_alloc(task->mem, DIGEST_TEXT_SIZE);
    const char *diff_id = report_get(report, "diff_id");

    if (diff_id == NULL || !digest_is_valid(diff_id))
        return fail(err, ERR_SYSTEM, "a confined child's report lacks the digest");
    if (spec->diff_id != NULL && strcmp(spec->diff_id, diff_id) != 0)
        return fail(err, ERR_INVALID, "the layer's digest is %s, not %s", diff_id, spec->diff_id);
    if (report_get_int(report, "bytes", &layer->size_bytes, err) < 0 ||
        report_get_int(report, "archive_bytes", &layer->archive_bytes, err) < 0)
        return -1;
    layer->diff_id = arena_strdup(task->mem, diff_id);
    digest_chain(spec->parent, diff_id, chain_id);
    layer->chain_id = chain_id;
    return 0;
}

/* Ours to do: it takes a right that the child, which read the archive, is not given. */
static int mark_opaque(int dir_fd, const struct buf *report, struct error *err)
{
    const char *key;
    const char *path;

    for (size_t position = 0; report_next(report, &position, &key, &path);) {
        if (strcmp(key, "opaque") != 0)
            continue;
        cleanup_fd int fd = path_open_beneath(dir_fd, path, O_RDONLY | O_DIRECTORY);
        if (fd < 0) /* a later entry replaced it */
            continue;
        int rc = overlay_mark_opaque(fd);
        if (rc < 0)
            return fail_sys(err, rc, "cannot mark '%.200s' as opaque", path);
    }
    return 0;
}

/* One syncfs for thousands of files; then the names. */
static int settle(struct task *task, const struct build *build, struct error *err)
{
    int tmp = task->service->tmp_fd;
    int layers = task->service->layers_fd;
    int rc = sys_syncfs(build->dir_fd);

    if (rc >= 0)
        rc = sys_renameat2(tmp, build->dir, layers, build->dir, 0);
    if (rc >= 0)
        rc = sys_renameat2(tmp, build->archive, layers, build->archive, 0);
    if (rc < 0)
        return fail_sys(err, rc, "cannot put the layer in its place");
    return fs_sync_dir(layers, err);
}

static int remove_from(int parent_fd, struct arena *mem, const char *dir_id, struct error *err)
{
    if (fs_remove_tree(parent_fd, archive_name(mem, dir_id), err) < 0)
        return -1;
    return fs_remove_tree(parent_fd, dir_id, err);
}

static int collect_rows(struct task *task, struct layer **removed, size_t *count, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };

    if (tx_begin(&tx, task->db, err) < 0 || layer_forget_unused(task, removed, count, err) < 0)
        return -1;
    return *count > 0 ? tx_commit(&tx, err) : 0;
}

/*
 * What lies there, claimed by nobody, and after that is found to have no row.  The order matters: a
 * new layer is claimed until its row is committed.
 */
static int remove_orphans(struct task *task, struct error *err)
{
    const char *const *names = NULL;
    struct layer *rows;

    if (list_unclaimed(task, &names, err) < 0)
        return -1;
    assert(names != NULL);
    int count = store_layer_list(task->db, task->mem, &rows, err);
    for (size_t i = 0; count >= 0 && names[i] != NULL; i++)
        if (!has_row(rows, (size_t)count, names[i]) &&
            fs_remove_tree(task->service->layers_fd, names[i], err) < 0)
            return -1;
    return count < 0 ? -1 : 0;
}

static int list_unclaimed(struct task *task, const char *const **names, struct error *err)
{
    const char **list = arena_array(task->mem, ORPHANS_MAX + 1, sizeof(*list));
    cleanup_dir DIR *dir = NULL;
    size_t found = 0;
    int rc = dir_open(task->service->layers_fd, ".", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot list the layers");
    for (const struct dirent *entry; found < ORPHANS_MAX && (entry = dir_next(dir)) != NULL;) {
        const char *id = arena_strndup(task->mem, entry->d_name, UUID_SIZE - 1);
        if (uuid_is_valid(id) && !claim_is_held(id))
            list[found++] = arena_strdup(task->mem, entry->d_name);
    }
    *names = list;
    return 0;
}

/* A name begins with its layer's dir_id. */
static bool has_row(const struct layer *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(rows[i].dir_id, name, UUID_SIZE - 1) == 0)
            return true;
    return false;
}
