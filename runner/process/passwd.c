/* SPDX-License-Identifier: Apache-2.0 */
/* "name:password:uid:gid:comment:home:shell" */
#include "runner/process/passwd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/units.h"

#define PASSWD_MAX  ((size_t)1024 * 1024)
#define FIELD_UID   2
#define FIELD_HOME  5
#define FIELD_COUNT 7

static const char *line_field(struct arena *mem, const char *line, size_t length, int wanted);

const char *passwd_home(struct arena *mem, uid_t uid)
{
    const char *home = NULL;
    struct error ignored; /* no file, no home */
    char *text;

    if (fs_read_file(mem, AT_FDCWD, "/etc/passwd", PASSWD_MAX, &text, NULL, &ignored) == 0)
        home = passwd_find_home(mem, text, uid);
    return home != NULL && *home == '/' ? home : "/";
}

const char *passwd_find_home(struct arena *mem, const char *text, uid_t uid)
{
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        const char *number = line_field(mem, line, length, FIELD_UID);
        int64_t value = -1;
        if (number != NULL && units_parse_int(number, &value) == 0 && value == (int64_t)uid)
            return line_field(mem, line, length, FIELD_HOME);
        line += length + (line[length] == '\n');
    }
    return NULL;
}

static const char *line_field(struct arena *mem, const char *line, size_t length, int wanted)
{
    const char *at = line;
    const char *end = line + length;

    for (int field = 0; field < FIELD_COUNT; field++) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        const char *stop = colon != NULL ? colon : end;
        if (field == wanted)
            return arena_strndup(mem, at, (size_t)(stop - at));
        if (colon == NULL)
            return NULL;
        at = colon + 1;
    }
    return NULL;
}
