/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host can promise.  Images are allocated, so what they have is gone from what is free;
 * what they may still grow by is not, and must not be promised twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/sys.h"
#include "core/pool/pool_disk.h"
#include "store/pool_disk.h"

#define RESERVE_PART 20 /* of the filesystem: for our database, and for those who share it */
#define RESERVE_MIN  ((int64_t)64 << 20)
#define RESERVE_MAX  ((int64_t)8 << 30)

struct host {
    dev_t device;
    unsigned long id; /* f_fsid: of one btrfs, whose subvolumes are devices each; 0 says nothing */
};

static int64_t promised(const struct pool_disk *disk, const struct host *host);
static bool lies_on(const char *path, const struct host *host);

int pool_disk_room(struct task *task, const char *path, const char *except_pool_id,
                   int64_t *room_bytes, struct error *err)
{
    struct pool_disk *list = NULL;
    struct statvfs space;
    struct stat st;
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &st, AT_EMPTY_PATH);

    if (rc >= 0)
        rc = fstatvfs(fd, &space) < 0 ? -errno : 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot measure '%s'", path);
    const struct host host = { st.st_dev, space.f_fsid };
    int64_t reserve = (int64_t)(space.f_blocks * space.f_frsize) / RESERVE_PART;
    reserve = reserve < RESERVE_MIN ? RESERVE_MIN : reserve > RESERVE_MAX ? RESERVE_MAX : reserve;
    int64_t room = (int64_t)(space.f_bavail * space.f_frsize) - reserve;
    int count = store_pool_disk_list(task->db, task->mem, &list, err);
    for (int i = 0; i < count; i++)
        if (strcmp(list[i].pool_id, except_pool_id) != 0)
            room -= promised(&list[i], &host);
    *room_bytes = room;
    return count < 0 ? -1 : 0;
}

static int64_t promised(const struct pool_disk *disk, const struct host *host)
{
    if (disk->is_device || disk->max_bytes <= disk->size_bytes || !lies_on(disk->path, host))
        return 0;
    return disk->max_bytes - disk->size_bytes;
}

static bool lies_on(const char *path, const struct host *host)
{
    struct statvfs space;
    struct stat st;
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);

    if (fd < 0 || sys_fstatat(fd, "", &st, AT_EMPTY_PATH) < 0)
        return false;
    if (st.st_dev == host->device)
        return true;
    return host->id != 0 && fstatvfs(fd, &space) == 0 && space.f_fsid == host->id;
}
