/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and usage of directories on XFS and ext4, by project quota.  Members of the drivers whose
 * trees are directories. */
#ifndef DRIVER_QUOTA_PROJECT_H
#define DRIVER_QUOTA_PROJECT_H

#include "driver/driver.h"

int quota_project_check(const struct driver_pool *pool, const struct driver_limit *limit,
                        struct error *err);
int quota_project_set(const struct driver_pool *pool, int fd, const struct driver_limit *limit,
                      struct error *err);
int quota_project_get(const struct driver_pool *pool, int fd, struct driver_limit *limit,
                      struct error *err);
int quota_project_usage(const struct driver_pool *pool, int fd, bool is_fresh,
                        struct driver_usage *usage, struct error *err);
bool quota_project_is_free(const struct driver_pool *pool, uint32_t project, bool is_freed);

#endif
