/* SPDX-License-Identifier: Apache-2.0 */
/* Building the units of a restore, and the marker that says they are whole. */
#include "core/file/restore_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/path.h"
#include "base/sys.h"
#include "driver/attributes.h"
#include "driver/entry_copy.h"
#include "driver/tree_copy.h"

#define MARKER_BYTES  ((size_t)1 << 20)
#define NUMBER_DIGITS 24
#define NS_PER_S      INT64_C(1000000000)

static int build_item(struct task *task, struct restore_stage *stage, int staging_fd,
                      const struct file_restored *item, struct error *err);
static int find_unit(struct task *task, const struct restore_stage *stage, const char *target,
                     const char **unit);
static int open_chain(struct task *task, struct restore_stage *stage, int staging_fd,
                      const struct file_restored *item, const char **name, struct error *err);
static int step_chain(struct task *task, struct restore_stage *stage, int at_fd, const char *name,
                      const struct restore_made *made);
static int finish_chains(const struct restore_stage *stage, int staging_fd);
static int copy_entry(const struct restore_stage *stage, int from_dirfd, const char *from,
                      int to_dirfd, const char *to, struct error *err);
static int copy_directory(const struct restore_stage *stage, int from_dirfd, const char *from,
                          int to_dirfd, const char *to, struct error *err);
static int note_inodes(struct restore_stage *stage, int staging_fd, struct error *err);
static const char *unit_name(size_t index, char name[NUMBER_DIGITS]);

