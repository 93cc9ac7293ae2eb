/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a Dockerfile's line: quotes, backslashes, key=value. */
#ifndef CORE_IMAGE_WORD_H
#define CORE_IMAGE_WORD_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

struct word {
    const char *key;
    const char *value;
};

/* Without spaces at both ends. */
const char *word_trim(struct arena *mem, const char *text);

/* Split at spaces, nothing else; NULL-terminated. */
const char *const *word_list(struct arena *mem, const char *text);

/* "a=b c='d e'", or the old form "a b c" (one pair).  'instruction' is for messages. */
int word_pairs(struct arena *mem, const char *instruction, const char *text,
               const struct word **words, size_t *count, struct error *err);

#endif
