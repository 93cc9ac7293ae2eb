/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compressed stream read as plain bytes, block by block: plain, gzip, bzip2, xz or zstd.  Counts
 * and hashes what comes out, and can keep a zstd copy of it aside.
 */
#ifndef TRANSFER_INFLATE_H
#define TRANSFER_INFLATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "transfer/digest.h"

struct archive;

struct inflate {
    struct archive *source;
    struct archive *copy; /* NULL: none is kept */
    struct digest digest;
    bool is_empty; /* not a byte came in */
    int64_t bytes; /* that came out so far */
    int64_t bytes_max;
};

/* Reads from 'fd'; with copy_fd >= 0 a zstd copy is written there. */
int inflate_open(struct inflate *inflate, int fd, int copy_fd, int64_t bytes_max,
                 struct error *err);

/* The next block, borrowed until the next call; 0 at the end. */
ssize_t inflate_next(struct inflate *inflate, const void **data, struct error *err);

/* Reads what is left, ends the copy, and writes the digest of everything that came out. */
int inflate_finish(struct inflate *inflate, char digest[DIGEST_TEXT_SIZE], struct error *err);
void inflate_done(struct inflate *inflate);
#define cleanup_inflate CLEANUP(inflate_done)

#endif
