/* SPDX-License-Identifier: Apache-2.0 */
/* Words for access and succession. */
#include "model/lease.h"

#include <string.h>

static const char *const access_names[] = {
    [VOLUME_SHARED] = "shared",
    [VOLUME_SINGLE_WRITER] = "single-writer",
    [VOLUME_EXCLUSIVE] = "exclusive",
    [VOLUME_READ_ONLY] = "read-only",
};

static const char *const succession_names[] = {
    [SUCCESSION_NONE] = "none",
    [SUCCESSION_STANDBY] = "standby",
    [SUCCESSION_FENCED] = "fenced",
};

static int find(const char *const *names, size_t count, const char *name);

const char *volume_access_name(enum volume_access access)
{
    return access_names[access];
}

int volume_access_find(const char *name, enum volume_access *access, struct error *err)
{
    int found = find(access_names, ARRAY_SIZE(access_names), name);

    if (found < 0)
        return fail(err, ERR_INVALID,
                    "invalid access: '%s' is none of shared, single-writer, exclusive, read-only",
                    name);
    *access = (enum volume_access)found;
    return 0;
}

const char *lease_succession_name(enum lease_succession succession)
{
    return succession_names[succession];
}

int lease_succession_find(const char *name, enum lease_succession *succession, struct error *err)
{
    int found = find(succession_names, ARRAY_SIZE(succession_names), name);

    if (found < 0)
        return fail(err, ERR_INVALID, "invalid succession: '%s' is none of none, standby, fenced",
                    name);
    *succession = (enum lease_succession)found;
    return 0;
}

static int find(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}
