/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool explains itself: POOL/meta/rows.jsonl holds what the database knows about what lies there,
 * so that a pool can be adopted when the database is lost.  It is written after the fact, by a job,
 * so that no change waits for it: what it lacks is a few seconds at most, and nothing at a clean
 * stop.
 *
 *    {"format":1,"seq":4711,"written":"2026-11-24T08:09:10.123Z"}
 *    {"t":"snapshot","r":{"id":"…","volume_id":"…",…}}
 *    {"t":"volume","r":{…}}                              one line a row (store/mirror.h)
 */
#ifndef CORE_POOL_MIRROR_H
#define CORE_POOL_MIRROR_H

#include "base/error.h"
#include "base/json.h"
#include "core/operation/task.h"

#define MIRROR_FILE   "rows.jsonl"
#define MIRROR_FORMAT 1

/* The job: writes what has changed since the last time, unless that was too short ago. */
int pool_mirror_tend(struct task *task, struct error *err);

/* Another database is open from now on: nothing is known of what the pools have. */
void pool_mirror_reset(void);

/* Writes it now, at stop. */
int pool_mirror_flush(struct task *task, struct error *err);

/*
 * Reads one, by a descriptor of meta/: each row is handed over as {"t": table, "r": row}.  Lines
 * that cannot be read are left out.  NOT_FOUND when there is none, UNSUPPORTED for a newer format.
 */
typedef int (*mirror_line_fn)(void *context, const json_t *line, struct error *err);
int pool_mirror_read(int meta_fd, mirror_line_fn each, void *context, struct error *err);

#endif
