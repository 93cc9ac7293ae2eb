/* SPDX-License-Identifier: Apache-2.0 */
/* What a recreation does to volumes: cut them as a set, put them back to one, forget it. */
#ifndef CORE_RECREATE_DATA_H
#define CORE_RECREATE_DATA_H

#include "core/recreate/recreate_run.h"

/* Cuts the plan's volumes, whose writers have stopped, as recreation->set_name. */
int recreate_data_cut(struct recreate_run *run, struct error *err);

/*
 * Puts volumes back to the set 'wanted'; what they hold becomes the set 'safety'.  Idempotent: done
 * already when 'safety' is there.
 */
int recreate_data_put_back(struct recreate_run *run, const char *wanted, const char *safety,
                           struct error *err);

/* Gives volumes of the name plan.keep_new_data_as what the set holds; those that are there stay. */
int recreate_data_keep(struct recreate_run *run, const char *set_name, struct error *err);

/* Removes a set; one that is not there is as well. */
int recreate_data_drop(struct task *task, const char *set_name, struct error *err);
int recreate_data_exists(struct task *task, const char *set_name, bool *exists, struct error *err);

#endif
