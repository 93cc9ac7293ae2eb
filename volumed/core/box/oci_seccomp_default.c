/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter of containers that ask for none: what programs need is allowed, what would reach the
 * host is refused with EPERM unless a capability of the container calls for it, and what is newer
 * than this list does not exist (ENOSYS), so that libraries fall back.
 */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "core/box/oci.h"

#define ALLOW "SCMP_ACT_ALLOW"
#define ERRNO "SCMP_ACT_ERRNO"
#define NEW_NAMESPACES                                                                            \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)

/* Names with a space between them. */
static const char allowed[] =
    "_llseek _newselect accept accept4 access adjtimex alarm arch_prctl bind brk capget "
    "capset chdir chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres "
    "clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
    "clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 "
    "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd "
    "eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 "
    "fallocate fanotify_mark fchdir fchmod fchmodat fchown fchown32 fchownat fcntl fcntl64 "
    "fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 "
    "fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_time64 futex_waitv "
    "futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid "
    "getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer "
    "getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 "
    "getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid "
    "gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1 "
    "inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 "
    "io_setup io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule "
    "landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link linkat "
    "listen listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise "
    "membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 "
    "mlockall mmap mmap2 modify_ldt mprotect mq_getsetattr mq_notify mq_open "
    "mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink "
    "mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at "
    "nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 "
    "pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv "
    "preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6 "
    "pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readdir readlink "
    "readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages "
    "removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction "
    "rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
    "rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max "
    "sched_get_priority_min sched_getaffinity sched_getattr sched_getparam "
    "sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
    "sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp "
    "select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 "
    "sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid "
    "setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid "
    "setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid "
    "setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt "
    "shmget shutdown sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask "
    "sigreturn sigsuspend socketcall socketpair splice stat stat64 statfs statfs64 statx "
    "symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create "
    "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
    "timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
    "timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink "
    "unlinkat utime utimensat utimensat_time64 utimes vfork wait4 waitid waitpid write "
    "writev";

static const char refused[] =
    "_sysctl add_key afs_syscall bdflush break create_module epoll_ctl_old epoll_wait_old "
    "ftime get_kernel_syms getpmsg gtty idle io_uring_enter io_uring_register "
    "io_uring_setup kexec_file_load kexec_load keyctl lock migrate_pages move_pages mpx "
    "nfsservctl nice oldfstat oldlstat oldolduname oldstat olduname pivot_root prof profil "
    "putpmsg query_module request_key security sgetmask ssetmask stty swapoff swapon sysfs "
    "tuxcall ulimit uselib userfaultfd ustat vm86 vm86old vmsplice vserver";

/* Allowed with the capability, refused without. */
static const struct conditional {
    const char *capability;
    const char *names;
} conditionals[] = {
    { "CAP_DAC_READ_SEARCH", "open_by_handle_at" },
    { "CAP_SYSLOG", "syslog" },
    { "CAP_SYS_ADMIN",
      "bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr "
      "move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname "
      "setns umount umount2 unshare" },
    { "CAP_SYS_BOOT", "reboot" },
    { "CAP_SYS_CHROOT", "chroot" },
    { "CAP_SYS_MODULE", "delete_module finit_module init_module" },
    { "CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node" },
    { "CAP_SYS_PACCT", "acct" },
    { "CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise" },
    { "CAP_SYS_RAWIO", "ioperm iopl" },
    { "CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime" },
    { "CAP_SYS_TTY_CONFIG", "vhangup" },
};

/* Of personality(2): what 32-bit programs and debuggers ask for, and "tell me". */
static const int64_t personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };

static json_t *rule(const char *action, int error_number, const char *names);
static void add_call(json_t *rules, const char *name, json_t *condition);
static void add_missing(json_t *rules, const char *name);
static void add_namespaces(json_t *rules, bool is_admin);
static bool has_capability(const json_t *capabilities, const char *name);
static json_t *architectures(void);

json_t *oci_seccomp_default(const json_t *capabilities)
{
    json_t *rules = json_array();

    json_array_append_new(rules, rule(ALLOW, 0, allowed));
    json_array_append_new(rules, rule(ERRNO, EPERM, refused));
    for (size_t i = 0; i < ARRAY_SIZE(conditionals); i++) {
        const struct conditional *conditional = &conditionals[i];
        bool is_held = has_capability(capabilities, conditional->capability);
        json_array_append_new(
            rules, rule(is_held ? ALLOW : ERRNO, is_held ? 0 : EPERM, conditional->names));
    }
    for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
        add_call(rules, "personality",
                 json_pack("{si sI ss}", "index", 0, "value", (json_int_t)personalities[i], "op",
                           "SCMP_CMP_EQ"));
    /* Sockets to the hypervisor know no network namespace. */
    add_call(rules, "socket",
             json_pack("{si si ss}", "index", 0, "value", AF_VSOCK, "op", "SCMP_CMP_NE"));
    add_namespaces(rules, has_capability(capabilities, "CAP_SYS_ADMIN"));
    return json_pack("{ss si so so}", "defaultAction", ERRNO, "defaultErrnoRet", ENOSYS,
                     "architectures", architectures(), "syscalls", rules);
}

/* clone3's flags are in memory, which a filter cannot see: without it libc takes clone. */
static void add_namespaces(json_t *rules, bool is_admin)
{
    if (is_admin) {
        json_array_append_new(rules, rule(ALLOW, 0, "clone clone3"));
        return;
    }
    add_call(rules, "clone",
             json_pack("{si sI sI ss}", "index", 0, "value", (json_int_t)NEW_NAMESPACES, "valueTwo",
                       (json_int_t)0, "op", "SCMP_CMP_MASKED_EQ"));
    add_missing(rules, "clone3");
}

static json_t *rule(const char *action, int error_number, const char *names)
{
    json_t *list = json_array();

    while (names[0] != '\0') {
        size_t length = strcspn(names, " ");
        json_array_append_new(list, json_stringn(names, length));
        names += length + strspn(names + length, " ");
    }
    json_t *made = json_pack("{so ss}", "names", list, "action", action);
    if (error_number != 0)
        json_set(made, "errnoRet", json_integer(error_number));
    return made;
}

/* Takes over 'condition'. */
static void add_call(json_t *rules, const char *name, json_t *condition)
{
    json_t *made = rule(ALLOW, 0, name);

    json_set(made, "args", json_pack("[o]", condition));
    json_array_append_new(rules, made);
}

static void add_missing(json_t *rules, const char *name)
{
    json_array_append_new(rules, rule(ERRNO, ENOSYS, name));
}

static bool has_capability(const json_t *capabilities, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach(capabilities, i, item)
    {
        if (strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return false;
}

static json_t *architectures(void)
{
    struct utsname host;

    (void)uname(&host); /* fails only for a bad address */
    if (strcmp(host.machine, "x86_64") == 0)
        return json_pack("[sss]", "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32");
    return json_pack("[ss]", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM");
}
