/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk by descriptors: a directory is entered by opening it without following links, and its
 * entries are named relative to it, so that a tree changed under the walk cannot lead it astray.
 */
#include "transfer/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/dir.h"
#include "base/sys.h"
#include "transfer/attributes.h"
#include "transfer/overlay_mark.h"

#define COPY_SIZE ((size_t)256 * 1024)
#define DEPTH_MAX 1024

struct packer {
    const struct pack_rules *rules;
    struct archive *tar;
    struct archive_entry_linkresolver *links;
    struct buf path; /* of the present entry in the archive */
    char *chunk;
    int depth;
};

struct names {
    struct arena *mem;
    char **items;
    size_t count;
    size_t capacity;
};

static int open_tar(struct packer *packer, int output_fd, struct error *err);
static void packer_done(struct packer *packer);
static int pack_one(struct packer *packer, int at_fd, const char *name, struct error *err);
static int pack_marker(struct packer *packer, size_t length, const char *name, struct error *err);
static int pack_directory(struct packer *packer, int at_fd, const char *name, const struct stat *st,
                          struct error *err);
static int pack_below(struct packer *packer, int fd, struct error *err);
static int pack_children(struct packer *packer, int fd, struct error *err);
static int list_names(int fd, struct names *names, struct error *err);
static void names_add(struct names *names, const char *name);
static int compare_names(const void *left, const void *right);
static int pack_file(struct packer *packer, int at_fd, const char *name, struct error *err);
static int pack_other(struct packer *packer, int at_fd, const char *name, const struct stat *st,
                      struct error *err);
static int write_entry(struct packer *packer, const struct file *file, const struct stat *st,
                       const char *target, struct error *err);
static void describe_holes(struct archive_entry *entry, int fd, const struct stat *st);
static int write_data(struct packer *packer, int fd, int64_t size, struct error *err);
static int fail_writing(struct packer *packer, struct error *err);
static void cut_path(struct packer *packer, size_t length);
static const char *shown_path(struct packer *packer, bool is_dir);

int pack_tree(int at_fd, const char *name, const char *prefix, const struct pack_rules *rules,
              int output_fd, struct error *err)
{
    CLEANUP(packer_done) struct packer packer = { .rules = rules };

    buf_text(&packer.path, prefix);
    if (open_tar(&packer, output_fd, err) < 0 || pack_one(&packer, at_fd, name, err) < 0)
        return -1;
    return archive_write_close(packer.tar) == ARCHIVE_OK ? 0 : fail_writing(&packer, err);
}

static int open_tar(struct packer *packer, int output_fd, struct error *err)
{
    packer->tar = archive_write_new();
    packer->links = archive_entry_linkresolver_new();
    packer->chunk = mem_alloc(COPY_SIZE);
    if (packer->tar == NULL || packer->links == NULL)
        return fail_sys(err, -ENOMEM, "cannot write an archive");
    archive_entry_linkresolver_set_strategy(packer->links, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED);
    if (archive_write_set_format_pax_restricted(packer->tar) != ARCHIVE_OK ||
        /* The form of attributes that every other reader knows. */
        archive_write_set_format_option(packer->tar, "pax", "xattrheader", "SCHILY") !=
            ARCHIVE_OK ||
        archive_write_open_fd(packer->tar, output_fd) != ARCHIVE_OK)
        return fail_writing(packer, err);
    return 0;
}

static void packer_done(struct packer *packer)
{
    (void)archive_write_free(packer->tar); /* pack_tree() told of a failed write */
    archive_entry_linkresolver_free(packer->links);
    free(packer->chunk);
    buf_done(&packer->path);
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
    return pack_other(packer, at_fd, name, &st, err);
}

/* Writes an empty file ".wh.name" in the directory that the first 'length' bytes of the path name;
 * the caller brings the path back. */
static int pack_marker(struct packer *packer, size_t length, const char *name, struct error *err)
{
    struct stat st = { .st_mode = S_IFREG | 0600, .st_nlink = 1 };
    struct file none = { .fd = -1 };

    cut_path(packer, length);
    buf_printf(&packer->path, ".wh.%s", name);
    return write_entry(packer, &none, &st, NULL, err);
}

static int pack_directory(struct packer *packer, int at_fd, const char *name, const struct stat *st,
                          struct error *err)
{
    cleanup_fd int fd = sys_openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    struct file directory = { .fd = fd };
    bool is_top = packer->depth == 0;

    if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) /* replaced meanwhile */
        return 0;
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%.200s'", packer->path.data);
    if (is_top && packer->rules->is_contents)
        return pack_below(packer, fd, err);
    if (write_entry(packer, &directory, st, NULL, err) < 0)
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
    cut_path(packer, length);
    packer->depth++;
    int rc = pack_children(packer, fd, err);
    packer->depth--;
    return rc;
}

static int pack_children(struct packer *packer, int fd, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct names names = { .mem = mem };
    size_t length = packer->path.size;
    int rc = list_names(fd, &names, err);

    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        buf_text(&packer->path, names.items[i]);
        rc = pack_one(packer, fd, names.items[i], err);
        cut_path(packer, length);
    }
    return rc;
}

static int list_names(int fd, struct names *names, struct error *err)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    cleanup_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);

    if (dir == NULL)
        return fail_sys(err, -errno, "cannot read a directory");
    errno = 0;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;)
        names_add(names, entry->d_name);
    if (errno != 0)
        return fail_sys(err, -errno, "cannot read a directory");
    if (names->count > 0)
        qsort(names->items, names->count, sizeof(*names->items), compare_names);
    return 0;
}

