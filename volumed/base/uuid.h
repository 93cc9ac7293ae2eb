/* SPDX-License-Identifier: Apache-2.0 */
/* Names that nobody chose: UUIDs for what is on disk, 64 hex digits where Docker expects them. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>

#define UUID_SIZE   37 /* with the NUL */
#define HEX_ID_SIZE 65 /* with the NUL */

/* A new random UUID in lower case. */
void uuid_make(char uuid[UUID_SIZE]);
bool uuid_is_valid(const char *text);

/* 64 random hex digits, never all decimal in the first 12 (they serve as host names). */
void hex_id_make(char id[HEX_ID_SIZE]);
bool hex_id_is_valid(const char *text);

#endif
