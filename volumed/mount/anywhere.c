/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NS_MNT_GET_NEXT and _PREV go from our mount namespace to all others; listmount(2) and
 * statmount(2) tell what is mounted there, by its root, without a process of that namespace.  On a
 * host of 300 processes and a few namespaces this takes a tenth of the time of asking every
 * process.
 *
 * Debian 12's headers know none of it, so the kernel's structs are here, each only as far as it is
 * used.
 */
#include "mount/anywhere.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"
#include "mount/table.h"

#define NR_STATMOUNT 457 /* the same on every architecture */
#define NR_LISTMOUNT 458
#define ROOT_OF_ALL  UINT64_MAX
#define WANT_ROOT    UINT64_C(0x8)
#define WANT_POINT   UINT64_C(0x10)
#define IDS_AT_ONCE  256
#define STRINGS_SIZE 8704 /* two paths, at most PATH_MAX long */

struct namespace_info {
    uint32_t size;
    uint32_t mount_count;
    uint64_t id;
};

#define GET_NAMESPACE_INFO _IOR(0xb7, 10, struct namespace_info)
#define GET_NEXT_NAMESPACE _IOR(0xb7, 11, struct namespace_info)
#define GET_PREV_NAMESPACE _IOR(0xb7, 12, struct namespace_info)

struct mount_request {
    uint32_t size;
    uint32_t spare;
    uint64_t mount_id;
    uint64_t param; /* of listmount: after which mount; of statmount: what is wanted */
    uint64_t namespace_id;
};

struct mount_status {
    uint32_t size;
    uint32_t options;
    uint64_t mask;
    uint32_t device[2];
    uint64_t magic;
    uint32_t flags;
    uint32_t type;
    uint64_t ids[2];
    uint32_t old_ids[2];
    uint64_t attributes;
    uint64_t propagation[4];
    uint32_t root; /* where in 'text' */
    uint32_t point;
    uint64_t more[50];
    char text[STRINGS_SIZE];
};

_Static_assert(offsetof(struct mount_status, text) == 512, "as the kernel has it");

struct wanted {
    const char *parent;
    const char *const *names;
    size_t count;
};

static int search_from(int fd, unsigned long step, const struct wanted *wanted);
static int search(const struct namespace_info *space, const struct wanted *wanted);
static int look_at(uint64_t namespace_id, uint64_t mount_id, const struct wanted *wanted);

int mount_is_anywhere(const char *parent, const char *const *names, size_t count)
{
    const struct wanted wanted = { parent, names, count };
    struct namespace_info info = { .size = sizeof(info) };
    cleanup_fd int fd = sys_openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY, 0);

    if (fd < 0 || ioctl(fd, GET_NAMESPACE_INFO, &info) < 0)
        return -EOPNOTSUPP;
    int found = search(&info, &wanted);
    if (found == 0)
        found = search_from(fd, GET_NEXT_NAMESPACE, &wanted);
    if (found == 0)
        found = search_from(fd, GET_PREV_NAMESPACE, &wanted);
    return found;
}

static int search_from(int fd, unsigned long step, const struct wanted *wanted)
{
    cleanup_fd int present = -1;

    for (;;) {
        struct namespace_info info = { .size = sizeof(info) };
        int next = ioctl(present >= 0 ? present : fd, step, &info);
        if (next < 0)
            return errno == ENOENT ? 0 : -EOPNOTSUPP;
        sys_close_fd(&present);
        present = next;
        int found = search(&info, wanted);
        if (found != 0)
            return found;
    }
}

/*
 * The kernel lists what is below the first mount on a namespace's root, and says ENOENT where there
 * is none: a container's root may be the namespace's.  So "nothing" is believed only where as many
 * mounts were seen as there are; also where some came or went meanwhile, processes are asked.
 */
static int search(const struct namespace_info *space, const struct wanted *wanted)
{
    struct mount_request request = {
        .size = sizeof(request),
        .mount_id = ROOT_OF_ALL,
        .namespace_id = space->id,
    };
    uint64_t ids[IDS_AT_ONCE];
    uint64_t seen = 0;

    for (;;) {
        long count = syscall(NR_LISTMOUNT, &request, ids, IDS_AT_ONCE, 0);
        if (count < 0)
            return -EOPNOTSUPP;
        for (long i = 0; i < count; i++) {
            int found = look_at(space->id, ids[i], wanted);
            if (found != 0)
                return found;
        }
        seen += (uint64_t)count;
        if (count < IDS_AT_ONCE)
            return seen == space->mount_count ? 0 : -EOPNOTSUPP;
        request.param = ids[count - 1];
    }
}

static int look_at(uint64_t namespace_id, uint64_t mount_id, const struct wanted *wanted)
{
    const struct mount_request request = {
        .size = sizeof(request),
        .mount_id = mount_id,
        .param = WANT_ROOT | WANT_POINT,
        .namespace_id = namespace_id,
    };
    struct mount_status status;

    if (syscall(NR_STATMOUNT, &request, &status, sizeof(status), 0) < 0)
        return errno == ENOENT ? 0 : -EOPNOTSUPP; /* unmounted just now */
    if ((status.mask & WANT_ROOT) == 0 || status.root >= sizeof(status.text))
        return -EOPNOTSUPP;
    /* A point that cannot be reached from a namespace's root is not told. */
    bool has_point = (status.mask & WANT_POINT) != 0 && status.point < sizeof(status.text);
    const char *point = has_point ? &status.text[status.point] : "";
    for (size_t i = 0; i < wanted->count; i++)
        if (mount_root_matches(&status.text[status.root], wanted->parent, wanted->names[i]) ||
            mount_root_matches(point, wanted->parent, wanted->names[i]))
            return 1;
    return 0;
}
