/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the anonymous volumes that the last container of a name had when it was removed. */
#ifndef STORE_DEPARTED_H
#define STORE_DEPARTED_H

#include "base/error.h"
#include "store/db.h"

struct departed {
    const char *destination;
    const char *volume_id;
    int64_t removed_ms;
};

int store_departed_insert(struct db *db, const char *name, const struct departed *departed,
                          struct error *err);

/* By destination, those removed since.  Returns the count. */
int store_departed_list(struct db *db, struct arena *mem, const char *name, int64_t since_ms,
                        struct departed **list, struct error *err);

/* All of that name, and of any name what was removed before. */
int store_departed_forget(struct db *db, const char *name, int64_t before_ms, struct error *err);

#endif
