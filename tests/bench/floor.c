/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under a container runtime: what the kernel takes for a container that has all of the
 * plain configuration (namespaces with a network, mounts, devices, masks, a group in each
 * hierarchy), and nothing is read, checked, recorded or protected.
 *
 *     floor ROOTFS NAME PROGRAM [ARG…]
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUPS_MAX   32
#define GROUP_ROOT   "/sys/fs/cgroup"
#define CONTAINER_NS (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct group {
    char name[128]; /* below GROUP_ROOT, as it appears in the container */
    char path[1024];
    int member_fd; /* of v1: for the process to join by itself, which is the fastest way */
};

static struct group groups[GROUPS_MAX];
static size_t group_count;

static const struct {
    const char *type;
    const char *target;
    unsigned long flags;
    const char *data;
} mounts[] = {
    { "proc", "proc", 0, NULL },
    { "tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k" },
    { "devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5" },
    { "tmpfs", "dev/shm", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k" },
    { "mqueue", "dev/mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
    { "sysfs", "sys", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL },
    { "tmpfs", "sys/fs/cgroup", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=755" },
};

static const struct {
    const char *path;
    unsigned int major;
    unsigned int minor;
} devices[] = {
    { "dev/null", 1, 3 }, { "dev/zero", 1, 5 },   { "dev/full", 1, 7 },
    { "dev/tty", 5, 0 },  { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 },
};

static const char *const links[][2] = {
    { "/proc/self/fd", "dev/fd" },       { "/proc/self/fd/0", "dev/stdin" },
    { "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
    { "/proc/kcore", "dev/core" },       { "pts/ptmx", "dev/ptmx" },
};

static const char *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys" };
static const char *const hidden[] = { "proc/acpi", "proc/keys", "proc/timer_list", "sys/firmware",
                                      "proc/scsi" };

static void check(long rc, const char *what);
static void make_groups(const char *name);
static bool make_group(const char *name, char *line, bool is_unified);
static void open_members(struct clone_args *args);
static void join_groups(void);
static void write_file(const char *path, const char *text);
static void child(const char *root, char **argv) __attribute__((noreturn));
static void make_mounts(void);
static void make_devices(void);
static void hide_paths(void);
static void enter_root(void);
static void raise_loopback(void);

int main(int argc, char **argv)
{
    struct clone_args args = { .flags = CONTAINER_NS | CLONE_CLEAR_SIGHAND,
                               .exit_signal = SIGCHLD };
    int status = 0;

    if (argc < 4) {
        (void)fprintf(stderr, "usage: floor ROOTFS NAME PROGRAM [ARG…]\n");
        return EXIT_FAILURE;
    }
    make_groups(argv[2]);
    open_members(&args);
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    check(pid, "clone3");
    if (pid == 0)
        child(argv[1], argv + 3);
    check(waitpid(pid, &status, 0), "waitpid");
    for (size_t i = 0; i < group_count; i++)
        check(rmdir(groups[i].path), groups[i].path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static void check(long rc, const char *what)
{
    if (rc >= 0)
        return;
    (void)fprintf(stderr, "floor: %s: %s\n", what, strerrordesc_np(errno));
    _exit(EXIT_FAILURE);
}

/* One in each hierarchy of /proc/self/cgroup. */
static void make_groups(const char *name)
{
    char text[8192];
    char *rest;
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, text, sizeof(text) - 1);

    check(size, "/proc/self/cgroup");
    (void)close(fd);
    text[size] = '\0';
    bool is_unified = access(GROUP_ROOT "/cgroup.controllers", F_OK) == 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && group_count < GROUPS_MAX;
         line = strtok_r(NULL, "\n", &rest))
        if (make_group(name, line, is_unified))
            group_count++;
}

/* "4:memory:/path", of v2 "0::/path".  False when the hierarchy is not mounted. */
static bool make_group(const char *name, char *line, bool is_unified)
{
    struct group *group = &groups[group_count];
    char member_path[1200];
    char *controllers = strchr(line, ':') + 1;
    char *path = strchr(controllers, ':');

    *path++ = '\0';
    if (is_unified && *controllers != '\0')
        return false;
    if (strncmp(controllers, "name=", 5) == 0)
        controllers += 5;
    (void)snprintf(group->name, sizeof(group->name), "%s",
                   *controllers != '\0' ? controllers : "unified");
    (void)snprintf(group->path, sizeof(group->path), GROUP_ROOT "/%s%s%s/%s",
                   is_unified ? "" : group->name, path, is_unified ? "/.." : "", name);
    if (mkdir(group->path, 0755) < 0)
        return false;
    (void)snprintf(member_path, sizeof(member_path), "%s/cgroup.procs", group->path);
    if (access(member_path, F_OK) == 0)
        return true;
    (void)rmdir(group->path);
    return false;
}

static void open_members(struct clone_args *args)
{
    char path[1200];

    for (size_t i = 0; i < group_count; i++) {
        struct group *group = &groups[i];
        if (strcmp(group->name, "cpuset") == 0) {
            (void)snprintf(path, sizeof(path), "%s/cpuset.cpus", group->path);
            write_file(path, "0");
            (void)snprintf(path, sizeof(path), "%s/cpuset.mems", group->path);
            write_file(path, "0");
        }
        bool is_v2 = strcmp(group->name, "unified") == 0;
        (void)snprintf(path, sizeof(path), "%s%s", group->path, is_v2 ? "" : "/tasks");
        group->member_fd = open(path, is_v2 ? O_PATH | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
        check(group->member_fd, path);
        if (is_v2) {
            args->flags |= CLONE_INTO_CGROUP;
            args->cgroup = (unsigned long long)group->member_fd;
            group->member_fd = -1;
        }
    }
}

static void join_groups(void)
{
    for (size_t i = 0; i < group_count; i++)
        if (groups[i].member_fd >= 0)
            check(write(groups[i].member_fd, "0", 1), groups[i].path);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    check(fd, path);
    check(write(fd, text, strlen(text)), path);
    (void)close(fd);
}

static void child(const char *root, char **argv)
{
    (void)setsid();
    check(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "/");
    check(mount(root, root, NULL, MS_BIND | MS_REC, NULL), root);
    check(chdir(root), root);
    raise_loopback();
    make_mounts();
    make_devices();
    hide_paths();
    join_groups();
    check(unshare(CLONE_NEWCGROUP), "unshare");
    enter_root();
    (void)execv(argv[0], argv);
    check(-1, argv[0]);
    _exit(EXIT_FAILURE);
}

static void make_mounts(void)
{
    char target[160];

    for (size_t i = 0; i < COUNT(mounts); i++) {
        (void)mkdir(mounts[i].target, 0755);
        check(mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
                    mounts[i].data),
              mounts[i].target);
    }
    for (size_t i = 0; i < group_count; i++) {
        (void)snprintf(target, sizeof(target), "sys/fs/cgroup/%.128s", groups[i].name);
        check(mkdir(target, 0755), target);
        check(mount(groups[i].path, target, NULL, MS_BIND, NULL), target);
    }
}

static void make_devices(void)
{
    for (size_t i = 0; i < COUNT(devices); i++)
        check(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)),
              devices[i].path);
    for (size_t i = 0; i < COUNT(links); i++)
        check(symlink(links[i][0], links[i][1]), links[i][1]);
}

static void hide_paths(void)
{
    struct stat st;

    for (size_t i = 0; i < COUNT(read_only); i++)
        if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) == 0)
            check(mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL),
                  read_only[i]);
    for (size_t i = 0; i < COUNT(hidden); i++) {
        if (stat(hidden[i], &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode))
            check(mount("tmpfs", hidden[i], "tmpfs", MS_RDONLY, "nr_inodes=1"), hidden[i]);
        else
            check(mount("/dev/null", hidden[i], NULL, MS_BIND, NULL), hidden[i]);
    }
}

static void enter_root(void)
{
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount2");
    check(chdir("/"), "/");
    check(sethostname("floor", 5), "sethostname");
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

static void raise_loopback(void)
{
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    check(fd, "socket");
    check(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
    (void)close(fd);
}
