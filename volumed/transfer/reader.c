/* SPDX-License-Identifier: Apache-2.0 */
/* libarchive's tar reader (ustar, GNU, pax) behind error texts of ours. */
#include "transfer/reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

#define BLOCK ((size_t)4096)

static la_ssize_t pull(struct archive *tar, void *context, const void **data);
static int fail_reading(struct error *err, struct archive *tar);
static int write_at(int fd, const char *data, size_t size, int64_t offset);
static int patch_at(int fd, const char *data, size_t size, int64_t offset);
static bool is_zero(const char *data, size_t size);

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

int reader_patch(struct archive *tar, int fd, int64_t size, struct error *err)
{
    const void *data;
    size_t count;
    la_int64_t offset;
    int rc = sys_ftruncate(fd, size);

    while (rc >= 0) {
        int got = archive_read_data_block(tar, &data, &count, &offset);
        if (got == ARCHIVE_EOF)
            break;
        if (got < ARCHIVE_WARN)
            return fail_reading(err, tar);
        if (offset < 0 || (int64_t)count > size - offset)
            return fail(err, ERR_INVALID, "it changes the file behind its end");
        rc = patch_at(fd, data, count, offset);
    }
    return rc < 0 ? fail_sys(err, rc, "cannot write its data") : 0;
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

/* Runs of blocks of zeros, and of others. */
static int patch_at(int fd, const char *data, size_t size, int64_t offset)
{
    int rc = 0;

    for (size_t done = 0, run; done < size && rc >= 0; done += run) {
        size_t block = BLOCK - (size_t)(offset + (int64_t)done) % BLOCK;
        bool is_hole = false;
        for (run = 0; done + run < size; run += block, block = BLOCK) {
            if (block > size - done - run)
                block = size - done - run;
            bool is_empty = is_zero(data + done + run, block);
            if (run > 0 && is_empty != is_hole)
                break;
            is_hole = is_empty;
        }
        rc = is_hole ? sys_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                     offset + (off_t)done, (off_t)run)
                     : -ENOTSUP;
        if (rc == -ENOTSUP)
            rc = write_at(fd, data + done, run, offset + (int64_t)done);
    }
    return rc;
}

static bool is_zero(const char *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}
