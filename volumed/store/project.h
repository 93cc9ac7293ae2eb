/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the numbers by which project quotas know trees. */
#ifndef STORE_PROJECT_H
#define STORE_PROJECT_H

#include "store/db.h"

struct project {
    int64_t id;
    const char *pool_id;
    const char *data_id;
};

/* *id is 0 when the tree has none. */
int store_project_find(struct db *db, const char *data_id, int64_t *id, struct error *err);

/* The highest number in use, 0 when there is none. */
int store_project_last(struct db *db, int64_t *id, struct error *err);
int store_project_insert(struct db *db, const struct project *project, struct error *err);
int store_project_delete(struct db *db, int64_t id, struct error *err);
int store_project_list(struct db *db, struct arena *mem, const char *pool_id, struct project **list,
                       struct error *err);

#endif
