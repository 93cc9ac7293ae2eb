/* SPDX-License-Identifier: Apache-2.0 */
/* The small texts that clients write: times, sizes, durations, names, paths, filters, mounts in
 * short. */
#include "base/clock.h"
#include "base/path.h"
#include "base/units.h"
#include "base/uuid.h"
#include "core/attachment/bind_spec.h"
#include "fuzz/fuzz.h"
#include "model/filter.h"
#include "model/name.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    static const char *const known[] = { "label", "name", "dangling", NULL };
    cleanup_arena struct arena *mem = arena_new();
    const char *text = arena_strndup(mem, (const char *)data, size);
    struct error err = { 0 };
    struct bind_spec bind = { 0 };
    struct filter filter = { 0 };
    const char *container = NULL;
    bool is_read_only = false;
    int64_t number = 0;

    (void)clock_parse_ns(text, &number);
    (void)units_parse_size(text, &number);
    (void)units_parse_duration(text, &number);
    (void)units_parse_int(text, &number);
    (void)uuid_is_valid(text);
    (void)hex_id_is_valid(text);
    (void)name_check("volume", text, &err);
    const char *clean = path_clean(mem, text);
    if (clean[0] != '/' || path_depth(clean) < 0)
        __builtin_trap();
    (void)bind_spec_parse(mem, text, &bind, &err);
    (void)volumes_from_parse(mem, text, &container, &is_read_only, &err);
    if (filter_parse(&filter, mem, text, known, &err) == 0)
        (void)filter_match(&filter, "label", "a");
    return 0;
}
