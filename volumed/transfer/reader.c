/* SPDX-License-Identifier: Apache-2.0 */
/* libarchive's tar reader (ustar, GNU, pax) behind error texts of ours. */
#include "transfer/reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <unistd.h>

#include "base/sys.h"

static la_ssize_t pull(struct archive *tar, void *context, const void **data);
static int fail_reading(struct error *err, struct archive *tar);
static int write_at(int fd, const char *data, size_t size, int64_t offset);

int reader_open(struct reader *reader, struct inflate *source, struct error *err)
{
    reader->source = source;
    reader->tar = archive_read_new();
    if (reader->tar == NULL)
        return fail_sys(err, -ENOMEM, "cannot read the archive");
    (void)archive_read_support_format_tar(reader->tar); /* always built in */
    (void)archive_read_support_format_empty(reader->tar);
    if (archive_read_open(reader->tar, reader, NULL, pull, NULL) != ARCHIVE_OK)
        return fail_reading(err, reader->tar);
    return 0;
}

void reader_done(struct reader *reader)
{
    (void)archive_read_free(reader->tar); /* NULL is fine; nothing was written */
    reader->tar = NULL;
}

int reader_next(struct archive *tar, struct archive_entry **entry, struct error *err)
{
    int rc = archive_read_next_header(tar, entry);

    if (rc == ARCHIVE_EOF)
        return 0;
    /* A warning is of names that are not UTF-8: their bytes are taken as they are. */
    if (rc < ARCHIVE_WARN)
        return fail_reading(err, tar);
    if (archive_entry_pathname(*entry) == NULL)
        return fail(err, ERR_INVALID, "the archive has an entry without a name");
    return 1;
}

int reader_save(struct archive *tar, int fd, int64_t size, struct error *err)
{
    const void *data;
    size_t count;
    la_int64_t offset;
    int64_t end = 0;

    for (;;) {
        int rc = archive_read_data_block(tar, &data, &count, &offset);
        if (rc == ARCHIVE_EOF)
            break;
        if (rc < ARCHIVE_WARN)
            return fail_reading(err, tar);
        rc = write_at(fd, data, count, offset);
        if (rc < 0)
            return fail_sys(err, rc, "cannot write its data");
        end = offset + (int64_t)count;
    }
    int rc = end < size ? sys_ftruncate(fd, size) : 0;
    return rc < 0 ? fail_sys(err, rc, "cannot set its size") : 0;
}

static la_ssize_t pull(struct archive *tar, void *context, const void **data)
{
    struct reader *reader = context;
    ssize_t got = inflate_next(reader->source, data, &reader->source_error);

    if (got < 0)
        archive_set_error(tar, reader->source_error.code == ERR_NO_SPACE ? ENOSPC : EINVAL, "%s",
                          reader->source_error.message);
    return got;
}

static int fail_reading(struct error *err, struct archive *tar)
{
    const char *reason = archive_error_string(tar);

    if (archive_errno(tar) == ENOSPC)
        return fail(err, ERR_NO_SPACE, "%s", reason);
    return fail(err, ERR_INVALID, "cannot read the archive: %s",
                reason == NULL ? "unknown format" : reason);
}

static int write_at(int fd, const char *data, size_t size, int64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t put = pwrite(fd, data + done, size - done, offset + (int64_t)done);
        if (put < 0 && errno != EINTR)
            return -errno;
        done += put > 0 ? (size_t)put : 0;
    }
    return 0;
}