int restore_stage_build(struct task *task, struct restore_stage *stage,
                        const struct file_restored *items, size_t count, struct error *err)
{
    cleanup_fd int staging_fd = fs_make_dir(stage->volume_fd, stage->name, 0700, err);

    stage->units = arena_array(task->mem, count + 1, sizeof(*stage->units));
    stage->count = 0;
    if (staging_fd < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (build_item(task, stage, staging_fd, &items[i], err) < 0)
            return error_prefix(err, "cannot restore '%s'", items[i].path);
    int rc = finish_chains(stage, staging_fd);
    if (rc >= 0)
        rc = sys_syncfs(staging_fd);
    if (rc < 0)
        return fail_sys(err, rc, "cannot finish the copies");
    return note_inodes(stage, staging_fd, err);
}

int restore_stage_mark(struct restore_stage *stage, struct error *err)
{
    cleanup_fd int staging_fd =
        sys_openat(stage->volume_fd, stage->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    cleanup_json json_t *marker = json_array();
    cleanup_buf struct buf text = { 0 };

    if (staging_fd < 0)
        return fail_sys(err, staging_fd, "cannot open the staging directory");
    for (size_t i = 0; i < stage->count; i++) {
        json_t *unit = json_object();
        json_set(unit, "target", json_text(stage->units[i].target));
        json_set(unit, "inode", json_integer((json_int_t)stage->units[i].inode));
        json_set(unit, "chain", json_boolean(stage->units[i].is_chain));
        json_set(unit, "directory", json_boolean(stage->units[i].is_directory));
        json_set(unit, "mtime_ns", json_integer(stage->units[i].mtime_ns));
        json_add(marker, unit);
    }
    json_append(&text, marker);
    return fs_write_file(staging_fd, RESTORE_MARKER, text.data, text.size, 0600, err);
}

int restore_stage_read(struct task *task, struct restore_stage *stage, struct error *err)
{
    cleanup_fd int staging_fd =
        sys_openat(stage->volume_fd, stage->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    enum restore_state state = RESTORE_SWAPPED;
    char *text;
    size_t size;

    if (staging_fd == -ENOENT)
        return RESTORE_BUILDING;
    if (staging_fd < 0)
        return fail_sys(err, staging_fd, "cannot open the staging directory");
    int rc =
        fs_read_file(task->mem, staging_fd, RESTORE_MARKER_LAST, MARKER_BYTES, &text, &size, err);
    if (rc < 0 && err->code == ERR_NOT_FOUND) {
        state = RESTORE_READY;
        rc = fs_read_file(task->mem, staging_fd, RESTORE_MARKER, MARKER_BYTES, &text, &size, err);
    }
    if (rc < 0)
        return err->code == ERR_NOT_FOUND ? RESTORE_BUILDING : -1;
    cleanup_json json_t *marker = json_read(text, size, err);
    if (marker == NULL)
        return -1;
    stage->count = json_array_size(marker);
    stage->units = arena_array(task->mem, stage->count + 1, sizeof(*stage->units));
    for (size_t i = 0; i < stage->count; i++) {
        const json_t *unit = json_array_get(marker, i);
        int64_t inode = 0;
        stage->units[i].target = "";
        if (json_get_text(unit, "target", task->mem, &stage->units[i].target, err) < 0 ||
            json_get_int(unit, "inode", &inode, err) < 0 ||
            json_get_bool(unit, "chain", &stage->units[i].is_chain, err) < 0 ||
            json_get_bool(unit, "directory", &stage->units[i].is_directory, err) < 0 ||
            json_get_int(unit, "mtime_ns", &stage->units[i].mtime_ns, err) < 0)
            return -1;
        stage->units[i].inode = (ino_t)inode;
    }
    return (int)state;
}

int restore_stage_remove(const struct restore_stage *stage, struct error *err)
{
    cleanup_fd int staging_fd =
        sys_openat(stage->volume_fd, stage->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    char name[NUMBER_DIGITS];

    for (size_t i = 0; staging_fd >= 0 && i < stage->count; i++)
        if (fs_remove_tree(staging_fd, unit_name(i, name), err) < 0)
            return -1;
    return fs_remove_tree(stage->volume_fd, stage->name, err);
}

int restore_open_parent(struct task *task, int root_fd, const char *path, const char **name)
{
    *name = path_base(path);
    const char *parent = arena_strndup(task->mem, path, (size_t)(*name - path));
    return path_open_beneath(root_fd, parent, O_PATH | O_DIRECTORY);
}

static int build_item(struct task *task, struct restore_stage *stage, int staging_fd,
                      const struct file_restored *item, struct error *err)
{
    const char *from = NULL;
    const char *to = NULL;
    cleanup_fd int from_dirfd = restore_open_parent(task, stage->snapshot_fd, item->path, &from);

    if (from_dirfd < 0)
        return fail_sys(err, from_dirfd, "cannot open its directory in the snapshot");
    cleanup_fd int to_dirfd = open_chain(task, stage, staging_fd, item, &to, err);
    return to_dirfd < 0 ? -1 : copy_entry(stage, from_dirfd, from, to_dirfd, to, err);
}

/* The first part of the target's path that the volume lacks, or all of it. */
static int find_unit(struct task *task, const struct restore_stage *stage, const char *target,
                     const char **unit)
{
    for (const char *at = strchr(target, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *unit = arena_strndup(task->mem, target, (size_t)(at - target));
        cleanup_fd int fd = path_open_beneath(stage->volume_fd, *unit, O_PATH | O_DIRECTORY);
        if (fd == -ENOENT)
            return 1;
        if (fd < 0)
            return fd;
    }
    *unit = target;
    return 0;
}

/*
 * The directory in which the item is built, and its name there: the staging directory, or below it
 * a chain of the directories that the volume lacks.  Items that lack the same one share the chain.
 */
static int open_chain(struct task *task, struct restore_stage *stage, int staging_fd,
                      const struct file_restored *item, const char **name, struct error *err)
{
    const char *target = NULL;
    char number[NUMBER_DIGITS];
    size_t index = 0;
    int is_chain = find_unit(task, stage, item->target, &target);

    if (is_chain < 0)
        return fail_sys(err, is_chain, "cannot open the directory of '%s' in the volume",
                        item->target);
    while (index < stage->count && strcmp(stage->units[index].target, target) != 0)
        index++;
    if (index == stage->count)
        stage->units[stage->count++] =
            (struct restore_unit){ .target = target, .is_chain = is_chain > 0 };
    const char *at = arena_strdup(task->mem, unit_name(index, number));
    const char *path = at;
    size_t done = strlen(target);
    int fd = sys_openat(staging_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    while (fd >= 0 && done < strlen(item->target)) {
        const struct restore_made made = { path, arena_strndup(task->mem, item->target, done) };
        int next = step_chain(task, stage, fd, at, &made);
        sys_close_fd(&fd);
        fd = next;
        size_t length = strcspn(item->target + done + 1, "/");
        at = arena_strndup(task->mem, item->target + done + 1, length);
        path = arena_printf(task->mem, "%s/%s", path, at);
        done += length + 1;
    }
    *name = at;
    return fd < 0 ? fail_sys(err, fd, "cannot make its directory") : fd;
}

/* Makes or enters a directory of the chain. */
static int step_chain(struct task *task, struct restore_stage *stage, int at_fd, const char *name,
                      const struct restore_made *made)
{
    int rc = sys_mkdirat(at_fd, name, 0700);

    if (rc < 0 && rc != -EEXIST)
        return rc;
    if (rc >= 0) {
        if (stage->made_count == stage->made_capacity)
            stage->made =
                arena_grow(task->mem, stage->made, &stage->made_capacity, sizeof(*stage->made));
        stage->made[stage->made_count++] = *made;
    }
    return sys_openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* When all is in them: entries change their times, and a default ACL would colour those. */
static int finish_chains(const struct restore_stage *stage, int staging_fd)
{
    struct stat st;
    int rc = 0;

    for (size_t i = stage->made_count; rc >= 0 && i > 0; i--) {
        const struct restore_made *made = &stage->made[i - 1];
        cleanup_fd int to = path_open_beneath(staging_fd, made->path, O_RDONLY | O_DIRECTORY);
        if (to < 0)
            return to;
        if (stage->is_moved) {
            rc = sys_fchmod(to, 0755);
            continue;
        }
        cleanup_fd int from =
            path_open_beneath(stage->snapshot_fd, made->source, O_RDONLY | O_DIRECTORY);
        rc = from < 0 ? from : sys_fstatat(from, "", &st, AT_EMPTY_PATH);
        if (rc >= 0)
            rc = attributes_copy(&(struct attributes_place){ .fd = from }, &st,
                                 &(struct attributes_place){ .fd = to }, false);
    }
    return rc;
}

static int copy_entry(const struct restore_stage *stage, int from_dirfd, const char *from,
                      int to_dirfd, const char *to, struct error *err)
{
    struct entry_copier copier;
    struct stat st;
    int rc = sys_fstatat(from_dirfd, from, &st, AT_SYMLINK_NOFOLLOW);

    if (rc < 0)
        return fail_sys(err, rc, "cannot find it in the snapshot");
    if (S_ISDIR(st.st_mode))
        return copy_directory(stage, from_dirfd, from, to_dirfd, to, err);
    entry_copier_init(&copier, -1);
    copier.is_shared = stage->is_shared;
    const struct entry_place place = { from_dirfd, to_dirfd, from, to, &st };
    rc = entry_copy(&copier, &place);
    entry_copier_done(&copier);
    return rc < 0 ? fail_sys(err, rc, "cannot copy it") : 0;
}

static int copy_directory(const struct restore_stage *stage, int from_dirfd, const char *from,
                          int to_dirfd, const char *to, struct error *err)
{
    cleanup_fd int source = sys_openat(from_dirfd, from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    int rc = source < 0 ? source : sys_mkdirat(to_dirfd, to, 0700);

    if (rc < 0)
        return fail_sys(err, rc, "cannot copy the directory");
    cleanup_fd int target = sys_openat(to_dirfd, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (target < 0)
        return fail_sys(err, target, "cannot copy the directory");
    const struct tree_copy_spec spec = {
        .source_fd = source,
        .target_fd = target,
        .is_shared = stage->is_shared,
    };
    return tree_copy(&spec, err);
}

static int note_inodes(struct restore_stage *stage, int staging_fd, struct error *err)
{
    char name[NUMBER_DIGITS];
    struct stat st;

    for (size_t i = 0; i < stage->count; i++) {
        int rc = sys_fstatat(staging_fd, unit_name(i, name), &st, AT_SYMLINK_NOFOLLOW);
        if (rc < 0)
            return fail_sys(err, rc, "cannot look at the copies");
        stage->units[i].inode = st.st_ino;
        stage->units[i].is_directory = S_ISDIR(st.st_mode);
        stage->units[i].mtime_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
    }
    return 0;
}

static const char *unit_name(size_t index, char name[NUMBER_DIGITS])
{
    (void)snprintf(name, NUMBER_DIGITS, "%zu", index); /* fits */
    return name;
}
