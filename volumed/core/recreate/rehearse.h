/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rehearsal: what would become of a container under another image or other options, tried on clones
 * of all its volumes while the original runs on.  It is a recreation (core/recreate/recreate.h)
 * whose members are new names and whose end is always to be thrown away, so a crash of ours ends
 * it.
 *
 *   preparing   volumes are cut and cloned, the container is made on the clones
 *   starting, probation
 *   committed   it stayed up, and passed its health check and the probe;
 *   rolled_back it did not: the reason says why
 *
 * The report tells what it did: healthy_ms, files added, changed and removed, bytes, the end of its
 * log, and what the new image would have put into fresh volumes that these lack.
 */
#ifndef CORE_REHEARSE_H
#define CORE_REHEARSE_H

#include "core/recreate/recreate_run.h"

struct rehearse_request {
    const char *container;
    const json_t *change; /* as of struct recreate_target */
    int64_t probation_ms;
    const char *probe;
    int64_t
        freeze_timeout_ms; /* how long the original may stand still for the cut; 0: the default */
    bool has_network;      /* the original's; else none */
    bool is_kept;          /* container and clones stay when it is over */
};

/* Answers when container and clones are there; the rest happens in a thread. */
int rehearse_begin(struct task *task, const struct rehearse_request *request,
                   struct recreation *recreation, struct error *err);

/* For recreate_run() alone. */
int rehearse_run(struct recreate_run *run, bool is_resumed, struct error *err);

#endif
