/* SPDX-License-Identifier: Apache-2.0 */
/* Headers for tars of our own, whose entries are plain files with short names. */
#ifndef TRANSFER_TAR_HEADER_H
#define TRANSFER_TAR_HEADER_H

#include <stdint.h>

#define TAR_BLOCK_BYTES 512

/* 'name' has at most 100 bytes. */
void tar_header_make(char block[TAR_BLOCK_BYTES], const char *name, int64_t size_bytes);

/* How many zero bytes follow the data up to the next block. */
int64_t tar_padding(int64_t size_bytes);

#endif
