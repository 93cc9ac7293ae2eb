/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 in the form that images use: "sha256:" and 64 hex digits. */
#ifndef TRANSFER_DIGEST_H
#define TRANSFER_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DIGEST_TEXT_SIZE 72 /* with the NUL */

struct digest {
    void *context; /* NULL: ended */
};

void digest_init(struct digest *digest);
void digest_update(struct digest *digest, const void *data, size_t size);

/* Ends it and writes its text. */
void digest_finish(struct digest *digest, char text[DIGEST_TEXT_SIZE]);
void digest_done(struct digest *digest);
#define cleanup_digest CLEANUP(digest_done)

void digest_bytes(const void *data, size_t size, char text[DIGEST_TEXT_SIZE]);

/* Of a file from its beginning; the offset of 'fd' is not used. */
int digest_file(int fd, char text[DIGEST_TEXT_SIZE], int64_t *size_bytes, struct error *err);

/* The ChainID of a layer on 'parent' (NULL for the first), as the OCI image spec defines it. */
void digest_chain(const char *parent, const char *diff_id, char text[DIGEST_TEXT_SIZE]);

bool digest_is_valid(const char *text);

#endif
