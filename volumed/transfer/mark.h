/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tar has no word for, as an extended attribute of an entry whose name no filesystem would
 * take.  It counts between our own packing and unpacking alone (the rules' is_exact).
 */
#ifndef TRANSFER_MARK_H
#define TRANSFER_MARK_H

#define MARK_NAME    "volumed.mark"
#define MARK_REMOVED "removed" /* what has the entry's name goes */
#define MARK_PATCHED "patched" /* the file is there; the entry has what changed of its data */
#define MARK_SOCKET  "socket"  /* the entry is a fifo, what it stands for is none */

#endif
