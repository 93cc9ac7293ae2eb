/* SPDX-License-Identifier: Apache-2.0 */
/* How much of others' making we take in at once. */
#ifndef TRANSFER_LIMITS_H
#define TRANSFER_LIMITS_H

#include <stdint.h>

#define LIMIT_ARCHIVE_BYTES  ((int64_t)1 << 40) /* of one tar, decompressed */
#define LIMIT_ENTRIES        ((int64_t)8 << 20) /* of one tar */
#define LIMIT_MANIFEST_BYTES ((size_t)4 << 20)  /* of one JSON document in an image */
#define LIMIT_LAYERS         127                /* of one image, as Docker */
#define LIMIT_IMAGES         1000               /* of one archive */

#endif
