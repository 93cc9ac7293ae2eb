/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file has besides its bytes: owner, mode, times, ACLs, extended attributes; from an archive
 * to the disk and back.
 */
#ifndef TRANSFER_ATTRIBUTES_H
#define TRANSFER_ATTRIBUTES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct archive_entry;

/* A file: by descriptor, or by a name in the working directory that is never followed. */
struct file {
    int fd; /* -1: by name */
    const char *name;
};

/*
 * Sets the owner ('uid', 'gid'), the mode (by descriptor only: others are made with theirs), the
 * ACLs and the extended attributes of 'entry'.  INVALID for attributes that no archive may set.
 */
int attributes_set(const struct file *file, struct archive_entry *entry, uid_t uid, gid_t gid,
                   struct error *err);

/* Sets the times of 'entry'; to be done last. */
int attributes_set_times(const struct file *file, struct archive_entry *entry, struct error *err);

/* Adds the extended attributes of a file on disk to 'entry'. */
int attributes_get(const struct file *file, struct archive_entry *entry, struct error *err);

/* Takes those from a file that 'entry' lacks: what it has inherited, or had before. */
int attributes_keep_only(const struct file *file, struct archive_entry *entry, struct error *err);

/* Whether both have the same extended attributes, of those that archives keep. */
int attributes_match(const struct file *left, const struct file *right, bool *is_same,
                     struct error *err);

#endif
