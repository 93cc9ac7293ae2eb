/* SPDX-License-Identifier: Apache-2.0 */
/* The one rule for names, and dockerd's words for breaking it.  Who is called what is in store/. */
#include "model/name.h"

#include <string.h>

#define NAME_FIRST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_REST  NAME_FIRST "_.-"

static size_t shortest(const char *kind);
static int fail_short(const char *kind, const char *name, struct error *err);
static int fail_characters(const char *kind, const char *name, struct error *err);

int name_check(const char *kind, const char *name, struct error *err)
{
    size_t length = strlen(name);

    if (length < shortest(kind))
        return fail_short(kind, name, err);
    if (length > NAME_LENGTH_MAX)
        return fail(err, ERR_INVALID, "%s name '%.32s…' is longer than %d characters", kind, name,
                    NAME_LENGTH_MAX);
    if (strspn(name, NAME_FIRST) == 0 || strspn(name, NAME_REST) != length)
        return fail_characters(kind, name, err);
    return 0;
}

/* Docker's two characters for what Docker knows; ours may be data@1. */
static size_t shortest(const char *kind)
{
    return strcmp(kind, "volume") == 0 || strcmp(kind, "container") == 0 ? 2 : 1;
}

static int fail_short(const char *kind, const char *name, struct error *err)
{
    if (strcmp(kind, "container") == 0) /* dockerd does not tell short from bad there */
        return fail_characters(kind, name, err);
    if (strcmp(kind, "volume") != 0)
        return fail(err, ERR_INVALID, "a %s needs a name", kind);
    return fail(err, ERR_INVALID,
                "create %s: volume name is too short, names should be at least two alphanumeric "
                "characters",
                name);
}

static int fail_characters(const char *kind, const char *name, struct error *err)
{
    static const char allowed[] = "[a-zA-Z0-9][a-zA-Z0-9_.-]";

    if (strcmp(kind, "container") == 0)
        return fail(err, ERR_INVALID, "Invalid container name (%s), only %s are allowed", name,
                    allowed);
    if (strcmp(kind, "volume") == 0)
        return fail(err, ERR_INVALID,
                    "create %s: \"%s\" includes invalid characters for a local volume name, only "
                    "\"%s\" are allowed. If you intended to pass a host directory, use absolute "
                    "path",
                    name, name, allowed);
    return fail(err, ERR_INVALID,
                "\"%s\" includes invalid characters for a %s name, only \"%s\" are allowed", name,
                kind, allowed);
}
