/* SPDX-License-Identifier: Apache-2.0 */
/* The home directory that an image's /etc/passwd gives a user.  No name service is ever asked: what
 * a container's libraries would answer is theirs to choose. */
#ifndef RUNNER_PASSWD_H
#define RUNNER_PASSWD_H

#include <sys/types.h>

#include "base/arena.h"

/* Of the caller's root.  "/" when there is no such file, user or directory. */
const char *passwd_home(struct arena *mem, uid_t uid);

/* The home in a passwd file's text, or NULL. */
const char *passwd_find_home(struct arena *mem, const char *text, uid_t uid);

#endif
