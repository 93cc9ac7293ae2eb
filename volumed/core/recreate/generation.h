/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generations: containers that were replaced, stopped and kept under "NAME.gen-N", with the set of
 * snapshots that their volumes were.  They are hidden from lists and never started as they are;
 * `recreate` puts them back.
 */
#ifndef CORE_GENERATION_H
#define CORE_GENERATION_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/container.h"
#include "model/recreation.h"

/* The number that the next container of this name gets. */
int generation_next(struct task *task, const struct container *container, int64_t *number,
                    struct error *err);

/* In the caller's transaction: makes the container a generation of 'generation->name'. */
int generation_retire(struct task *task, const struct container *container,
                      const struct generation *generation, struct error *err);

/* In the caller's transaction: gives the container the name 'name'; it is no generation any more.
 */
int generation_restore(struct task *task, const struct container *container, const char *name,
                       struct error *err);

/* Newest first. */
int generation_list(struct task *task, const char *name, struct generation **list,
                    struct error *err);

/* Removes what is older than the newest 'keep' of each member, with their sets, and likewise sets
 * that no generation has; failures are logged. */
void generation_prune(struct task *task, const struct recreation *recreation, int64_t keep);

/* Likewise all of a container that is about to be removed; with_volumes: also anonymous volumes
 * that nobody else has. */
void generation_drop_all(struct task *task, const char *name, bool with_volumes);

/* At start: removes sets that a crash kept from going with their generation. */
void generation_tidy(struct task *task);

/* Removes a set that no generation is kept with any more; NULL and "" are none. */
int generation_set_drop(struct task *task, const char *set_name, struct error *err);

#endif
