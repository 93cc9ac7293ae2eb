/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and checking pool.json, opening a pool's directories.  Rows are pool.c's. */
#include "core/pool/pool_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/uuid.h"

#define IDENTITY_FILE      "pool.json"
#define IDENTITY_BYTES_MAX 4096
#define DIRECTORY_MODE     0711 /* containers of user namespaces look through it, nobody lists it */

static const struct {
    const char *name;
    size_t fd_offset;
} directories[] = {
    { "volumes", offsetof(struct driver_pool, volumes_fd) },
    { "snapshots", offsetof(struct driver_pool, snapshots_fd) },
    { "trash", offsetof(struct driver_pool, trash_fd) },
    { "tmp", offsetof(struct driver_pool, tmp_fd) },
    { "meta", offsetof(struct driver_pool, meta_fd) },
};

static int *directory_fd(struct driver_pool *open, size_t i);
static int check_is_unused(int fd, struct error *err);
static int check_entry(int fd, const char *name, struct error *err);
static int check_identity(struct arena *mem, int fd, const struct pool *pool, struct error *err);
static int compare(const json_t *identity, const struct pool *pool, struct error *err);

int pool_identity_write(struct arena *mem, int fd, const struct pool *pool, struct error *err)
{
    cleanup_json json_t *identity = json_object();

    if (check_is_unused(fd, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        cleanup_fd int made = fs_make_dir(fd, directories[i].name, DIRECTORY_MODE, err);
        if (made < 0)
            return -1;
    }
    json_set(identity, "format", json_integer(POOL_FORMAT));
    json_set(identity, "id", json_text(pool->id));
    json_set(identity, "driver", json_text(pool->driver));
    json_set(identity, "created", json_time_ms(pool->created_ms));
    const char *text = json_write(mem, identity);
    return fs_write_file(fd, IDENTITY_FILE, text, strlen(text), 0600, err);
}

int pool_identity_read(struct arena *mem, int fd, struct pool *pool, struct error *err)
{
    char *text = NULL;
    size_t size = 0;
    int64_t format = 0;

    *pool = (struct pool){ .id = "", .driver = "", .created_ms = clock_now_ms() };
    if (fs_read_file(mem, fd, IDENTITY_FILE, IDENTITY_BYTES_MAX, &text, &size, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            return fail(err, ERR_CONFLICT, "no pool is there: it has no '" IDENTITY_FILE "'");
        return -1;
    }
    cleanup_json json_t *identity = json_read(text, size, err);
    if (identity == NULL || json_get_text(identity, "id", mem, &pool->id, err) < 0 ||
        json_get_text(identity, "driver", mem, &pool->driver, err) < 0 ||
        json_get_int(identity, "format", &format, err) < 0)
        return error_prefix(err, "'" IDENTITY_FILE "'");
    if (format != POOL_FORMAT || !uuid_is_valid(pool->id))
        return fail(err, ERR_CONFLICT, "'" IDENTITY_FILE "' is of a format that is not known here");
    return 0;
}

void pool_identity_remove(int fd)
{
    (void)unlinkat(fd, IDENTITY_FILE, 0); /* what stays is replaced by the next pool made here */
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
        (void)unlinkat(fd, directories[i].name, AT_REMOVEDIR);
}

int pool_identity_open(struct arena *mem, const struct pool *pool, struct driver_pool *open,
                       struct error *err)
{
    CLEANUP(pool_identity_close)
    struct driver_pool opened = {
        .id = pool->id,
        .name = pool->name,
        .path = pool->path,
        .driver = driver_find(pool->driver),
        .fd = -1,
        .volumes_fd = -1,
        .snapshots_fd = -1,
        .trash_fd = -1,
        .tmp_fd = -1,
        .meta_fd = -1,
    };

    if (opened.driver == NULL)
        return fail(err, ERR_UNSUPPORTED, "unknown driver '%s'", pool->driver);
    opened.fd = sys_openat(AT_FDCWD, pool->path, O_RDONLY | O_DIRECTORY, 0);
    if (opened.fd < 0)
        return fail_sys(err, opened.fd, "cannot open '%s'", pool->path);
    if (check_identity(mem, opened.fd, pool, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        int *fd = directory_fd(&opened, i);
        *fd = fs_make_dir(opened.fd, directories[i].name, DIRECTORY_MODE, err);
        if (*fd < 0)
            return -1;
    }
    *open = opened;
    opened.fd = opened.volumes_fd = opened.snapshots_fd = -1;
    opened.trash_fd = opened.tmp_fd = opened.meta_fd = -1;
    return 0;
}

void pool_identity_close(struct driver_pool *open)
{
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
        sys_close_fd(directory_fd(open, i));
    sys_close_fd(&open->fd);
}

int pool_identity_divert(struct driver_pool *open, int tmp_fd, struct error *err)
{
    cleanup_fd int gone = fs_make_dir(tmp_fd, open->id, 0700, err);

    if (gone < 0)
        return -1;
    int rc = sys_unlinkat(tmp_fd, open->id, AT_REMOVEDIR);
    for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(directories); i++)
        rc = dup3(gone, *directory_fd(open, i), O_CLOEXEC) < 0 ? -errno : 0;
    if (rc >= 0)
        rc = dup3(gone, open->fd, O_CLOEXEC) < 0 ? -errno : 0;
    return rc < 0 ? fail_sys(err, rc, "cannot close pool '%s'", open->name) : 0;
}

static int *directory_fd(struct driver_pool *open, size_t i)
{
    return (int *)(void *)((char *)open + directories[i].fd_offset);
}

/* lost+found is what mkfs leaves on a disk of its own. */
static int check_is_unused(int fd, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(fd, ".", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read the pool's directory");
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;)
        if (check_entry(fd, entry->d_name, err) < 0)
            return -1;
    return 0;
}

static int check_entry(int fd, const char *name, struct error *err)
{
    static const char *const harmless[] = { "lost+found", IDENTITY_FILE };

    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
        if (strcmp(name, harmless[i]) == 0)
            return 0;
    if (strncmp(name, "." IDENTITY_FILE ".", sizeof("." IDENTITY_FILE)) == 0)
        return 0; /* a pool.json that was never finished */
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        bool is_empty = false;
        if (strcmp(name, directories[i].name) != 0)
            continue;
        cleanup_fd int inner = sys_openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        if (inner >= 0 && fs_dir_is_empty(inner, &is_empty, err) == 0 && is_empty)
            return 0;
    }
    return fail(err, ERR_CONFLICT, "the directory is not empty: '%s' is in it", name);
}

static int check_identity(struct arena *mem, int fd, const struct pool *pool, struct error *err)
{
    char *text = NULL;
    size_t size = 0;

    if (fs_read_file(mem, fd, IDENTITY_FILE, IDENTITY_BYTES_MAX, &text, &size, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            return fail(err, ERR_CONFLICT,
                        "'%s/" IDENTITY_FILE "' is missing: is the pool's disk mounted?",
                        pool->path);
        return -1;
    }
    cleanup_json json_t *identity = json_read(text, size, err);
    if (identity == NULL || compare(identity, pool, err) < 0)
        return error_prefix(err, "'%s/" IDENTITY_FILE "'", pool->path);
    return 0;
}

static int compare(const json_t *identity, const struct pool *pool, struct error *err)
{
    const json_t *id = json_member(identity, "id");
    const json_t *driver = json_member(identity, "driver");
    int64_t format = 0;

    if (json_get_int(identity, "format", &format, err) < 0)
        return -1;
    if (format != POOL_FORMAT)
        return fail(err, ERR_CONFLICT, "format %lld is not known to this version",
                    (long long)format);
    if (!json_is_string(id) || strcmp(json_string_value(id), pool->id) != 0)
        return fail(err, ERR_CONFLICT, "another pool is there: its id is '%s', not '%s'",
                    json_is_string(id) ? json_string_value(id) : "", pool->id);
    if (!json_is_string(driver) || strcmp(json_string_value(driver), pool->driver) != 0)
        return fail(err, ERR_CONFLICT, "the pool was made for driver '%s', not '%s'",
                    json_is_string(driver) ? json_string_value(driver) : "", pool->driver);
    return 0;
}
