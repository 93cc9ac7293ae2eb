/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces, root, capabilities, limits, seccomp.  Even a taken-over child has no path, no
 * socket, no process and no executable page to go on with.
 */
#include "transfer/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"

#define MEMORY_BYTES_MAX ((rlim_t)2 << 30)
#define OPEN_FILES_MAX   ((rlim_t)4096) /* walking down a tree holds a descriptor a level */
#define CAP_BIT(cap)     (UINT64_C(1) << (cap))

/* All that work on files, memory and streams takes; nothing that reaches a process or a network. */
/* clang-format off */
static const int calls[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(pwrite64), SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(openat),
    SCMP_SYS(openat2), SCMP_SYS(readlinkat), SCMP_SYS(readlink), SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs), SCMP_SYS(getdents64),
    SCMP_SYS(getcwd), SCMP_SYS(fchdir), SCMP_SYS(mkdirat), SCMP_SYS(mknodat), SCMP_SYS(symlinkat),
    SCMP_SYS(linkat), SCMP_SYS(unlinkat), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(fchown), SCMP_SYS(fchownat), SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat), SCMP_SYS(utimensat), SCMP_SYS(ftruncate), SCMP_SYS(fsetxattr),
    SCMP_SYS(lsetxattr), SCMP_SYS(fgetxattr), SCMP_SYS(lgetxattr), SCMP_SYS(flistxattr),
    SCMP_SYS(llistxattr), SCMP_SYS(fremovexattr), SCMP_SYS(lremovexattr), SCMP_SYS(fallocate),
    SCMP_SYS(fsync), SCMP_SYS(syncfs), SCMP_SYS(brk), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
#ifdef __SANITIZE_ADDRESS__
    SCMP_SYS(sigaltstack),
#endif
};
/* clang-format on */

static int drop_capabilities(unsigned int needs);
static int set_limits(void);
static int install_filter(void);
static int allow_calls(scmp_filter_ctx filter);

int sandbox_unshare(struct error *err)
{
    struct mount_attr private = { .propagation = MS_PRIVATE };

    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        return fail_sys(err, -errno, "cannot leave the host's namespaces");
    int rc = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private);
    return rc < 0 ? fail_sys(err, rc, "cannot make mounts private") : 0;
}

int sandbox_tree(int fd, uint64_t attributes, struct error *err)
{
    struct mount_attr attr = { .attr_set = attributes };
    cleanup_fd int tree =
        sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

    if (tree < 0)
        return fail_sys(err, tree, "cannot clone a mount");
    int rc = attributes == 0 ? 0 : sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
    return rc < 0 ? fail_sys(err, rc, "cannot restrict a mount") : move_fd(&tree);
}

int sandbox_empty_tree(struct error *err)
{
    cleanup_fd int fs = sys_fsopen("tmpfs");

    if (fs < 0)
        return fail_sys(err, fs, "cannot make an empty root");
    int rc = sys_fsconfig_create(fs);
    if (rc >= 0)
        rc = sys_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                 MOUNT_ATTR_NOEXEC);
    return rc < 0 ? fail_sys(err, rc, "cannot make an empty root") : rc;
}

int sandbox_enter(int tree_fd, struct error *err)
{
    int rc = sys_move_mount(tree_fd, "", AT_FDCWD, "/",
                            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);

    if (rc < 0)
        return fail_sys(err, rc, "cannot attach the root");
    /* The old root ends up mounted over the new one and is taken away: pivot_root(2), NOTES. */
    if (fchdir(tree_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return fail_sys(err, -errno, "cannot change the root");
    rc = sys_umount2(".", MNT_DETACH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot let go of the host's root");
    return chdir("/") < 0 ? fail_sys(err, -errno, "cannot enter the root") : 0;
}

int sandbox_lock(unsigned int needs, struct error *err)
{
    int rc = set_limits();

    if (rc >= 0)
        rc = drop_capabilities(needs);
    if (rc >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        rc = -errno;
    if (rc >= 0)
        rc = install_filter();
    return rc < 0 ? fail_sys(err, rc, "cannot confine a child") : 0;
}

static int drop_capabilities(unsigned int needs)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { 0 };
    uint64_t kept = 0;

    if ((needs & SANDBOX_MAKE_FILES) != 0)
        kept |= CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) |
                CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_SETFCAP);
    if ((needs & SANDBOX_READ_FILES) != 0)
        kept |= CAP_BIT(CAP_DAC_READ_SEARCH);
    if ((needs & SANDBOX_READ_XATTRS) != 0)
        kept |= CAP_BIT(CAP_SYS_ADMIN);
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
        if ((kept & CAP_BIT(cap)) == 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 &&
            errno != EINVAL) /* an older kernel has fewer */
            return -errno;
    for (size_t i = 0; i < ARRAY_SIZE(data); i++)
        data[i].effective = data[i].permitted = (uint32_t)(kept >> (32 * i));
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int set_limits(void)
{
    static const struct {
        int resource;
        rlim_t max;
    } limits[] = {
        { RLIMIT_CORE, 0 },
        { RLIMIT_NOFILE, OPEN_FILES_MAX },
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes of addresses */
        { RLIMIT_AS, MEMORY_BYTES_MAX },
#endif
    };

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        struct rlimit limit;
        if (getrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
            return -errno;
        if (limit.rlim_max > limits[i].max)
            limit.rlim_max = limits[i].max;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
            return -errno;
    }
    return 0;
}

/* What is not listed does not exist (ENOSYS): a newer C library then falls back. */
static int install_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

    if (filter == NULL)
        return -ENOMEM;
    int rc = allow_calls(filter);
    if (rc >= 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc;
}

static int allow_calls(scmp_filter_ctx filter)
{
    /* Memory may be written or executed, and here only written. */
    static const int mappings[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(calls); i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(mappings); i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mappings[i], 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (rc >= 0) /* where a file's blocks lie, of all that ioctl(2) tells */
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                              SCMP_A1(SCMP_CMP_EQ, FS_IOC_FIEMAP));
    return rc;
}
