/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an entry: libarchive's pax tar, restricted to what others read, or exact. */
#include "transfer/pack_entry.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/sys.h"
#include "transfer/mark.h"

#define COPY_SIZE ((size_t)256 * 1024)

static int set_format(struct packer *packer);
static struct archive_entry *make_entry(struct packer *packer, const struct pack_item *item);
static void describe_ranges(struct archive_entry *entry, const struct ranges *ranges, int64_t size);
static void describe_holes(struct archive_entry *entry, int fd, const struct stat *st);
static int write_data(struct packer *packer, struct archive_entry *entry, int fd, int64_t size,
                      struct error *err);
static int write_part(struct packer *packer, int fd, struct range part, struct error *err);
static int write_nothing(struct packer *packer, int64_t size, struct error *err);
static int fail_writing(struct packer *packer, struct error *err);
static const char *shown_path(struct packer *packer, bool is_dir);
static void names_add(struct pack_names *names, const char *name);
static int compare_names(const void *left, const void *right);

int packer_open(struct packer *packer, int output_fd, struct error *err)
{
    packer->tar = archive_write_new();
    packer->links = archive_entry_linkresolver_new();
    packer->chunk = mem_alloc(COPY_SIZE);
    if (packer->tar == NULL || packer->links == NULL)
        return fail_sys(err, -ENOMEM, "cannot write an archive");
    archive_entry_linkresolver_set_strategy(packer->links, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED);
    if (set_format(packer) != ARCHIVE_OK ||
        archive_write_open_fd(packer->tar, output_fd) != ARCHIVE_OK)
        return fail_writing(packer, err);
    return 0;
}

int packer_close(struct packer *packer, struct error *err)
{
    return archive_write_close(packer->tar) == ARCHIVE_OK ? 0 : fail_writing(packer, err);
}

void packer_done(struct packer *packer)
{
    (void)archive_write_free(packer->tar); /* packer_close() told of a failed write */
    archive_entry_linkresolver_free(packer->links);
    free(packer->chunk);
    buf_done(&packer->path);
}

int packer_write(struct packer *packer, const struct pack_item *item, struct error *err)
{
    const struct stat *st = item->st;
    bool is_file = S_ISREG(st->st_mode) && item->file.fd >= 0;
    struct archive_entry *spare = NULL;
    int rc = 0;

    if (packer->rules->is_exact && packer->path.size >= PATH_MAX - 1)
        return fail(err, ERR_UNSUPPORTED, "'%.200s…' lies too deep to be packed",
                    packer->path.data);
    struct archive_entry *entry = make_entry(packer, item);
    if (item->file.fd >= 0 || item->file.name != NULL)
        rc = attributes_get(&item->file, entry, err);
    if (is_file && item->ranges != NULL)
        describe_ranges(entry, item->ranges, st->st_size);
    else if (is_file)
        describe_holes(entry, item->file.fd, st);
    if (!item->are_links_known)
        archive_entry_linkify(packer->links, &entry, &spare);
    if (rc == 0 && archive_write_header(packer->tar, entry) < ARCHIVE_WARN)
        rc = fail_writing(packer, err);
    if (rc == 0 && is_file && archive_entry_hardlink(entry) == NULL && st->st_size > 0)
        rc = write_data(packer, entry, item->file.fd, st->st_size, err);
    archive_entry_free(entry);
    archive_entry_free(spare); /* the strategy of tar defers nothing: it is NULL */
    packer->entries++;
    return rc;
}

int packer_write_other(struct packer *packer, int at_fd, const char *name, const struct stat *st,
                       struct error *err)
{
    struct pack_item item = { .file = { .fd = -1, .name = name }, .st = st };
    struct stat fifo = *st;
    char target[PATH_MAX];

    if (fchdir(at_fd) < 0)
        return fail_sys(err, -errno, "cannot enter a directory");
    if (S_ISSOCK(st->st_mode)) {
        fifo.st_mode = (st->st_mode & ~(mode_t)S_IFMT) | S_IFIFO;
        item.st = &fifo;
        item.mark = MARK_SOCKET;
    }
    if (S_ISLNK(st->st_mode)) {
        ssize_t length = readlinkat(at_fd, name, target, sizeof(target) - 1);
        if (length < 0) /* replaced meanwhile */
            return 0;
        target[length] = '\0';
        item.target = target;
    }
    return packer_write(packer, &item, err);
}

