/* SPDX-License-Identifier: Apache-2.0 */
/* A container's users, by its own /etc/passwd and /etc/group. */
#ifndef TRANSFER_USER_H
#define TRANSFER_USER_H

#include <sys/types.h>

#include "base/error.h"

/* "name", "name:group", "1000", "1000:1000" as in Config.User.  NOT_FOUND for an unknown name. */
int user_find(const char *user, uid_t *uid, gid_t *gid, struct error *err);
int group_find(const char *group, gid_t *gid, struct error *err);

#endif
