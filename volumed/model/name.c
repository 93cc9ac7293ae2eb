/* SPDX-License-Identifier: Apache-2.0 */
/* The one rule for names, and dockerd's words for breaking it.  Who is called what is in store/. */
#include "model/name.h"

#include <string.h>

#define NAME_FIRST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_REST  NAME_FIRST "_.-"

static int fail_short(const char *kind, const char *name, struct error *err);
static int fail_characters(const char *kind, const char *name, struct error *err);

int name_check(const char *kind, const char *name, struct error *err)
{
    size_t length = strlen(name);

    if (length < 2)
        return fail_short(kind, name, err);
    if (length > NAME_LENGTH_MAX)
        return fail(err, ERR_INVALID, "%s name '%.32s…' is longer than %d characters", kind, name,
                    NAME_LENGTH_MAX);
    if (strspn(name, NAME_FIRST) == 0 || strspn(name, NAME_REST) != length)
        return fail_characters(kind, name, err);
    return 0;
}

static int fail_short(const char *kind, const char *name, struct error *err)
{
    if (strcmp(kind, "container") == 0) /* dockerd does not tell short from bad there */
        return fail_characters(kind, name, err);
    (void)fail(err, ERR_INVALID,
               "%s name is too short, names should be at least two alphanumeric characters", kind);
    if (strcmp(kind, "volume") == 0)
        return error_prefix(err, "create %s", name);
    return -1;
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
