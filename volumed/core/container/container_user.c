/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of passwd and group.  Numbers are whole numbers or they are names. */
#include "core/container/container_user.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "base/units.h"

#define FILE_MAX_BYTES (4 << 20)
#define GROUPS_MAX     256
#define FIELDS_MAX     7
#define ID_MAX         INT64_C(4294967294) /* the last number is "none" to the kernel */

struct lookup {
    struct arena *mem;
    int root_fd;
    char *group_text; /* NULL: not read yet */
    uint32_t groups[GROUPS_MAX];
    size_t group_count;
};

static int find_user(struct lookup *lookup, const char *user, struct user_ids *ids,
                     const char **name, struct error *err);
static int find_group(struct lookup *lookup, const char *group, uint32_t *gid, struct error *err);
static int add_memberships(struct lookup *lookup, const char *name, struct error *err);
static void add_group(struct lookup *lookup, uint32_t gid);
static int read_text(struct lookup *lookup, const char *path, char **text, struct error *err);
static int read_groups(struct lookup *lookup, struct error *err);
static char *next_line(char **rest);
static size_t split(char *line, char *fields[FIELDS_MAX]);
static bool has_member(const char *members, const char *name);
static bool read_id(const char *text, uint32_t *id);

int user_lookup(struct arena *mem, int root_fd, const char *text, const char *const *more_groups,
                struct user_ids *ids, struct error *err)
{
    struct lookup *lookup = arena_alloc(mem, sizeof(*lookup));
    const char *colon = strchr(text, ':');
    const char *user = colon == NULL ? text : arena_strndup(mem, text, (size_t)(colon - text));
    const char *name = NULL; /* none in the passwd file */

    *lookup = (struct lookup){ .mem = mem, .root_fd = root_fd };
    *ids = (struct user_ids){ .home = "/" };
    if (find_user(lookup, user[0] == '\0' ? "0" : user, ids, &name, err) < 0)
        return -1;
    if (colon != NULL && colon[1] != '\0' && find_group(lookup, colon + 1, &ids->gid, err) < 0)
        return -1;
    add_group(lookup, ids->gid);
    if (colon == NULL && name != NULL && add_memberships(lookup, name, err) < 0)
        return -1;
    for (size_t i = 0; more_groups != NULL && more_groups[i] != NULL; i++) {
        uint32_t gid = 0;
        if (find_group(lookup, more_groups[i], &gid, err) < 0)
            return -1;
        add_group(lookup, gid);
    }
    ids->groups = lookup->groups;
    ids->group_count = lookup->group_count;
    return 0;
}

/* By name, or by number; a number need not be in the file. */
static int find_user(struct lookup *lookup, const char *user, struct user_ids *ids,
                     const char **name, struct error *err)
{
    char *rest = NULL;
    char *line;
    uint32_t wanted = 0;
    bool is_number = read_id(user, &wanted);

    if (read_text(lookup, "etc/passwd", &rest, err) < 0)
        return -1;
    while ((line = next_line(&rest)) != NULL) {
        char *fields[FIELDS_MAX];
        uint32_t uid;
        uint32_t gid;
        if (split(line, fields) < FIELDS_MAX - 1 || !read_id(fields[2], &uid) ||
            !read_id(fields[3], &gid))
            continue;
        if (strcmp(fields[0], user) != 0 && !(is_number && uid == wanted))
            continue;
        ids->uid = uid;
        ids->gid = gid;
        ids->home = fields[5][0] != '\0' ? fields[5] : "/";
        *name = fields[0];
        return 0;
    }
    if (!is_number)
        return fail(err, ERR_INVALID, "unable to find user %s: no matching entries in passwd file",
                    user);
    ids->uid = wanted;
    return 0;
}

static int find_group(struct lookup *lookup, const char *group, uint32_t *gid, struct error *err)
{
    char *rest;
    char *line;

    if (read_id(group, gid))
        return 0;
    if (read_groups(lookup, err) < 0)
        return -1;
    rest = arena_strdup(lookup->mem, lookup->group_text);
    while ((line = next_line(&rest)) != NULL) {
        char *fields[FIELDS_MAX];
        if (split(line, fields) >= 3 && strcmp(fields[0], group) == 0 && read_id(fields[2], gid))
            return 0;
    }
    return fail(err, ERR_INVALID, "unable to find group %s: no matching entries in group file",
                group);
}

static int add_memberships(struct lookup *lookup, const char *name, struct error *err)
{
    char *rest;
    char *line;

    if (read_groups(lookup, err) < 0)
        return -1;
    rest = arena_strdup(lookup->mem, lookup->group_text);
    while ((line = next_line(&rest)) != NULL) {
        char *fields[FIELDS_MAX];
        uint32_t gid;
        if (split(line, fields) >= 4 && has_member(fields[3], name) && read_id(fields[2], &gid))
            add_group(lookup, gid);
    }
    return 0;
}

static void add_group(struct lookup *lookup, uint32_t gid)
{
    for (size_t i = 0; i < lookup->group_count; i++)
        if (lookup->groups[i] == gid)
            return;
    if (lookup->group_count < GROUPS_MAX)
        lookup->groups[lookup->group_count++] = gid;
}

static int read_groups(struct lookup *lookup, struct error *err)
{
    if (lookup->group_text != NULL)
        return 0;
    return read_text(lookup, "etc/group", &lookup->group_text, err);
}

/* A missing file is an empty one.  Only a plain file is opened: no device of an image is touched.
 */
static int read_text(struct lookup *lookup, const char *path, char **text, struct error *err)
{
    cleanup_fd int path_fd = path_open_in_root(lookup->root_fd, path, O_PATH);
    struct stat st;

    *text = arena_strdup(lookup->mem, "");
    if (path_fd < 0)
        return 0;
    if (fstat(path_fd, &st) < 0 || !S_ISREG(st.st_mode))
        return fail(err, ERR_INVALID, "/%s of the container is not a file", path);
    if (st.st_size > FILE_MAX_BYTES)
        return fail(err, ERR_INVALID, "/%s of the container is too large", path);
    const char *name = arena_printf(lookup->mem, "/proc/self/fd/%d", path_fd);
    cleanup_fd int fd = sys_openat(AT_FDCWD, name, O_RDONLY, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open /%s of the container", path);
    *text = arena_alloc(lookup->mem, (size_t)st.st_size + 1);
    ssize_t size = sys_read_all(fd, *text, (size_t)st.st_size);
    return size < 0 ? fail_sys(err, (int)size, "cannot read /%s of the container", path) : 0;
}

static char *next_line(char **rest)
{
    if (*rest == NULL || **rest == '\0')
        return NULL;
    return strsep(rest, "\n");
}

static size_t split(char *line, char *fields[FIELDS_MAX])
{
    size_t count = 0;

    while (line != NULL && count < FIELDS_MAX)
        fields[count++] = strsep(&line, ":");
    return count;
}

static bool has_member(const char *members, const char *name)
{
    size_t length = strlen(name);

    for (;;) {
        size_t here = strcspn(members, ",");
        if (here == length && memcmp(members, name, length) == 0)
            return true;
        if (members[here] == '\0')
            return false;
        members += here + 1;
    }
}

/* The whole text, in decimal: "0x", "+1", "1 " and "" are names (CVE-2026-30892). */
static bool read_id(const char *text, uint32_t *id)
{
    int64_t value;

    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0' ||
        units_parse_int(text, &value) < 0 || value > ID_MAX)
        return false;
    *id = (uint32_t)value;
    return true;
}
