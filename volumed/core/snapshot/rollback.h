/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolling one volume back, step by step: what the verbs that roll volumes back are made of, in this
 * order:
 *
 *    rollback_plan()       picks what the new data and the safety snapshot will be called
 *    rollback_prepare()    in a transaction (op's prepare): checks rows; then rollback_note()
 *    rollback_load()       after a crash, from the note
 *    rollback_clone()      on disk (op's apply), idempotent, like
 *    rollback_set_aside()
 *    rollback_sync()       makes both durable
 *    rollback_finish()     in a transaction (op's finish)
 *    rollback_revert()     on disk (op's revert): takes back whatever was done; durable on return
 */
#ifndef CORE_ROLLBACK_H
#define CORE_ROLLBACK_H

#include "base/error.h"
#include "base/json.h"
#include "core/operation/task.h"
#include "model/volume.h"
#include "mount/table.h"

struct rollback {
    struct volume volume; /* its data_id is the old one */
    const char *wanted_id;
    const char *wanted_name;
    const char *new_data_id;
    struct snapshot safety;
};

/* 'safety_name' is kept by reference; the safety snapshot's set_id is the caller's to set. */
void rollback_plan(struct task *task, const struct volume *volume, const struct snapshot *wanted,
                   const char *safety_name, struct rollback *rollback);
int rollback_prepare(struct task *task, struct rollback *rollback, struct error *err);

/* All that is checked before anything changes; 'holder' as in struct cut. */
int rollback_rehearse(struct task *task, const struct mount_table *table,
                      const struct volume *volume, const char *holder, struct error *err);

/* New reference. */
json_t *rollback_note(const struct rollback *rollback);
int rollback_load(struct task *task, const json_t *note, struct rollback *rollback,
                  struct error *err);
int rollback_clone(struct task *task, const struct rollback *rollback, struct error *err);
int rollback_set_aside(struct task *task, const struct rollback *rollback, struct error *err);
int rollback_sync(struct task *task, const struct rollback *rollback, struct error *err);
int rollback_finish(struct task *task, const struct rollback *rollback, struct error *err);
int rollback_revert(struct task *task, const struct rollback *rollback, struct error *err);

#endif
