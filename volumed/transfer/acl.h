/* SPDX-License-Identifier: Apache-2.0 */
/* A POSIX ACL of an archive's entry in the kernel's form. */
#ifndef TRANSFER_ACL_H
#define TRANSFER_ACL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define ACL_ENTRIES_MAX 1024

struct archive_entry;

struct acl {
    const char *name; /* of the extended attribute */
    unsigned char bytes[4 + ACL_ENTRIES_MAX * 8];
    size_t size;
};

/* 'type' is ARCHIVE_ENTRY_ACL_TYPE_ACCESS or _DEFAULT, which the entry has. */
int acl_from_entry(struct acl *acl, struct archive_entry *entry, int type, struct error *err);

#endif
