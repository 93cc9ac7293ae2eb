/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The confined child: a program of its own (volumed/confined.c) that handles bytes and trees which
 * others made.  It sees nothing but one directory tree, has no network, few capabilities and few
 * system calls, and answers by a report (transfer/child.h).  Single-threaded; never returns to the
 * daemon.
 */
#ifndef TRANSFER_CONFINED_H
#define TRANSFER_CONFINED_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

/* One run of a verb. */
struct confined {
    const char *argument; /* NULL: none */
    const json_t *request;
    struct arena *mem;
    struct buf report;
    int base_fd; /* the tree that the root is compared with, when the request has one; else -1 */
};

/* For main(), with its own arguments: NAME "confined" VERB [ARGUMENT].  Does not return. */
int confined_main(int argc, char **argv);

void report_add(struct confined *run, const char *key, const char *value);
void report_add_int(struct confined *run, const char *key, int64_t value);

#endif
