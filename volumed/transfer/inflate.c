/* SPDX-License-Identifier: Apache-2.0 */
/* libarchive's filters under its raw format.  A stream that swells without measure is refused. */
#include "transfer/inflate.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "base/base.h"

#define READ_SIZE ((size_t)256 * 1024)

/* A stream may hold this much whatever its compressed size, and beyond it so many times its size.
 * gzip cannot exceed 1032; text and programs stay below 20. */
#define FREE_BYTES ((int64_t)4 << 30)
#define RATIO_MAX  200
#define COPY_LEVEL "3"

static int open_source(struct inflate *inflate, int fd, struct error *err);
static int open_copy(struct inflate *inflate, int copy_fd, struct error *err);
static int check_bounds(const struct inflate *inflate, struct error *err);
static int fail_archive(struct error *err, struct archive *archive, const char *what);

int inflate_open(struct inflate *inflate, int fd, int copy_fd, int64_t bytes_max, struct error *err)
{
    *inflate = (struct inflate){ .bytes_max = bytes_max };
    digest_init(&inflate->digest);
    if (open_source(inflate, fd, err) < 0)
        return -1;
    return copy_fd < 0 ? 0 : open_copy(inflate, copy_fd, err);
}

ssize_t inflate_next(struct inflate *inflate, const void **data, struct error *err)
{
    size_t size;
    la_int64_t offset;
    int rc;

    if (inflate->is_empty)
        return 0;
    do
        rc = archive_read_data_block(inflate->source, data, &size, &offset);
    while (rc == ARCHIVE_RETRY || (rc >= ARCHIVE_WARN && rc != ARCHIVE_EOF && size == 0));
    if (rc == ARCHIVE_EOF)
        return 0;
    if (rc < ARCHIVE_WARN)
        return fail_archive(err, inflate->source, "cannot decompress the archive");
    inflate->bytes += (int64_t)size;
    if (check_bounds(inflate, err) < 0)
        return -1;
    digest_update(&inflate->digest, *data, size);
    if (inflate->copy != NULL && archive_write_data(inflate->copy, *data, size) < 0)
        return fail_archive(err, inflate->copy, "cannot keep a copy of the archive");
    return (ssize_t)size;
}

int inflate_finish(struct inflate *inflate, char digest[DIGEST_TEXT_SIZE], struct error *err)
{
    const void *data;
    ssize_t got;

    do
        got = inflate_next(inflate, &data, err);
    while (got > 0);
    if (got < 0)
        return -1;
    if (inflate->copy != NULL && archive_write_close(inflate->copy) != ARCHIVE_OK)
        return fail_archive(err, inflate->copy, "cannot keep a copy of the archive");
    digest_finish(&inflate->digest, digest);
    return 0;
}

void inflate_done(struct inflate *inflate)
{
    (void)archive_read_free(inflate->source); /* NULL is fine; nothing was written there */
    (void)archive_write_free(inflate->copy);  /* inflate_finish() told of a failed write */
    digest_done(&inflate->digest);
    *inflate = (struct inflate){ 0 };
}

static int open_source(struct inflate *inflate, int fd, struct error *err)
{
    struct archive *source = archive_read_new();
    struct archive_entry *entry;

    if (source == NULL)
        return fail_sys(err, -ENOMEM, "cannot decompress the archive");
    inflate->source = source;
    (void)archive_read_support_filter_gzip(source); /* a missing one shows at the first read */
    (void)archive_read_support_filter_bzip2(source);
    (void)archive_read_support_filter_xz(source);
    (void)archive_read_support_filter_zstd(source);
    (void)archive_read_support_format_raw(source);
    (void)archive_read_support_format_empty(source);
    if (archive_read_open_fd(source, fd, READ_SIZE) != ARCHIVE_OK)
        return fail_archive(err, source, "cannot open the archive");
    int rc = archive_read_next_header(source, &entry);
    inflate->is_empty = rc == ARCHIVE_EOF; /* it has no entry, and no data to ask for */
    if (inflate->is_empty)
        return 0;
    return rc < ARCHIVE_WARN ? fail_archive(err, source, "cannot open the archive") : 0;
}

static int open_copy(struct inflate *inflate, int copy_fd, struct error *err)
{
    struct archive *copy = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    int rc = ARCHIVE_FATAL;

    inflate->copy = copy;
    if (copy != NULL && entry != NULL && archive_write_set_format_raw(copy) == ARCHIVE_OK &&
        archive_write_add_filter_zstd(copy) == ARCHIVE_OK &&
        archive_write_set_filter_option(copy, "zstd", "compression-level", COPY_LEVEL) ==
            ARCHIVE_OK &&
        archive_write_set_bytes_in_last_block(copy, 1) == ARCHIVE_OK &&
        archive_write_open_fd(copy, copy_fd) == ARCHIVE_OK) {
        archive_entry_set_filetype(entry, AE_IFREG);
        rc = archive_write_header(copy, entry);
    }
    archive_entry_free(entry);
    return rc == ARCHIVE_OK ? 0 : fail_archive(err, copy, "cannot keep a copy of the archive");
}

static int check_bounds(const struct inflate *inflate, struct error *err)
{
    int64_t compressed = archive_filter_bytes(inflate->source, -1);

    if (inflate->bytes > inflate->bytes_max)
        return fail(err, ERR_INVALID, "the archive holds more than %lld bytes",
                    (long long)inflate->bytes_max);
    if (inflate->bytes > FREE_BYTES && inflate->bytes / RATIO_MAX > compressed)
        return fail(err, ERR_INVALID, "the archive swells to more than %d times its size",
                    RATIO_MAX);
    return 0;
}

static int fail_archive(struct error *err, struct archive *archive, const char *what)
{
    const char *reason = archive == NULL ? NULL : archive_error_string(archive);
    int error_number = archive == NULL ? ENOMEM : archive_errno(archive);

    if (error_number == ENOSPC || error_number == EDQUOT || error_number == EIO)
        return fail_sys(err, -error_number, "%s", what);
    return fail(err, ERR_INVALID, "%s: %s", what, reason == NULL ? "unknown format" : reason);
}