void packer_cut_path(struct packer *packer, size_t length)
{
    packer->path.size = length;
    packer->path.data[length] = '\0';
}

int pack_names_list(int fd, struct pack_names *names, struct error *err)
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

/*
 * The form of attributes that every other reader knows; or the one that can say any name, with all
 * times to the nanosecond.
 */
static int set_format(struct packer *packer)
{
    bool is_exact = packer->rules->is_exact;
    int rc = is_exact ? archive_write_set_format_pax(packer->tar)
                      : archive_write_set_format_pax_restricted(packer->tar);

    return rc != ARCHIVE_OK ? rc
                            : archive_write_set_format_option(packer->tar, "pax", "xattrheader",
                                                              is_exact ? "LIBARCHIVE" : "SCHILY");
}

static struct archive_entry *make_entry(struct packer *packer, const struct pack_item *item)
{
    struct archive_entry *entry = archive_entry_new();

    archive_entry_copy_stat(entry, item->st);
    archive_entry_unset_atime(entry);
    archive_entry_unset_ctime(entry);
    archive_entry_unset_birthtime(entry);
    archive_entry_set_pathname(entry, shown_path(packer, S_ISDIR(item->st->st_mode)));
    if (item->target != NULL)
        archive_entry_set_symlink(entry, item->target);
    if (item->hardlink != NULL) {
        archive_entry_set_hardlink(entry, item->hardlink);
        archive_entry_set_size(entry, 0);
    }
    if (item->mark != NULL)
        archive_entry_xattr_add_entry(entry, MARK_NAME, item->mark, strlen(item->mark));
    return entry;
}

static void describe_ranges(struct archive_entry *entry, const struct ranges *ranges, int64_t size)
{
    for (size_t i = 0; i < ranges->count; i++)
        archive_entry_sparse_add_entry(entry, ranges->items[i].start,
                                       ranges->items[i].end - ranges->items[i].start);
    if (ranges->count == 0 && size > 0)
        archive_entry_sparse_add_entry(entry, size, 0);
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
}

/* libarchive wants all of the file, and drops what the entry says are holes: they are not read. */
static int write_data(struct packer *packer, struct archive_entry *entry, int fd, int64_t size,
                      struct error *err)
{
    struct range part = { 0, size };
    int64_t done = 0;
    la_int64_t start = 0;
    la_int64_t length = 0;

    if (archive_entry_sparse_reset(entry) == 0)
        return write_part(packer, fd, part, err);
    while (archive_entry_sparse_next(entry, &start, &length) == ARCHIVE_OK) {
        part = (struct range){ start, start + length };
        if (write_nothing(packer, start - done, err) < 0 || write_part(packer, fd, part, err) < 0)
            return -1;
        done = part.end;
    }
    return write_nothing(packer, size - done, err);
}

static int write_part(struct packer *packer, int fd, struct range part, struct error *err)
{
    for (int64_t at = part.start; at < part.end;) {
        size_t wanted = part.end - at < (int64_t)COPY_SIZE ? (size_t)(part.end - at) : COPY_SIZE;
        ssize_t got = pread(fd, packer->chunk, wanted, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_sys(err, -errno, "cannot read '%.200s'", packer->path.data);
        if (got == 0) { /* it shrank: the header has promised its size */
            memset(packer->chunk, 0, wanted);
            got = (ssize_t)wanted;
        }
        if (archive_write_data(packer->tar, packer->chunk, (size_t)got) < 0)
            return fail_writing(packer, err);
        at += got;
    }
    return 0;
}

static int write_nothing(struct packer *packer, int64_t size, struct error *err)
{
    static const char zeros[16384];

    while (size > 0) {
        size_t piece = size < (int64_t)sizeof(zeros) ? (size_t)size : sizeof(zeros);
        if (archive_write_data(packer->tar, zeros, piece) < 0)
            return fail_writing(packer, err);
        size -= (int64_t)piece;
    }
    return 0;
}

static int fail_writing(struct packer *packer, struct error *err)
{
    const char *reason = archive_error_string(packer->tar);

    return fail(err, ERR_SYSTEM, "cannot write an archive: %s", reason == NULL ? "" : reason);
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

static void names_add(struct pack_names *names, const char *name)
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
