/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the state directory: the checks that keep data safe (a local filesystem, one daemon, a
 * database that is whole and not newer than we are), and the directories that everything else lies
 * in.
 */
#include "core/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/sys.h"
#include "core/operation/event.h"
#include "store/db.h"
#include "store/migrate.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static int check_filesystem(const struct service *service, struct error *err);
static int take_lock(struct service *service, struct error *err);
static int check_database(struct service *service, struct error *err);
static int make_directories(struct service *service, struct error *err);
static int empty_tmp(const struct service *service, struct error *err);
static int read_boot_id(struct service *service, struct error *err);

int service_open(struct service *service, const struct service_spec *spec, struct error *err)
{
    *service = (struct service){
        .state_dir = spec->state_dir,
        .default_pool = spec->default_pool != NULL ? spec->default_pool : "auto",
        .runner_path = spec->runner_path,
        .confined_path = spec->confined_path,
        .state_fd = -1,
        .lock_fd = -1,
        .containers_fd = -1,
        .layers_fd = -1,
        .tmp_fd = -1,
        .started_ms = clock_now_ms(),
    };
    alarm_init(&service->alarm);
    service->state_fd = fs_make_path(spec->state_dir, 0711, err);
    if (service->state_fd < 0 || check_filesystem(service, err) < 0 ||
        take_lock(service, err) < 0 || make_directories(service, err) < 0 ||
        read_boot_id(service, err) < 0 || check_database(service, err) < 0)
        return error_prefix(err, "cannot use state directory '%s'", spec->state_dir);
    service->bell = event_bell_new(err);
    return service->bell == NULL ? -1 : 0;
}

void service_close(struct service *service)
{
    alarm_done(&service->alarm);
    event_bell_free(service->bell);
    service->bell = NULL;
    sys_close_fd(&service->tmp_fd);
    sys_close_fd(&service->layers_fd);
    sys_close_fd(&service->containers_fd);
    sys_close_fd(&service->state_fd);
    sys_close_fd(&service->lock_fd);
}

struct db *service_db_open(const struct service *service, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();

    return db_open(arena_printf(mem, "%s/volumed.db", service->state_dir), err);
}

static int check_filesystem(const struct service *service, struct error *err)
{
    int64_t magic = fs_magic(service->state_fd);

    if (fs_is_network(magic))
        return fail(err, ERR_UNSUPPORTED,
                    "it is on a network or FUSE filesystem (type 0x%lx), where the database's locks"
                    " and syncs do not hold; use a local disk (volumes may still be on NFS: see"
                    " the driver options type, device and o)",
                    (unsigned long)magic);
    return 0;
}

static int take_lock(struct service *service, struct error *err)
{
    char pid[24] = { 0 };

    service->lock_fd = sys_openat(service->state_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (service->lock_fd < 0)
        return fail_sys(err, service->lock_fd, "cannot open 'lock'");
    if (flock(service->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        (void)sys_read_all(service->lock_fd, pid, sizeof(pid) - 1); /* a courtesy */
        pid[strcspn(pid, "\n")] = '\0';
        return fail(err, ERR_BUSY, "another volumed (pid %s) is using it", pid[0] ? pid : "?");
    }
    /* The pid is for people; the lock is what counts, so a failed write is no matter. */
    int written = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (sys_ftruncate(service->lock_fd, 0) >= 0)
        (void)sys_write_all(service->lock_fd, pid, (size_t)written);
    return 0;
}

static int check_database(struct service *service, struct error *err)
{
    cleanup_db struct db *db = service_db_open(service, err);

    if (db == NULL || db_quick_check(db, err) < 0)
        return -1;
    return migrate(db, err);
}

static int make_directories(struct service *service, struct error *err)
{
    service->containers_fd = fs_make_dir(service->state_fd, "containers", 0711, err);
    if (service->containers_fd < 0)
        return -1;
    service->layers_fd = fs_make_dir(service->state_fd, "layers", 0711, err);
    if (service->layers_fd < 0)
        return -1;
    service->tmp_fd = fs_make_dir(service->state_fd, "tmp", 0700, err);
    if (service->tmp_fd < 0 || empty_tmp(service, err) < 0)
        return -1;
    cleanup_fd int run_fd = fs_make_dir(service->state_fd, "run", 0700, err);
    return run_fd < 0 ? -1 : fs_sync_dir(service->state_fd, err);
}

static int empty_tmp(const struct service *service, struct error *err)
{
    return fs_empty_dir(service->tmp_fd, err);
}

static int read_boot_id(struct service *service, struct error *err)
{
    cleanup_fd int fd = sys_openat(AT_FDCWD, BOOT_ID_FILE, O_RDONLY, 0);
    ssize_t size = fd < 0 ? fd : sys_read_all(fd, service->boot_id, sizeof(service->boot_id) - 1);

    if (size < 0)
        return fail_sys(err, (int)size, "cannot read '%s'", BOOT_ID_FILE);
    service->boot_id[strcspn(service->boot_id, "\n")] = '\0';
    return 0;
}
