/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading mountinfo.  One readlink a process tells its namespace; the table itself is read once a
 * namespace.  Lines are parsed only when they hold the wanted name.
 *
 * Matching goes by the root field, not by device numbers: btrfs shows one device in mountinfo and
 * another in stat(2), and a UUID needs no help.
 */
#include "mount/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/sys.h"
#include "mount/anywhere.h"

#define READ_SIZE 65536
#define PATH_SIZE 64
#define LINK_SIZE 64

static int read_text(pid_t pid, struct buf *text);
static bool is_known(const struct mount_table *table, ino_t inode);
static const char *next_field(struct arena *mem, const char **rest);
static char *unescape(struct arena *mem, const char *text, size_t size);
static bool has_option(const char *options, const char *wanted);
static bool is_of_tree(const struct mount_line *line, const char *parent, const char *name);
static const char *skip_tree(const struct mount_line *line, const char *parent, const char *name);
static bool is_view(const struct mount_line *line, const char *parent, const char *name);

int mount_line_parse(struct arena *mem, const char *text, struct mount_line *line)
{
    const char *rest = text;
    int used = 0;

    /* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
    (void)next_field(mem, &rest);
    (void)next_field(mem, &rest);
    const char *device = next_field(mem, &rest);
    if (device == NULL)
        return -EINVAL;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
    if (sscanf(device, "%u:%u%n", &line->device_major, &line->device_minor, &used) != 2 ||
        device[used] != '\0')
        return -EINVAL;
    line->root = next_field(mem, &rest);
    line->target = next_field(mem, &rest);
    const char *options = next_field(mem, &rest);
    const char *field = options;
    while (field != NULL && strcmp(field, "-") != 0)
        field = next_field(mem, &rest);
    line->type = next_field(mem, &rest);
    line->source = next_field(mem, &rest);
    const char *super = next_field(mem, &rest);
    if (field == NULL || line->type == NULL || super == NULL)
        return -EINVAL;
    line->is_read_only = has_option(options, "ro") || has_option(super, "ro");
    return 0;
}

int mount_table_read(struct arena *mem, struct mount_table *table, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    struct mount_table read = { 0 };
    size_t capacity = 0;
    int rc = dir_open(AT_FDCWD, "/proc", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read /proc");
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        cleanup_buf struct buf text = { 0 };
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        ino_t inode = pid > 0 ? mount_namespace_of(pid) : 0;
        /* A zombie has a namespace no more; then another process of it will tell. */
        if (inode == 0 || is_known(&read, inode) || read_text(pid, &text) < 0)
            continue;
        if (read.count == capacity)
            read.items = arena_grow(mem, read.items, &capacity, sizeof(*read.items));
        read.items[read.count++] =
            (struct mount_namespace){ inode, pid, arena_memdup(mem, text.data, text.size + 1) };
    }
    *table = read;
    return 0;
}

int mount_table_read_for(struct arena *mem, const char *parent, const char *const *names,
                         size_t count, struct mount_table *table, struct error *err)
{
    if (mount_is_anywhere(parent, names, count) != 0)
        return mount_table_read(mem, table, err);
    *table = (struct mount_table){ 0 };
    return 0;
}

size_t mount_table_find(struct arena *mem, const struct mount_table *table, const char *parent,
                        const char *name, struct mount_user **users)
{
    size_t count = 0;
    size_t capacity = 0;

    *users = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const char *text = table->items[i].text;
        for (const char *hit = text; (hit = strstr(hit, name)) != NULL;) {
            const char *start = hit;
            while (start > text && start[-1] != '\n')
                start--;
            size_t size = strcspn(start, "\n");
            struct mount_line line;
            hit = start + size;
            if (mount_line_parse(mem, arena_strndup(mem, start, size), &line) < 0 ||
                !is_of_tree(&line, parent, name))
                continue;
            if (count == capacity)
                *users = arena_grow(mem, *users, &capacity, sizeof(**users));
            (*users)[count++] =
                (struct mount_user){ table->items[i].inode, table->items[i].pid, line.target,
                                     line.is_read_only, is_view(&line, parent, name) };
        }
    }
    return count;
}

