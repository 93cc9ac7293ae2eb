/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes pass by a list: user.*, file capabilities, POSIX ACLs.  trusted.* steers
 * overlayfs and is refused in archives; labels of a security module belong to the host and stay.
 */
#include "transfer/attributes.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/sys.h"
#include "transfer/acl.h"

#define VALUE_BYTES_MAX 65536 /* of the kernel: xattr(7) */
#define LIST_BYTES_MAX  65536
#define XATTRS_MAX      4096
#define ENTRY_BYTES_MAX ((size_t)640 << 10) /* libarchive reads 1 MiB of them, in base64 */

enum policy {
    POLICY_KEEP,
    POLICY_SKIP,
    POLICY_REFUSE
};

static int set_owner(const struct file *file, uid_t uid, gid_t gid);
static int set_xattrs(const struct file *file, struct archive_entry *entry, struct error *err);
static int set_xattr(const struct file *file, const char *name, const void *value, size_t size);
static int set_acls(const struct file *file, struct archive_entry *entry, struct error *err);
static int set_acl(const struct file *file, struct archive_entry *entry, int type,
                   struct error *err);
static enum policy xattr_policy(const char *name);
static ssize_t get_names(const struct file *file, char *names, size_t size);
static ssize_t get_value(const struct file *file, const char *name, void *value, size_t size);
static int count_kept(const char *names, ssize_t size);
static bool is_same_value(const struct file *left, const struct file *right, const char *name);
static bool has_attribute(struct archive_entry *entry, const char *name);

int attributes_set(const struct file *file, struct archive_entry *entry, uid_t uid, gid_t gid,
                   struct error *err)
{
    int rc = set_owner(file, uid, gid);

    /* After the owner, whose change takes set-id bits and capabilities away. */
    if (rc >= 0 && file->fd >= 0)
        rc = sys_fchmod(file->fd, archive_entry_perm(entry));
    if (rc < 0)
        return fail_sys(err, rc, "cannot set its owner and mode");
    if (set_acls(file, entry, err) < 0)
        return -1;
    return set_xattrs(file, entry, err);
}

int attributes_set_times(const struct file *file, struct archive_entry *entry, struct error *err)
{
    struct timespec times[2];
    int rc;

    if (!archive_entry_mtime_is_set(entry))
        return 0;
    times[1] = (struct timespec){ archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) };
    times[0] = times[1];
    if (archive_entry_atime_is_set(entry))
        times[0] = (struct timespec){ archive_entry_atime(entry), archive_entry_atime_nsec(entry) };
    if (file->fd >= 0)
        rc = futimens(file->fd, times);
    else
        rc = utimensat(AT_FDCWD, file->name, times, AT_SYMLINK_NOFOLLOW);
    return rc < 0 ? fail_sys(err, -errno, "cannot set its times") : 0;
}

int attributes_get(const struct file *file, struct archive_entry *entry, struct error *err)
{
    static char names[LIST_BYTES_MAX]; /* the process is single-threaded, and its stack small */
    static char value[VALUE_BYTES_MAX];
    ssize_t size = get_names(file, names, sizeof(names));
    size_t total = 0;

    if (size < 0)
        return fail_sys(err, (int)size, "cannot list its extended attributes");
    for (const char *name = names; name < names + size; name += strlen(name) + 1) {
        if (xattr_policy(name) != POLICY_KEEP)
            continue;
        ssize_t got = get_value(file, name, value, sizeof(value));
        if (got < 0 && errno != ENODATA) /* gone meanwhile */
            return fail_sys(err, -errno, "cannot read its extended attribute '%s'", name);
        total += got < 0 ? 0 : strlen(name) + (size_t)got;
        if (total > ENTRY_BYTES_MAX)
            return fail(err, ERR_UNSUPPORTED,
                        "it has more extended attributes than a tar can hold");
        if (got >= 0)
            archive_entry_xattr_add_entry(entry, name, value, (size_t)got);
    }
    return 0;
}

int attributes_keep_only(const struct file *file, struct archive_entry *entry, struct error *err)
{
    static char names[LIST_BYTES_MAX];
    ssize_t size = get_names(file, names, sizeof(names));

    if (size < 0)
        return fail_sys(err, (int)size, "cannot list its extended attributes");
    for (const char *name = names; name < names + size; name += strlen(name) + 1) {
        if (xattr_policy(name) != POLICY_KEEP || has_attribute(entry, name))
            continue;
        int rc = file->fd >= 0 ? fremovexattr(file->fd, name) : lremovexattr(file->name, name);
        if (rc < 0 && errno != ENODATA)
            return fail_sys(err, -errno, "cannot remove its attribute '%.100s'", name);
    }
    return 0;
}

int attributes_match(const struct file *left, const struct file *right, bool *is_same,
                     struct error *err)
{
    static char names[2][LIST_BYTES_MAX];
    ssize_t sizes[2] = { get_names(left, names[0], LIST_BYTES_MAX),
                         get_names(right, names[1], LIST_BYTES_MAX) };

    for (int i = 0; i < 2; i++)
        if (sizes[i] < 0)
            return fail_sys(err, (int)sizes[i], "cannot list extended attributes");
    *is_same = count_kept(names[0], sizes[0]) == count_kept(names[1], sizes[1]);
    for (const char *name = names[1]; *is_same && name < names[1] + sizes[1];
         name += strlen(name) + 1)
        *is_same = xattr_policy(name) != POLICY_KEEP || is_same_value(left, right, name);
    return 0;
}

