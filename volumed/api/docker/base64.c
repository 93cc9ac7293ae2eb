/* SPDX-License-Identifier: Apache-2.0 */
/* Three bytes to four letters; the last group is padded.  Decoding is not needed here. */
#include "api/docker/base64.h"

#include <stdint.h>
#include <string.h>

char *base64_encode(struct arena *mem, const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(text);
    char *encoded = arena_alloc(mem, (length + 2) / 3 * 4 + 1);
    char *end = encoded;

    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)(unsigned char)text[i] << 16;
        group |= left > 1 ? (uint32_t)(unsigned char)text[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)(unsigned char)text[i + 2] : 0;
        *end++ = letters[group >> 18];
        *end++ = letters[group >> 12 & 63];
        *end++ = (char)(left > 1 ? letters[group >> 6 & 63] : '=');
        *end++ = (char)(left > 2 ? letters[group & 63] : '=');
    }
    return encoded;
}