ino_t mount_namespace_of(pid_t pid)
{
    char path[PATH_SIZE];
    char link[LINK_SIZE];

    (void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
    ssize_t size = readlink(path, link, sizeof(link) - 1);
    if (size <= 0)
        return 0;
    link[size] = '\0';
    const char *digits = strchr(link, '['); /* "mnt:[4026531841]" */
    return digits == NULL ? 0 : (ino_t)strtoull(digits + 1, NULL, 10);
}

bool mount_is_root(int fd)
{
    struct statx stx;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) < 0)
        return false;
    return (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* In few large reads: a table that changes between two reads may miss or repeat a line. */
static int read_text(pid_t pid, struct buf *text)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    for (;;) {
        ssize_t got = sys_read(fd, buf_reserve(text, READ_SIZE), READ_SIZE);
        if (got < 0)
            return (int)got;
        if (got == 0)
            return text->size > 0 ? 0 : -ESRCH;
        text->size += (size_t)got;
        text->data[text->size] = '\0';
    }
}

static bool is_known(const struct mount_table *table, ino_t inode)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i].inode == inode)
            return true;
    return false;
}

/* NULL at the end. */
static const char *next_field(struct arena *mem, const char **rest)
{
    size_t size = strcspn(*rest, " ");
    const char *start = *rest;

    if (size == 0)
        return NULL;
    *rest += size;
    *rest += **rest == ' ' ? 1 : 0;
    return unescape(mem, start, size);
}

/* Space, tab, newline and backslash are written as \ooo. */
static char *unescape(struct arena *mem, const char *text, size_t size)
{
    char *plain = arena_alloc(mem, size + 1);
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        bool is_escape = text[i] == '\\' && size - i > 3 && strspn(text + i + 1, "01234567") >= 3;
        if (is_escape) {
            plain[used++] = (char)(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) |
                                   (text[i + 3] - '0'));
            i += 3;
        } else {
            plain[used++] = text[i];
        }
    }
    return plain;
}

static bool has_option(const char *options, const char *wanted)
{
    size_t size = strlen(wanted);

    while (options != NULL && *options != '\0') {
        size_t length = strcspn(options, ",");
        if (length == size && strncmp(options, wanted, size) == 0)
            return true;
        options += length;
        options += *options == ',' ? 1 : 0;
    }
    return false;
}

/* "…/parent/name", "…/parent/name/…" or, of a removed one, "…/parent/name//deleted". */
bool mount_root_matches(const char *root, const char *parent, const char *name)
{
    size_t parent_size = strlen(parent);
    size_t name_size = strlen(name);

    for (const char *hit = root; (hit = strstr(hit, name)) != NULL; hit += name_size) {
        const char *start = hit - parent_size - 2;
        if (start < root || start[0] != '/' || hit[-1] != '/' ||
            strncmp(start + 1, parent, parent_size) != 0)
            continue;
        if (hit[name_size] == '\0' || hit[name_size] == '/')
            return true;
    }
    return false;
}

static bool is_of_tree(const struct mount_line *line, const char *parent, const char *name)
{
    return mount_root_matches(line->root, parent, name) ||
           (strcmp(line->type, "overlay") == 0 && mount_root_matches(line->source, parent, name));
}

/* What follows "/parent/name" in the root; NULL when it does not begin so. */
static const char *skip_tree(const struct mount_line *line, const char *parent, const char *name)
{
    const char *rest = line->root;
    const char *const parts[] = { parent, name };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        size_t size = strlen(parts[i]);
        if (*rest != '/' || strncmp(rest + 1, parts[i], size) != 0)
            return NULL;
        rest += size + 1;
    }
    return rest;
}

static bool is_view(const struct mount_line *line, const char *parent, const char *name)
{
    static const char suffix[] = "/" MOUNT_VIEW;
    size_t size = strlen(line->target);

    /* The root of an overlay, or of an image the directory that bears the tree's own name. */
    const char *rest =
        strcmp(line->type, "overlay") == 0 ? line->root : skip_tree(line, parent, name);

    return rest != NULL && (strcmp(rest, "/") == 0 || *rest == '\0') &&
           size >= sizeof(suffix) - 1 &&
           strcmp(line->target + size - (sizeof(suffix) - 1), suffix) == 0 &&
           mount_root_matches(line->target, parent, name);
}
