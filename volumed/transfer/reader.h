/* SPDX-License-Identifier: Apache-2.0 */
/* Tar headers and data out of an inflated stream, by libarchive. */
#ifndef TRANSFER_READER_H
#define TRANSFER_READER_H

#include <stdint.h>

#include "base/error.h"
#include "transfer/inflate.h"

struct archive;
struct archive_entry;

struct reader {
    struct archive *tar;
    struct inflate *source;
    struct error source_error; /* the real cause when the source fails */
};

int reader_open(struct reader *reader, struct inflate *source, struct error *err);
void reader_done(struct reader *reader);
#define cleanup_reader CLEANUP(reader_done)

/* Returns 1 with the next entry, which has a path; 0 at the end. */
int reader_next(struct archive *tar, struct archive_entry **entry, struct error *err);

/* Writes the entry's data to an empty file; holes stay holes. */
int reader_save(struct archive *tar, int fd, int64_t size, struct error *err);

/* Writes it over what the file has, which is as long as 'size' afterwards; zeros become holes. */
int reader_patch(struct archive *tar, int fd, int64_t size, struct error *err);

#endif
