/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a scaling from its state to its end, in the calling thread. */
#ifndef CORE_SCALE_RUN_H
#define CORE_SCALE_RUN_H

#include "core/replica/golden.h"
#include "core/replica/scale.h"
#include "core/replica/scale_plan.h"

/* One under way. */
struct scale_run {
    struct task *task;
    struct scaling *scaling;
    struct scale_plan plan;
    struct replica_group group;
    struct golden golden; /* read when it is first needed */
    int stop_fd;          /* readable: the service ends, leave it as it is; -1: nobody stops it */
};

/*
 * Runs until it is done or has failed, or until stop_fd says so.  That a replica fails is no error
 * here but the reason of the end.  An error is one of the database, or a taking back that did not
 * work; it is tried again, and at the next start.
 */
int scale_run(struct task *task, const char *id, bool is_resumed, int stop_fd, struct error *err);

#endif