static void names_add(struct names *names, const char *name)
{
    if (names->count == names->capacity) {
        names->capacity = names->capacity > 0 ? 2 * names->capacity : 64;
        char **items = arena_array(names->mem, names->capacity, sizeof(*items));
        for (size_t i = 0; i < names->count; i++)
            items[i] = names->items[i];
        names->items = items;
    }
    names->items[names->count++] = arena_strdup(names->mem, name);
}

static int compare_names(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

static int pack_file(struct packer *packer, int at_fd, const char *name, struct error *err)
{
    struct stat st;
    /* It was a file a moment ago; should it be a FIFO now, opening it must not wait. */
    cleanup_fd int fd = sys_openat(at_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    struct file file = { .fd = fd };

    if (fd == -ENOENT || fd == -ELOOP || fd == -ENXIO)
        return 0;
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%.200s'", packer->path.data);
    if (fstat(fd, &st) < 0)
        return fail_sys(err, -errno, "cannot look at '%.200s'", packer->path.data);
    return S_ISREG(st.st_mode) ? write_entry(packer, &file, &st, NULL, err) : 0;
}

static int pack_other(struct packer *packer, int at_fd, const char *name, const struct stat *st,
                      struct error *err)
{
    struct file file = { .fd = -1, .name = name };
    char target[PATH_MAX];

    if (fchdir(at_fd) < 0)
        return fail_sys(err, -errno, "cannot enter a directory");
    if (!S_ISLNK(st->st_mode))
        return write_entry(packer, &file, st, NULL, err);
    ssize_t length = readlinkat(at_fd, name, target, sizeof(target) - 1);
    if (length < 0) /* replaced meanwhile */
        return 0;
    target[length] = '\0';
    return write_entry(packer, &file, st, target, err);
}

static int write_entry(struct packer *packer, const struct file *file, const struct stat *st,
                       const char *target, struct error *err)
{
    struct archive_entry *entry = archive_entry_new();
    struct archive_entry *spare = NULL;
    int rc = 0;

    archive_entry_copy_stat(entry, st);
    archive_entry_unset_atime(entry);
    archive_entry_unset_ctime(entry);
    archive_entry_unset_birthtime(entry);
    archive_entry_set_pathname(entry, shown_path(packer, S_ISDIR(st->st_mode)));
    if (target != NULL)
        archive_entry_set_symlink(entry, target);
    if (file->fd >= 0 || file->name != NULL)
        rc = attributes_get(file, entry, err);
    if (S_ISREG(st->st_mode) && file->fd >= 0)
        describe_holes(entry, file->fd, st);
    archive_entry_linkify(packer->links, &entry, &spare);
    if (rc == 0 && archive_write_header(packer->tar, entry) < ARCHIVE_WARN)
        rc = fail_writing(packer, err);
    bool has_data = S_ISREG(st->st_mode) && archive_entry_hardlink(entry) == NULL;
    if (rc == 0 && has_data && st->st_size > 0)
        rc = write_data(packer, file->fd, st->st_size, err);
    archive_entry_free(entry);
    archive_entry_free(spare); /* the strategy of tar defers nothing: it is NULL */
    return rc;
}

static void describe_holes(struct archive_entry *entry, int fd, const struct stat *st)
{
    off_t offset = 0;

    if (st->st_blocks * 512 >= st->st_size)
        return;
    for (;;) {
        off_t start = lseek(fd, offset, SEEK_DATA);
        if (start < 0 || start >= st->st_size) /* a hole up to the end */
            break;
        off_t end = lseek(fd, start, SEEK_HOLE);
        if (end < 0 || end > st->st_size)
            end = st->st_size;
        archive_entry_sparse_add_entry(entry, start, end - start);
        offset = end;
    }
    if (archive_entry_sparse_count(entry) == 0)
        archive_entry_sparse_add_entry(entry, st->st_size, 0);
    (void)lseek(fd, 0, SEEK_SET); /* of a regular file */
}

static int write_data(struct packer *packer, int fd, int64_t size, struct error *err)
{
    for (int64_t done = 0; done < size;) {
        size_t wanted = size - done < (int64_t)COPY_SIZE ? (size_t)(size - done) : COPY_SIZE;
        ssize_t got = sys_read(fd, packer->chunk, wanted);
        if (got < 0)
            return fail_sys(err, (int)got, "cannot read '%.200s'", packer->path.data);
        if (got == 0) { /* it shrank: the header has promised its size */
            memset(packer->chunk, 0, wanted);
            got = (ssize_t)wanted;
        }
        if (archive_write_data(packer->tar, packer->chunk, (size_t)got) < 0)
            return fail_writing(packer, err);
        done += got;
    }
    return 0;
}

static int fail_writing(struct packer *packer, struct error *err)
{
    const char *reason = archive_error_string(packer->tar);

    return fail(err, ERR_SYSTEM, "cannot write an archive: %s", reason == NULL ? "" : reason);
}

static void cut_path(struct packer *packer, size_t length)
{
    packer->path.size = length;
    packer->path.data[length] = '\0';
}

/* A directory's entry ends with a slash, as tar has it. */
static const char *shown_path(struct packer *packer, bool is_dir)
{
    static char path[2 * PATH_MAX]; /* the process is single-threaded */
    size_t size = packer->path.size < PATH_MAX ? packer->path.size : PATH_MAX;

    memcpy(path, packer->path.data, size);
    if (is_dir && (size == 0 || path[size - 1] != '/'))
        path[size++] = '/';
    path[size] = '\0';
    return path;
}
