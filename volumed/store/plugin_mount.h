/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of mounts that other engines hold: a multiset per (volume, caller). */
#ifndef STORE_PLUGIN_MOUNT_H
#define STORE_PLUGIN_MOUNT_H

#include "store/db.h"

int store_plugin_mount_add(struct db *db, const char *volume_id, const char *caller_id,
                           const char *boot_id, struct error *err);

/* One less; nothing to take is success. */
int store_plugin_mount_take(struct db *db, const char *volume_id, const char *caller_id,
                            struct error *err);
int store_plugin_mount_count_of(struct db *db, const char *volume_id, const char *caller_id,
                                int64_t *count, struct error *err);
int store_plugin_mount_count(struct db *db, const char *volume_id, int64_t *count,
                             struct error *err);

/* All of a volume.  Returns how many rows went. */
int store_plugin_mount_forget(struct db *db, const char *volume_id, struct error *err);

/* Mounts of another boot, which died with it.  _forget returns how many rows went. */
int store_plugin_mount_count_stale(struct db *db, const char *boot_id, int64_t *count,
                                   struct error *err);
int store_plugin_mount_forget_stale(struct db *db, const char *boot_id, struct error *err);

#endif
