/* SPDX-License-Identifier: Apache-2.0 */
/* Time: now, and times as text.  *_ms are milliseconds, *_ns nanoseconds; wall times since 1970
 * UTC. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT_SIZE 40

/* Wall clock. */
int64_t clock_now_ms(void);
int64_t clock_now_ns(void);

/* Monotonic clock: for deadlines and durations only. */
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);

/* RFC 3339 in UTC: "2026-11-24T08:09:10.123Z", with nine digits for _ns. */
void clock_text_ms(int64_t time_ms, char text[CLOCK_TEXT_SIZE]);
void clock_text_ns(int64_t time_ns, char text[CLOCK_TEXT_SIZE]);

/*
 * Reads what Docker clients send for since and until: RFC 3339 (with any number of digits, Z or an
 * offset, or a bare date, or a date and time without zone, taken as UTC), or seconds since 1970
 * with an optional fraction.  Returns -EINVAL otherwise.
 */
int clock_parse_ns(const char *text, int64_t *time_ns);

#endif
