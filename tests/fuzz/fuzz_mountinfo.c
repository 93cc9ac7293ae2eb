/* SPDX-License-Identifier: Apache-2.0 */
/* One line of mountinfo: targets hold whatever names containers choose. */
#include <string.h>

#include "fuzz.h"
#include "mount/table.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    char *text = arena_alloc(mem, size + 1);
    struct mount_line line = { 0 };
    struct mount_user *users = NULL;

    memcpy(text, data, size);
    (void)mount_line_parse(mem, text, &line);
    struct mount_namespace namespace = { 1, 1, text };
    const struct mount_table table = { &namespace, 1 };
    (void)mount_table_find(mem, &table, "volumes", "id", &users);
    return 0;
}
