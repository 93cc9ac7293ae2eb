/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a confined child gives up before it touches a foreign byte.  Two steps: a world of its own
 * with one tree as its root, then capabilities and system calls.
 */
#ifndef TRANSFER_SANDBOX_H
#define TRANSFER_SANDBOX_H

#include <stdint.h>

#include "base/error.h"

/* Bits of sandbox_lock(): what the work at hand needs. */
#define SANDBOX_MAKE_FILES  (1u << 0) /* any owner, any mode, devices, file capabilities */
#define SANDBOX_READ_FILES  (1u << 1) /* whatever their modes say */
#define SANDBOX_READ_XATTRS (1u << 2) /* also trusted.*: costs CAP_SYS_ADMIN */

/* New mount, network, IPC and UTS namespaces; mounts made from now on are seen by nobody else. */
int sandbox_unshare(struct error *err);

/*
 * Makes the detached mount 'tree_fd' the root and the working directory, and lets go of everything
 * else that was mounted.
 */
int sandbox_enter(int tree_fd, struct error *err);

/* An empty read-only tree, for work that needs no files. */
int sandbox_empty_tree(struct error *err);

/* A detached mount of directory 'fd' alone, with MOUNT_ATTR_* 'attributes' set. */
int sandbox_tree(int fd, uint64_t attributes, struct error *err);

/* Drops all capabilities but those of 'needs', sets no_new_privs, limits and the system call
 * filter.  For good. */
int sandbox_lock(unsigned int needs, struct error *err);

#endif
