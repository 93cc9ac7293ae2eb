/* SPDX-License-Identifier: Apache-2.0 */
/* Plain reading of colon-separated files in our root; the C library's look-ups would load modules
 * of the container's. */
#include "transfer/user.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/units.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define FIELDS_MAX     7

struct record {
    const char *fields[FIELDS_MAX]; /* name, password, id, group id … */
};

static bool find_record(struct arena *mem, const char *file, const char *key,
                        struct record *record);
static bool split(char *line, struct record *record);
static bool parse_id(const char *text, unsigned int *id);

int user_find(const char *user, uid_t *uid, gid_t *gid, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *colon = strchr(user, ':');
    const char *name = colon == NULL ? user : arena_strndup(mem, user, (size_t)(colon - user));
    struct record record = { 0 };
    bool is_found = find_record(mem, "etc/passwd", name, &record);

    *gid = 0;
    if (is_found && !(parse_id(record.fields[2], uid) && parse_id(record.fields[3], gid)))
        return fail(err, ERR_INVALID, "unable to find user %s: its line is damaged", name);
    if (!is_found && !parse_id(name, uid))
        return fail(err, ERR_NOT_FOUND,
                    "unable to find user %s: no matching entries in passwd file", name);
    return colon == NULL ? 0 : group_find(colon + 1, gid, err);
}

int group_find(const char *group, gid_t *gid, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct record record = { 0 };
    bool is_found = find_record(mem, "etc/group", group, &record);

    if (is_found ? parse_id(record.fields[2], gid) : parse_id(group, gid))
        return 0;
    return fail(err, ERR_NOT_FOUND, "unable to find group %s: no matching entries in group file",
                group);
}

/* The line whose first field is 'key', or whose id it is. */
static bool find_record(struct arena *mem, const char *file, const char *key, struct record *record)
{
    cleanup_fd int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    cleanup_fd int fd = path_open_in_root(root, file, O_RDONLY | O_NONBLOCK);
    char *text = arena_alloc(mem, FILE_BYTES_MAX + 1);
    char *rest = text;

    if (fd < 0 || sys_read_all(fd, text, FILE_BYTES_MAX) < 0)
        return false;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        if (split(line, record) &&
            (strcmp(record->fields[0], key) == 0 || strcmp(record->fields[2], key) == 0))
            return true;
    return false;
}

static bool split(char *line, struct record *record)
{
    size_t count = 0;

    for (char *field; count < FIELDS_MAX && (field = strsep(&line, ":")) != NULL;)
        record->fields[count++] = field;
    for (size_t i = count; i < FIELDS_MAX; i++)
        record->fields[i] = "";
    return count >= 3;
}

static bool parse_id(const char *text, unsigned int *id)
{
    int64_t value;

    if (units_parse_int(text, &value) < 0 || value < 0 || value >= UINT32_MAX)
        return false;
    *id = (unsigned int)value;
    return true;
}
