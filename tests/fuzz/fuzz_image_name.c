/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images: what is accepted becomes full, and the full name is its own full name. */
#include <assert.h>
#include <string.h>

#include "core/image/image.h"
#include "core/image/image_name.h"
#include "fuzz.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *text = arena_strndup(mem, (const char *)data, size);
    const char *full;
    const char *again;
    struct error err;

    if (image_name_normalize(mem, text, &full, &err) < 0)
        return 0;
    assert(image_name_normalize(mem, full, &again, &err) == 0 && strcmp(full, again) == 0);
    const char *familiar = image_name_familiar(mem, full);
    assert(image_name_normalize(mem, familiar, &again, &err) == 0 && strcmp(full, again) == 0);
    return 0;
}
