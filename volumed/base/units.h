/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and durations as people write them. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

#define UNITS_TEXT_SIZE 32

/* "10", "10k", "1.5G", "1GiB", "1gb": powers of 1024 in each form, as Docker's size options.
 * -EINVAL. */
int units_parse_size(const char *text, int64_t *size_bytes);

/* Go's form: "1h30m", "250ms", "90s"; a bare number is seconds.  -EINVAL. */
int units_parse_duration(const char *text, int64_t *duration_ns);

/* "1.5 GiB" */
void units_format_size(int64_t size_bytes, char text[UNITS_TEXT_SIZE]);

/* As Docker's "Up 3 minutes": "Less than a second", "About a minute", "2 hours", "3 days"… */
void units_format_ago(int64_t duration_ms, char text[UNITS_TEXT_SIZE]);

/* A whole number in base 10, nothing before or after it, or -EINVAL / -ERANGE. */
int units_parse_int(const char *text, int64_t *value);

#endif
