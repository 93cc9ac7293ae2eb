/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk by descriptors: a directory is entered by opening it without following links, and its
 * entries are named relative to it, so that a tree changed under the walk cannot lead it astray.
 */
#include "transfer/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "transfer/overlay_mark.h"
#include "transfer/pack_entry.h"

#define DEPTH_MAX 1024

static int pack_one(struct packer *packer, int at_fd, const char *name, struct error *err);
static int pack_marker(struct packer *packer, size_t length, const char *name, struct error *err);
static int pack_directory(struct packer *packer, int at_fd, const char *name, const struct stat *st,
                          struct error *err);
static int pack_below(struct packer *packer, int fd, struct error *err);
static int pack_children(struct packer *packer, int fd, struct error *err);
static int pack_file(struct packer *packer, int at_fd, const char *name, struct error *err);

int pack_tree(int at_fd, const char *name, const char *prefix, const struct pack_rules *rules,
              int output_fd, struct error *err)
{
    CLEANUP(packer_done) struct packer packer = { .rules = rules };

    buf_text(&packer.path, prefix);
    if (packer_open(&packer, output_fd, err) < 0 || pack_one(&packer, at_fd, name, err) < 0)
        return -1;
    return packer_close(&packer, err);
}

static int pack_one(struct packer *packer, int at_fd, const char *name, struct error *err)
{
    struct stat st;
    int rc = sys_fstatat(at_fd, name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc == -ENOENT) /* gone meanwhile */
        return 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot look at '%.200s'", packer->path.data);
    if (packer->rules->has_whiteouts && overlay_is_whiteout(&st))
        return pack_marker(packer, packer->path.size - strlen(name), name, err);
    if (S_ISDIR(st.st_mode))
        return pack_directory(packer, at_fd, name, &st, err);
    if (S_ISREG(st.st_mode))
        return pack_file(packer, at_fd, name, err);
    if (S_ISSOCK(st.st_mode)) /* no archive can hold one */
        return 0;
    return packer_write_other(packer, at_fd, name, &st, err);
}

/* Writes an empty file ".wh.name" in the directory that the first 'length' bytes of the path name;
 * the caller brings the path back. */
static int pack_marker(struct packer *packer, size_t length, const char *name, struct error *err)
{
    struct stat st = { .st_mode = S_IFREG | 0600, .st_nlink = 1 };
    const struct pack_item item = { .file = { .fd = -1 }, .st = &st };

    packer_cut_path(packer, length);
    buf_printf(&packer->path, ".wh.%s", name);
    return packer_write(packer, &item, err);
}

static int pack_directory(struct packer *packer, int at_fd, const char *name, const struct stat *st,
                          struct error *err)
{
    cleanup_fd int fd = sys_openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    const struct pack_item directory = { .file = { .fd = fd }, .st = st };
    bool is_top = packer->depth == 0;

    if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) /* replaced meanwhile */
        return 0;
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%.200s'", packer->path.data);
    if (is_top && packer->rules->is_contents)
        return pack_below(packer, fd, err);
    if (packer_write(packer, &directory, err) < 0)
        return -1;
    if (packer->path.size == 0 || packer->path.data[packer->path.size - 1] != '/')
        buf_text(&packer->path, "/");
    return pack_below(packer, fd, err);
}

/* What is in a directory, whose path ends with a slash. */
static int pack_below(struct packer *packer, int fd, struct error *err)
{
    enum overlay_mark mark = OVERLAY_PLAIN;
    size_t length = packer->path.size;

    if (packer->depth == DEPTH_MAX)
        return fail(err, ERR_INVALID, "'%.200s' lies too deep", packer->path.data);
    if (packer->rules->has_whiteouts && overlay_mark_get(fd, &mark, err) < 0)
        return error_prefix(err, "'%.200s'", packer->path.data);
    if (mark == OVERLAY_OPAQUE && pack_marker(packer, length, ".wh..opq", err) < 0)
        return -1;
    packer_cut_path(packer, length);
    packer->depth++;
    int rc = pack_children(packer, fd, err);
    packer->depth--;
    return rc;
}

static int pack_children(struct packer *packer, int fd, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct pack_names names = { .mem = mem };
    size_t length = packer->path.size;
    int rc = pack_names_list(fd, &names, err);

    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        buf_text(&packer->path, names.items[i]);
        rc = pack_one(packer, fd, names.items[i], err);
        packer_cut_path(packer, length);
    }
    return rc;
}

static int pack_file(struct packer *packer, int at_fd, const char *name, struct error *err)
{
    struct stat st;
    /* It was a file a moment ago; should it be a FIFO now, opening it must not wait. */
    cleanup_fd int fd = sys_openat(at_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    const struct pack_item file = { .file = { .fd = fd }, .st = &st };

    if (fd == -ENOENT || fd == -ELOOP || fd == -ENXIO)
        return 0;
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%.200s'", packer->path.data);
    if (fstat(fd, &st) < 0)
        return fail_sys(err, -errno, "cannot look at '%.200s'", packer->path.data);
    return S_ISREG(st.st_mode) ? packer_write(packer, &file, err) : 0;
}
