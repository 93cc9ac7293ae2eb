/* SPDX-License-Identifier: Apache-2.0 */
/* A layer of an image: a tree that is kept unpacked, and the tar that it came from. */
#ifndef MODEL_LAYER_H
#define MODEL_LAYER_H

#include <stdint.h>

struct layer {
    const char *chain_id;  /* digest of it and all below it */
    const char *diff_id;   /* digest of its tar, uncompressed */
    const char *parent;    /* chain_id below; NULL: none */
    const char *dir_id;    /* names what is on disk */
    int64_t size_bytes;    /* of the files in it */
    int64_t archive_bytes; /* of its tar, uncompressed */
    int64_t created_ms;
};

#endif
