/* SPDX-License-Identifier: Apache-2.0 */
/* What kinds of things can be in the trash. */
#include "model/trash.h"

#include <string.h>

bool trash_entry_is_volume(const struct trash_entry *entry)
{
    return strcmp(entry->kind, "volume") == 0;
}
