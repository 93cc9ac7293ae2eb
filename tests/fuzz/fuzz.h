/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzz target defines.  The same function serves libFuzzer and the corpus replay. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>

/* Digests one input; must neither crash nor leak whatever the bytes are.  Returns 0. */
int fuzz_one(const unsigned char *data, size_t size);

#endif
