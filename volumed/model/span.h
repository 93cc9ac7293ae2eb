/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths of time as policies write them: "90s", "15m", "24h", "7d", "2w", "1d12h". */
#ifndef MODEL_SPAN_H
#define MODEL_SPAN_H

#include <stddef.h>
#include <stdint.h>

/* The first 'length' characters.  -EINVAL unless it is one of these and 1 ms … 1000 years. */
int span_parse(const char *text, size_t length, int64_t *span_ms);

#define SPAN_TEXT_SIZE 32

/* In the largest unit that it is a whole number of. */
void span_format(int64_t span_ms, char text[SPAN_TEXT_SIZE]);

#endif
