/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the plugin's mounts. */
#include "store/plugin_mount.h"

int store_plugin_mount_add(struct db *db, const char *volume_id, const char *caller_id,
                           const char *boot_id, struct error *err)
{
    /* A row of another boot counts mounts that are no more: it starts anew. */
    return db_exec(db,
                   "INSERT INTO plugin_mount (volume_id, caller_id, count, boot_id)"
                   " VALUES (?1, ?2, 1, ?3) ON CONFLICT (volume_id, caller_id) DO UPDATE SET"
                   " count = CASE WHEN boot_id = ?3 THEN count + 1 ELSE 1 END, boot_id = ?3",
                   ARGS(TEXT(volume_id), TEXT(caller_id), TEXT(boot_id)), err) < 0
               ? -1
               : 0;
}

int store_plugin_mount_take(struct db *db, const char *volume_id, const char *caller_id,
                            struct error *err)
{
    int gone = db_exec(db,
                       "DELETE FROM plugin_mount WHERE volume_id = ? AND caller_id = ?"
                       " AND count = 1",
                       ARGS(TEXT(volume_id), TEXT(caller_id)), err);

    if (gone != 0)
        return gone < 0 ? -1 : 0;
    return db_exec(db,
                   "UPDATE plugin_mount SET count = count - 1"
                   " WHERE volume_id = ? AND caller_id = ?",
                   ARGS(TEXT(volume_id), TEXT(caller_id)), err) < 0
               ? -1
               : 0;
}

int store_plugin_mount_count_of(struct db *db, const char *volume_id, const char *caller_id,
                                int64_t *count, struct error *err)
{
    return db_query_i64(db,
                        "SELECT sum(count) FROM plugin_mount WHERE volume_id = ? AND caller_id = ?",
                        ARGS(TEXT(volume_id), TEXT(caller_id)), count, err);
}

int store_plugin_mount_count(struct db *db, const char *volume_id, int64_t *count,
                             struct error *err)
{
    return db_query_i64(db, "SELECT sum(count) FROM plugin_mount WHERE volume_id = ?",
                        ARGS(TEXT(volume_id)), count, err);
}

int store_plugin_mount_forget(struct db *db, const char *volume_id, struct error *err)
{
    return db_exec(db, "DELETE FROM plugin_mount WHERE volume_id = ?", ARGS(TEXT(volume_id)), err);
}

int store_plugin_mount_count_stale(struct db *db, const char *boot_id, int64_t *count,
                                   struct error *err)
{
    return db_query_i64(db, "SELECT count(*) FROM plugin_mount WHERE boot_id <> ?",
                        ARGS(TEXT(boot_id)), count, err);
}

int store_plugin_mount_forget_stale(struct db *db, const char *boot_id, struct error *err)
{
    return db_exec(db, "DELETE FROM plugin_mount WHERE boot_id <> ?", ARGS(TEXT(boot_id)), err);
}
