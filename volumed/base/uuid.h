/* SPDX-License-Identifier: Apache-2.0 */
/* Names that nobody chose: UUIDs for what is on disk, 64 hex digits where Docker expects them. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>

#define UUID_SIZE   37 /* with the NUL */
#define HEX_ID_SIZE 65 /* with the NUL */

/*
 * A new UUID in lower case: version 7 (RFC 9562), the time in front to some 250 ns, then 62 random
 * bits.  What is made later sorts later (unless the clock was set back), so rows that are made one
 * after the other lie in the same pages of the database's trees.
 */
void uuid_make(char uuid[UUID_SIZE]);
bool uuid_is_valid(const char *text);

/* 64 random hex digits, never all decimal in the first 12 (they serve as host names). */
void hex_id_make(char id[HEX_ID_SIZE]);
bool hex_id_is_valid(const char *text);

#endif
