/* SPDX-License-Identifier: Apache-2.0 */
/* Whether anybody has a tree mounted, asked of the kernel's namespaces rather than of processes. */
#ifndef MOUNT_ANYWHERE_H
#define MOUNT_ANYWHERE_H

#include <stddef.h>

/*
 * 1 when a mount namespace, also one without a process, has a mount whose root or mount point is or
 * lies in "<parent>/<name>" of one of the names (the point is that of a view, of which the roots of
 * other mounts say nothing); 0 when none has.  -EOPNOTSUPP where this kernel (before
 * 6.12) or our rights do not tell: then only mount_table_read() can.
 */
int mount_is_anywhere(const char *parent, const char *const *names, size_t count);

#endif
