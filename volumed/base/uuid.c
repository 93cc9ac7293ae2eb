/* SPDX-License-Identifier: Apache-2.0 */
/* Random names, from libuuid and getrandom(2). */
#include "base/uuid.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

#define SHORT_ID_LENGTH 12

void uuid_make(char uuid[UUID_SIZE])
{
    uuid_t raw;

    uuid_generate_random(raw);
    uuid_unparse_lower(raw, uuid);
}

bool uuid_is_valid(const char *text)
{
    uuid_t raw;

    return strlen(text) == UUID_SIZE - 1 && uuid_parse(text, raw) == 0;
}

void hex_id_make(char id[HEX_ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t raw[(HEX_ID_SIZE - 1) / 2];

    do {
        if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
            abort(); /* never for so few bytes once the pool is up */
        for (size_t i = 0; i < sizeof(raw); i++) {
            id[2 * i] = digits[raw[i] >> 4];
            id[2 * i + 1] = digits[raw[i] & 15];
        }
        id[HEX_ID_SIZE - 1] = '\0';
    } while (strspn(id, "0123456789") >= SHORT_ID_LENGTH);
}

bool hex_id_is_valid(const char *text)
{
    return strlen(text) == HEX_ID_SIZE - 1 && strspn(text, "0123456789abcdef") == HEX_ID_SIZE - 1;
}
