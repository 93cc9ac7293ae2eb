/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a container's process is: "user", "user:group", "uid:gid" looked up in the passwd and group
 * files of the container's own tree, by our own parser: nothing of the image is ever loaded.
 */
#ifndef CORE_CONTAINER_USER_H
#define CORE_CONTAINER_USER_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct user_ids {
    uint32_t uid;
    uint32_t gid;
    const uint32_t *groups; /* the gid first, then the supplementary ones */
    size_t group_count;
    const char *home; /* "/" when not known */
};

/*
 * 'text' "" is root.  'more_groups' are names or numbers to add (NULL-terminated, may be NULL).
 * Errors: INVALID "unable to find user x: no matching entries in passwd file".
 */
int user_lookup(struct arena *mem, int root_fd, const char *text, const char *const *more_groups,
                struct user_ids *ids, struct error *err);

#endif
