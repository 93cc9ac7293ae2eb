/* SPDX-License-Identifier: Apache-2.0 */
/* Both ways through a confined child: what is in a tree, and in a capsule, is a stranger's. */
#include "core/capsule/capsule_tree.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "core/container/stream.h"
#include "core/file/file_tree.h"
#include "core/service.h"

int capsule_tree_save(struct task *task, const struct capsule_tree *tree,
                      const struct byte_sink *sink, struct error *err)
{
    cleanup_file_tree struct file_tree to = FILE_TREE_NONE;
    cleanup_file_tree struct file_tree base = FILE_TREE_NONE;
    cleanup_child struct child child = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };
    cleanup_json json_t *request = json_object();

    if (file_tree_open(task, tree->volume, tree->snapshot, &to, err) < 0 ||
        (tree->base != NULL && file_tree_open(task, tree->volume, tree->base, &base, err) < 0))
        return -1;
    if (tree->base != NULL) {
        json_set(request, "base", json_integer(CHILD_FIRST_FD + 1));
        json_set(request, "is_shared", json_boolean(to.pool != NULL && to.pool == base.pool));
    }
    const int fds[] = { to.fd, base.fd };
    struct child_spec spec = {
        .program = task->service->confined_path,
        .verb = "save-tree",
        .request = request,
        .input = CHILD_NOTHING,
        .output = CHILD_PIPE,
        .fds = fds,
        .fd_count = tree->base != NULL ? 2 : 1,
    };
    if (child_start(&child, &spec, err) < 0 || stream_drain(&child, sink, err) < 0)
        return -1;
    return child_wait(&child, &report, err);
}

int capsule_tree_load(struct task *task, const char *volume, bool has_base,
                      const struct byte_source *source, struct error *err)
{
    cleanup_file_tree struct file_tree tree = FILE_TREE_NONE;
    cleanup_child struct child child = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };

    if (file_tree_open(task, volume, NULL, &tree, err) < 0 ||
        (!has_base && fs_empty_dir(tree.fd, err) < 0))
        return -1;
    struct child_spec spec = {
        .program = task->service->confined_path,
        .verb = "put-tree",
        .input = CHILD_PIPE,
        .output = CHILD_NOTHING,
        .fds = &tree.fd,
        .fd_count = 1,
    };
    if (child_start(&child, &spec, err) < 0 || stream_feed(&child, source, err) < 0)
        return -1;
    return child_wait(&child, &report, err);
}
