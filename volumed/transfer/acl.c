/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attribute's form is the kernel's (linux/posix_acl_xattr.h): a version and entries of tag,
 * permissions and id, little-endian, sorted by tag and id.
 */
#include "transfer/acl.h"

#include <archive.h>
#include <archive_entry.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdint.h>
#include <stdlib.h>

#include "transfer/user.h"

struct ace {
    uint16_t tag;
    uint16_t permissions;
    uint32_t id;
};

static int read_ace(struct ace *ace, int permissions, int tag, struct error *err);
static int read_id(struct ace *ace, int id, const char *name, struct error *err);
static int compare_aces(const void *left, const void *right);
static void put(struct acl *acl, uint32_t value, int bytes);

int acl_from_entry(struct acl *acl, struct archive_entry *entry, int type, struct error *err)
{
    static struct ace aces[ACL_ENTRIES_MAX]; /* the process is single-threaded */
    size_t count = 0;
    int found, permissions, tag, id;
    const char *name;

    acl->name = type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS ? "system.posix_acl_access"
                                                      : "system.posix_acl_default";
    acl->size = 0;
    (void)archive_entry_acl_reset(entry, type); /* returns a count */
    while (archive_entry_acl_next(entry, type, &found, &permissions, &tag, &id, &name) ==
           ARCHIVE_OK) {
        if (count == ACL_ENTRIES_MAX)
            return fail(err, ERR_INVALID, "its ACL has more than %d entries", ACL_ENTRIES_MAX);
        struct ace *ace = &aces[count++];
        if (read_ace(ace, permissions, tag, err) < 0 || read_id(ace, id, name, err) < 0)
            return -1;
    }
    qsort(aces, count, sizeof(aces[0]), compare_aces);
    put(acl, POSIX_ACL_XATTR_VERSION, 4);
    for (size_t i = 0; i < count; i++) {
        put(acl, aces[i].tag, 2);
        put(acl, aces[i].permissions, 2);
        put(acl, aces[i].id, 4);
    }
    return 0;
}

static int read_ace(struct ace *ace, int permissions, int tag, struct error *err)
{
    static const struct {
        int archive;
        uint16_t kernel;
    } tags[] = {
        { ARCHIVE_ENTRY_ACL_USER_OBJ, ACL_USER_OBJ },   { ARCHIVE_ENTRY_ACL_USER, ACL_USER },
        { ARCHIVE_ENTRY_ACL_GROUP_OBJ, ACL_GROUP_OBJ }, { ARCHIVE_ENTRY_ACL_GROUP, ACL_GROUP },
        { ARCHIVE_ENTRY_ACL_MASK, ACL_MASK },           { ARCHIVE_ENTRY_ACL_OTHER, ACL_OTHER },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        if (tags[i].archive != tag)
            continue;
        ace->tag = tags[i].kernel;
        ace->permissions = (uint16_t)(permissions & 7); /* rwx has the same bits in both */
        return 0;
    }
    return fail(err, ERR_INVALID, "its ACL is not a POSIX one");
}

/* GNU tar writes names alone; they are those of the tree that is being unpacked. */
static int read_id(struct ace *ace, int id, const char *name, struct error *err)
{
    gid_t ignored;

    ace->id = (uint32_t)ACL_UNDEFINED_ID;
    if (ace->tag != ACL_USER && ace->tag != ACL_GROUP)
        return 0;
    ace->id = (uint32_t)id;
    if (id >= 0)
        return 0;
    if (name == NULL)
        return fail(err, ERR_INVALID, "its ACL names nobody");
    return ace->tag == ACL_USER ? user_find(name, &ace->id, &ignored, err)
                                : group_find(name, &ace->id, err);
}

static int compare_aces(const void *left, const void *right)
{
    const struct ace *a = left;
    const struct ace *b = right;

    if (a->tag != b->tag)
        return a->tag < b->tag ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static void put(struct acl *acl, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        acl->bytes[acl->size++] = (unsigned char)(value >> (8 * i));
}