static int set_owner(const struct file *file, uid_t uid, gid_t gid)
{
    if (file->fd >= 0)
        return sys_fchownat(file->fd, "", uid, gid, AT_EMPTY_PATH);
    return sys_fchownat(AT_FDCWD, file->name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

static int set_xattrs(const struct file *file, struct archive_entry *entry, struct error *err)
{
    const char *name;
    const void *value;
    size_t size;

    if (archive_entry_xattr_reset(entry) > XATTRS_MAX)
        return fail(err, ERR_INVALID, "it has more than %d extended attributes", XATTRS_MAX);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        enum policy policy = xattr_policy(name);
        if (policy == POLICY_REFUSE)
            return fail(err, ERR_INVALID, "an archive cannot set the attribute '%.100s'", name);
        if (policy == POLICY_SKIP)
            continue;
        if (size > VALUE_BYTES_MAX)
            return fail(err, ERR_INVALID, "its attribute '%.100s' is too large", name);
        int rc = set_xattr(file, name, value, size);
        /* Not every filesystem and no link has user attributes; the others mean something. */
        bool is_optional = strncmp(name, "user.", 5) == 0 && (rc == -ENOTSUP || rc == -EPERM);
        if (rc < 0 && !is_optional)
            return fail_sys(err, rc, "cannot set its attribute '%.100s'", name);
    }
    return 0;
}

static int set_xattr(const struct file *file, const char *name, const void *value, size_t size)
{
    int rc = file->fd >= 0 ? fsetxattr(file->fd, name, value, size, 0)
                           : lsetxattr(file->name, name, value, size, 0);

    return rc < 0 ? -errno : 0;
}

static int set_acls(const struct file *file, struct archive_entry *entry, struct error *err)
{
    int types = archive_entry_acl_types(entry);

    if ((types & ARCHIVE_ENTRY_ACL_TYPE_ACCESS) != 0 &&
        set_acl(file, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, err) < 0)
        return -1;
    if ((types & ARCHIVE_ENTRY_ACL_TYPE_DEFAULT) != 0 &&
        set_acl(file, entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, err) < 0)
        return -1;
    return 0;
}

static int set_acl(const struct file *file, struct archive_entry *entry, int type,
                   struct error *err)
{
    struct acl acl;

    if (acl_from_entry(&acl, entry, type, err) < 0)
        return -1;
    int rc = set_xattr(file, acl.name, acl.bytes, acl.size);
    return rc < 0 && rc != -ENOTSUP ? fail_sys(err, rc, "cannot set its ACL") : 0;
}

static enum policy xattr_policy(const char *name)
{
    static const struct {
        const char *prefix;
        enum policy policy;
    } policies[] = {
        { "user.", POLICY_KEEP },
        { "security.capability", POLICY_KEEP },
        { "system.posix_acl_access", POLICY_KEEP },
        { "system.posix_acl_default", POLICY_KEEP },
        { "trusted.", POLICY_REFUSE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
        if (strncmp(name, policies[i].prefix, strlen(policies[i].prefix)) == 0)
            return policies[i].policy;
    return POLICY_SKIP;
}

/* The size of the list, 0 where a filesystem has no attributes, or -errno. */
static ssize_t get_names(const struct file *file, char *names, size_t size)
{
    ssize_t got =
        file->fd >= 0 ? flistxattr(file->fd, names, size) : llistxattr(file->name, names, size);

    return got >= 0 ? got : errno == ENOTSUP ? 0 : -errno;
}

static int count_kept(const char *names, ssize_t size)
{
    int count = 0;

    for (const char *name = names; name < names + size; name += strlen(name) + 1)
        count += xattr_policy(name) == POLICY_KEEP;
    return count;
}

static bool is_same_value(const struct file *left, const struct file *right, const char *name)
{
    static char values[2][VALUE_BYTES_MAX];
    ssize_t size = get_value(left, name, values[0], VALUE_BYTES_MAX);

    return size >= 0 && get_value(right, name, values[1], VALUE_BYTES_MAX) == size &&
           memcmp(values[0], values[1], (size_t)size) == 0;
}

/* By that name, or as an ACL in tar's own words. */
static bool has_attribute(struct archive_entry *entry, const char *name)
{
    int types = archive_entry_acl_types(entry);
    const char *other;
    const void *value;
    size_t size;

    if (strcmp(name, "system.posix_acl_access") == 0 &&
        (types & ARCHIVE_ENTRY_ACL_TYPE_ACCESS) != 0)
        return true;
    if (strcmp(name, "system.posix_acl_default") == 0 &&
        (types & ARCHIVE_ENTRY_ACL_TYPE_DEFAULT) != 0)
        return true;
    (void)archive_entry_xattr_reset(entry); /* returns a count */
    while (archive_entry_xattr_next(entry, &other, &value, &size) == ARCHIVE_OK)
        if (strcmp(name, other) == 0)
            return true;
    return false;
}

static ssize_t get_value(const struct file *file, const char *name, void *value, size_t size)
{
    return file->fd >= 0 ? fgetxattr(file->fd, name, value, size)
                         : lgetxattr(file->name, name, value, size);
}
