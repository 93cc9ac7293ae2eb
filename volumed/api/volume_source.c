/* SPDX-License-Identifier: Apache-2.0 */
/* VOLUME@SNAPSHOT, shared by the Docker door and the plugin door. */
#include "api/volume_source.h"

#include <string.h>

void volume_source_take(struct volume_spec *spec, struct arena *mem)
{
    const char *from = pairs_get(&spec->options, "from");

    if (from == NULL)
        return;
    size_t length = strcspn(from, "@");
    if (from[length] == '@')
        spec->from_snapshot = from + length + 1;
    spec->from_volume = arena_strndup(mem, from, length);
    pairs_remove(&spec->options, "from");
}
