/* SPDX-License-Identifier: Apache-2.0 */
/* Names from the clock and getrandom(2); libuuid reads and writes them. */
#include "base/uuid.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

#include "base/clock.h"

#define SHORT_ID_LENGTH 12
#define NS_PER_MS       1000000

static void random_fill(void *buffer, size_t size);

void uuid_make(char uuid[UUID_SIZE])
{
    uint8_t raw[sizeof(uuid_t)];
    int64_t now_ns = clock_now_ns();
    uint64_t ms = (uint64_t)(now_ns / NS_PER_MS);
    unsigned int fraction = (unsigned int)(now_ns % NS_PER_MS * 4096 / NS_PER_MS);

    random_fill(raw, sizeof(raw));
    for (int i = 0; i < 6; i++)
        raw[i] = (uint8_t)(ms >> (40 - 8 * i));
    raw[6] = (uint8_t)(0x70 | fraction >> 8); /* version 7 */
    raw[7] = (uint8_t)fraction;
    raw[8] = (raw[8] & 0x3f) | 0x80; /* variant of RFC 9562 */
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
        random_fill(raw, sizeof(raw));
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

static void random_fill(void *buffer, size_t size)
{
    if (getrandom(buffer, size, 0) != (ssize_t)size)
        abort(); /* never for so few bytes once the pool is up */
}
