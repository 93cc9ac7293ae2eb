/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service over a new state directory on a filesystem of the test's choice (lib/world.h), with its
 * database, pools and one task: what the verbs on storage need.
 */
#ifndef LIB_STORAGE_H
#define LIB_STORAGE_H

#include "core/pool/pool.h"
#include "core/service.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume.h"
#include "lib/world.h"
#include "store/db.h"

#define STATE WORLD_DIR "/state"

struct storage {
    struct service service;
    struct task task;
    struct error err;
    bool is_open; /* zero is closed */
};

/* What the default pool is made as; NULL: what fits best. */
static const char *storage_default_pool;

/* Opens (again) what is in STATE; false when it cannot, with err filled. */
static inline bool storage_open(struct storage *storage)
{
    const struct service_spec spec = { .state_dir = STATE,
                                       .runner_path = "",
                                       .confined_path = "",
                                       .default_pool = storage_default_pool };

    *storage = (struct storage){ .is_open = true };
    if (service_open(&storage->service, &spec, &storage->err) < 0)
        return false;
    storage->task = (struct task){
        .service = &storage->service,
        .db = service_db_open(&storage->service, &storage->err),
        .mem = arena_new(),
        .actor = "test",
    };
    return storage->task.db != NULL && pool_make_default(&storage->task, &storage->err) == 0 &&
           (storage->service.pools = pools_open(&storage->task, &storage->err)) != NULL;
}

static inline void storage_close(struct storage *storage)
{
    if (!storage->is_open)
        return;
    pools_close(storage->service.pools);
    db_close(storage->task.db);
    arena_free(storage->task.mem);
    service_close(&storage->service);
    *storage = (struct storage){ 0 };
}

#define cleanup_storage CLEANUP(storage_close)

/* On a new filesystem; false when this machine has none of that kind. */
static inline bool storage_enter(struct storage *storage, const char *filesystem)
{
    if (!world_enter(filesystem))
        return false;
    ck_assert_msg(storage_open(storage), "%s", storage->err.message);
    return true;
}

/* A volume with one file "f" that holds 'text'. */
static inline struct volume storage_volume(struct storage *storage, const char *name,
                                           const char *text)
{
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume = { 0 };
    enum cost cost;
    bool is_new = false;

    spec.name = name;
    CHECK_OK(volume_create(&storage->task, &spec, &volume, &is_new, &cost, &storage->err),
             &storage->err);
    if (text != NULL)
        WORLD_RUN("printf %%s '%s' > %s/f", text, volume_path(&storage->task, &volume));
    return volume;
}

/* What the file "f" of a volume holds must be 'text'. */
static inline void storage_check_text(struct storage *storage, const char *name, const char *text)
{
    struct volume volume;

    CHECK_OK(volume_get(&storage->task, name, &volume, &storage->err), &storage->err);
    WORLD_RUN("test \"$(cat %s/f)\" = '%s'", volume_path(&storage->task, &volume), text);
}

#endif
