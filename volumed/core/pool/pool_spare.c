/* SPDX-License-Identifier: Apache-2.0 */
/* One list for all pools; there are few pools, and few spares in each. */
#include "core/pool/pool_spare.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/sys.h"
#include "base/thread.h"

#define BATCH     16 /* trees made at once, for one sync */
#define STACKS    2  /* of those that are synced one by one all the same */
#define FEW       8  /* fewer than these are worth a refill */
#define TREE_MODE 0755

struct spare {
    struct list node;
    const struct driver_pool *pool;
    char name[UUID_SIZE];
    struct claim claim;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: spares, needy */
static struct list spares = { &spares, &spares };
static const struct driver_pool *needy; /* a pool that has few spares; NULL: none is known */

static struct spare *take(const struct driver_pool *pool);
static const struct driver_pool *take_needy(void);
static int make_batch(const struct driver_pool *pool, struct error *err);
static struct spare *make_one(const struct driver_pool *pool, struct error *err);
static int set_mode(const struct driver_pool *pool, const char *name, struct error *err);
static void throw_away(struct spare *spare);

int pool_spare_take(const struct driver_pool *pool, struct claim *claim, char name[UUID_SIZE],
                    struct error *err)
{
    struct spare *spare = take(pool);

    if (spare == NULL) {
        if (make_batch(pool, err) < 0)
            return -1;
        spare = take(pool);
    }
    if (spare == NULL) /* others took the whole batch before we looked */
        return fail(err, ERR_BUSY, "too many volumes are being made at once; try again");
    memcpy(name, spare->name, UUID_SIZE);
    claim_move(&spare->claim, claim, name);
    free(spare);
    return 0;
}

bool pool_spare_is_due(void)
{
    LOCK_SCOPE(&lock);
    return needy != NULL;
}

void pool_spare_refill(void)
{
    const struct driver_pool *pool = take_needy();
    struct error err;

    if (pool != NULL)
        (void)make_batch(pool, &err);
}

void pool_spare_drop(const struct driver_pool *pool)
{
    for (struct spare *spare; (spare = take(pool)) != NULL;)
        throw_away(spare);
    LOCK_SCOPE(&lock);
    if (needy == pool)
        needy = NULL;
}

static struct spare *take(const struct driver_pool *pool)
{
    struct spare *taken = NULL;
    int left = 0;
    LOCK_SCOPE(&lock);

    list_each(node, &spares) {
        struct spare *spare = container_of(node, struct spare, node);
        if (spare->pool != pool)
            continue;
        if (taken != NULL) {
            left++;
            continue;
        }
        taken = spare;
        list_remove(node);
    }
    if (left < FEW)
        needy = pool;
    else if (needy == pool)
        needy = NULL;
    return taken;
}

static const struct driver_pool *take_needy(void)
{
    LOCK_SCOPE(&lock);
    const struct driver_pool *pool = needy;

    needy = NULL;
    return pool;
}

static int make_batch(const struct driver_pool *pool, struct error *err)
{
    struct list made = { &made, &made };
    int rc = 0;

    int wanted = pool->driver->stack != NULL ? STACKS : BATCH;
    for (int i = 0; i < wanted && rc == 0; i++) {
        struct spare *spare = make_one(pool, err);
        if (spare == NULL)
            rc = -1;
        else
            list_append(&made, &spare->node);
    }
    int synced = rc < 0 ? 0 : sys_fsync(pool->volumes_fd);
    if (synced < 0)
        rc = fail_sys(err, synced, "cannot sync pool '%s'", pool->name);
    list_each(node, &made) {
        struct spare *spare = container_of(node, struct spare, node);
        list_remove(node);
        if (rc < 0) {
            throw_away(spare);
            continue;
        }
        LOCK_SCOPE(&lock);
        list_append(&spares, &spare->node);
    }
    return rc;
}

static struct spare *make_one(const struct driver_pool *pool, struct error *err)
{
    struct spare *spare = mem_alloc(sizeof(*spare));

    list_init(&spare->node);
    spare->pool = pool;
    uuid_make(spare->name);
    claim_enter(&spare->claim, spare->name);
    if (pool->driver->create(pool, pool->volumes_fd, spare->name, err) == 0 &&
        set_mode(pool, spare->name, err) == 0)
        return spare;
    throw_away(spare);
    return NULL;
}

/* Whatever our umask. */
static int set_mode(const struct driver_pool *pool, const char *name, struct error *err)
{
    struct stat st;
    int rc = sys_fstatat(pool->volumes_fd, name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc >= 0 && (st.st_mode & 07777) != TREE_MODE) {
        cleanup_fd int fd = sys_openat(pool->volumes_fd, name, O_RDONLY | O_DIRECTORY, 0);
        rc = fd < 0 ? fd : sys_fchmod(fd, TREE_MODE);
        if (rc >= 0)
            rc = sys_fsync(fd);
    }
    return rc < 0 ? fail_sys(err, rc, "cannot set the mode of '%s'", name) : 0;
}

/* rmdir(2) also takes an empty subvolume; what stays is garbage for reconcile. */
static void throw_away(struct spare *spare)
{
    const struct driver_pool *pool = spare->pool;
    struct error ignored;

    if (pool->driver->stack != NULL || pool->driver->image != NULL)
        (void)pool->driver->remove(pool, pool->volumes_fd, spare->name, &ignored);
    else
        (void)unlinkat(pool->volumes_fd, spare->name, AT_REMOVEDIR);
    claim_leave(&spare->claim);
    free(spare);
}
