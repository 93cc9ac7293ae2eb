/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of attachments, and what they say about who uses a volume. */
#ifndef STORE_ATTACHMENT_H
#define STORE_ATTACHMENT_H

#include "model/attachment.h"
#include "store/db.h"

int store_attachment_insert(struct db *db, const struct attachment *attachment, struct error *err);

/* A container's, parents before children.  Returns the count. */
int store_attachment_list(struct db *db, struct arena *mem, const char *container_id,
                          struct attachment **list, struct error *err);
int store_attachment_delete(struct db *db, const char *container_id, struct error *err);
int store_attachment_delete_one(struct db *db, const char *container_id, const char *destination,
                                struct error *err);

/* The first container that has the snapshot attached.  Returns 1, or 0 when none has. */
int store_attachment_pin(struct db *db, struct arena *mem, const char *snapshot_id,
                         const char **container_id, const char **container_name, struct error *err);

/* A container that refers to a volume. */
struct attachment_user {
    const char *container_id;
    const char *container_name;
    const char *state;
    int64_t pid;
    enum access_mode mode; /* what its lease leaves it */
    const char *destination;
    const char *lease;   /* NULL: it has none */
    bool shows_snapshot; /* it uses a snapshot of the volume, not the volume */
};

/* One for each attachment of the volume.  Returns the count. */
int store_attachment_users(struct db *db, struct arena *mem, const char *volume_id,
                           struct attachment_user **list, struct error *err);

/* True in the states in which a container's processes live or are being made. */
bool attachment_user_is_live(const struct attachment_user *user);

#endif
