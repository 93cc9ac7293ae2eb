/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of policies. */
#ifndef STORE_POLICY_H
#define STORE_POLICY_H

#include "model/policy.h"
#include "store/db.h"

/* EXISTS: the name is taken. */
int store_policy_insert(struct db *db, const struct policy *policy, struct error *err);

/* By name, else by id.  Returns how many were found (0 or 1). */
int store_policy_find(struct db *db, struct arena *mem, const char *ref, struct policy *policy,
                      struct error *err);

/* By name.  Returns the count. */
int store_policy_list(struct db *db, struct arena *mem, struct policy **policies,
                      struct error *err);

/* Those to be tried by then, but for those of volumes in the trash. */
int store_policy_list_due(struct db *db, struct arena *mem, int64_t now_ms,
                          struct policy **policies, struct error *err);

/* When the first of them is to be tried; 0 when there is none. */
int store_policy_next(struct db *db, int64_t *next_ms, struct error *err);

/* Writes due, next, last, failures and error; nothing when the policy is no more. */
int store_policy_set_run(struct db *db, const struct policy *policy, struct error *err);

/* CONFLICT when it is no more. */
int store_policy_delete(struct db *db, const char *id, struct error *err);

#endif
