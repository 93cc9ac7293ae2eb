/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying one entry that is not a directory, exactly, from one directory into another.  Several
 * threads may copy with one copier.
 */
#ifndef DRIVER_ENTRY_COPY_H
#define DRIVER_ENTRY_COPY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/uuid.h"

struct entry_copier {
    bool is_shared; /* as in struct tree_copy_spec */
    bool is_lenient;
    bool is_upper;
    int64_t deadline_ms;
    int links_dirfd; /* where the scratch directory of hard links is made; -1: links are copies */
    pthread_mutex_t
        links_lock; /* guards: links_fd, and files of several names while they are made */
    int links_fd;   /* the scratch directory; -1 until the first hard link */
    char links_name[UUID_SIZE]; /* no entry of the source can have guessed it */
};

void entry_copier_init(struct entry_copier *copier, int links_dirfd);

/* Removes the scratch directory. */
int entry_copier_end(struct entry_copier *copier, struct error *err);
void entry_copier_done(struct entry_copier *copier);

struct entry_place {
    int from_dirfd;
    int to_dirfd;
    const char *name;    /* in the source */
    const char *to_name; /* in the target, where nothing of that name is */
    const struct stat *st;
};

/*
 * Returns 0 or -errno: -ENOENT when it is no more, -EBUSY when it became something else meanwhile,
 * -ETIMEDOUT past the deadline.  What failed may be there in part.
 */
int entry_copy(struct entry_copier *copier, const struct entry_place *place);

/* Gives a copied directory its attributes, when all its entries are there. */
struct attributes_place;
int entry_copy_directory(const struct entry_copier *copier, const struct attributes_place *from,
                         const struct stat *st, int to_fd);

bool entry_copier_is_late(const struct entry_copier *copier);

#endif
