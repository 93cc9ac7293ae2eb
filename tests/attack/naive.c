/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container runtime that does one thing wrong at a time, as real ones did: the control of
 * attacks.bats.  The attack that fails against runner must succeed against this, or the test would
 * not notice.  Each flaw is a step before or after the root is entered; the rest is the least that
 * makes a container.  Nothing here is an example of anything.
 *
 *   naive run FLAW ROOT ARGUMENT PROGRAM…     in new mount, PID, host name and network namespaces
 *   naive enter PID DIRECTORY PROGRAM…        joins, as exec does, with DIRECTORY open
 *   naive map COUNT                           what a map of COUNT entries becomes in a message
 *   naive user TEXT                           the number that a user's name is taken for
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct flaw {
    const char *name;
    void (*outside)(const char *root, const char *argument); /* the host is in reach by paths */
    void (*inside)(const char *argument);
};

static void die(const char *what) __attribute__((noreturn));
static void linger(void);
static char *path_of(const char *root, const char *name);
static void make_directories(const char *path);
static void write_text(const char *path, const char *text);

static void die(const char *what)
{
    (void)fprintf(stderr, "naive: %s: %s\n", what, strerror(errno));
    exit(125);
}

/* CVE-2024-21626: a directory of the host stays open, and the working directory is not looked at.
 */
static void leak_directory(const char *root, const char *argument)
{
    (void)root;
    int fd = open(argument, O_RDONLY | O_DIRECTORY);
    if (fd < 0 || dup2(fd, 7) < 0)
        die(argument);
}

static void enter_leaked(const char *argument)
{
    (void)argument;
    if (chdir("/proc/self/fd/7") < 0)
        die("chdir");
}

/* CVE-2021-30465, CVE-2024-45310: looks first whether the path is inside, then uses the path. */
static void mount_by_path(const char *root, const char *argument)
{
    char real[PATH_MAX];
    char *path = path_of(root, argument);
    char *first = path_of(root, "v/d");

    if (realpath(first, real) == NULL || strncmp(real, root, strlen(root)) != 0)
        exit(1);
    (void)usleep(300);
    make_directories(path);
    (void)mount("none", path, "tmpfs", 0, NULL);
}

/* CVE-2024-23651: a directory of a cache is looked at, then bound by its path. */
static void bind_cache(const char *root, const char *argument)
{
    char real[PATH_MAX];
    char *path = path_of(argument, "d");

    if (realpath(path, real) == NULL || strcmp(real, path) != 0)
        exit(1);
    (void)usleep(300);
    if (mount(path, path_of(root, "tmp"), NULL, MS_BIND, NULL) < 0)
        die("cache");
}

/* CVE-2023-27561: a procfs is mounted where the image's /proc leads, and so is all that follows. */
static void mount_on_link(const char *root, const char *argument)
{
    (void)argument;
    (void)mkdir(path_of(root, "proc/made"), 0755);
    if (mount("proc", path_of(root, "proc"), "proc", 0, NULL) < 0)
        die("proc");
}

/* CVE-2026-41579, CVE-2026-88264, CVE-2025-52565: files in the image's /dev are made by path. */
static void make_devices(const char *root, const char *argument)
{
    (void)argument;
    int fd = open(path_of(root, "dev/console"), O_WRONLY | O_CREAT, 0600);
    if (fd < 0)
        die("console");
    (void)close(fd);
    (void)symlink("/proc/kcore", path_of(root, "dev/core"));
}

/* CVE-2026-88265: the image's /dev/null is opened by path, and given to the container's user. */
static void give_null(const char *root, const char *argument)
{
    int fd = open(path_of(root, "dev/null"), O_RDWR);

    (void)argument;
    if (fd < 0 || fchown(fd, 1000, 1000) < 0)
        die("null");
}

/* CVE-2025-31133: a path is masked with whatever the image calls /dev/null, as seen from inside. */
static void mask_by_image(const char *root, const char *argument)
{
    char link[PATH_MAX];
    const char *sys = path_of(root, "proc/sys");
    ssize_t length = readlink(path_of(root, "dev/null"), link, sizeof(link) - 1);

    if (length < 0)
        die("null");
    link[length] = '\0';
    if (mount("proc", path_of(root, "proc"), "proc", 0, NULL) < 0 ||
        mount(path_of(root, link), path_of(root, argument), NULL, MS_BIND, NULL) < 0 ||
        mount(sys, sys, NULL, MS_BIND, NULL) < 0 ||
        mount(NULL, sys, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
        die("mask");
}

static int is_device(const char *path, unsigned int device_major)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) == device_major;
}

/* CVE-2025-31133, as a race: the null device is one when it is looked at, and is then bound by
 * path. */
static void mask_after_look(const char *root, const char *argument)
{
    char *null = path_of(root, "dev/null");

    if (mount("proc", path_of(root, "proc"), "proc", 0, NULL) < 0)
        die("proc");
    if (!is_device(null, 1))
        exit(1);
    (void)usleep(300);
    if (mount(null, path_of(root, argument), NULL, MS_BIND, NULL) < 0)
        die("mask");
}

/* CVE-2025-52565: the terminal is one when it is looked at, and is then bound by path. */
static void bind_console(const char *root, const char *argument)
{
    char *terminal = path_of(root, "dev/pts/0");

    (void)argument;
    if (mount("proc", path_of(root, "proc"), "proc", 0, NULL) < 0)
        die("proc");
    if (!is_device(terminal, 136))
        exit(1);
    (void)usleep(300);
    if (mount(terminal, path_of(root, "dev/console"), NULL, MS_BIND, NULL) < 0)
        die("console");
}

/* CVE-2025-52881, as a race: /proc is a directory when it is looked at, and its files are then used
 * by path. */
static void write_after_look(const char *root, const char *argument)
{
    struct stat st;
    char *proc = path_of(root, "proc");

    (void)argument;
    if (lstat(proc, &st) < 0 || !S_ISDIR(st.st_mode))
        exit(1);
    (void)usleep(300);
    (void)mount("proc", proc, "proc", 0, NULL);
    (void)usleep(300);
    write_text(path_of(root, "proc/sys/net/ipv4/ip_forward"), "1");
}

/* CVE-2025-24965: a file for the container is written into its root by path. */
static void write_configuration(const char *root, const char *argument)
{
    (void)argument;
    int fd = open(path_of(root, ".krun_config.json"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, "{}", 2) < 0)
        die("configuration");
    (void)close(fd);
}

/* CVE-2019-16884, CVE-2025-52881: what is at /proc is written to, whatever it is. */
static void write_label(const char *argument)
{
    (void)argument;
    write_text("/proc/self/attr/exec", "label");
    write_text("/proc/sys/net/ipv4/ip_forward", "1");
}

/* CVE-2023-25809: the host's groups are there to be written to. */
static void mount_groups(const char *root, const char *argument)
{
    (void)argument;
    if (mount("/sys/fs/cgroup", path_of(root, "sys"), NULL, MS_BIND | MS_REC, NULL) < 0)
        die("cgroup");
}

/* CVE-2022-29162: capabilities that may be had through a file are left in the inheritable set. */
static void inherit(const char *argument)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];

    (void)argument;
    if (syscall(SYS_capget, &header, data) < 0)
        die("capget");
    data[0].inheritable = data[0].permitted;
    data[1].inheritable = data[1].permitted;
    if (syscall(SYS_capset, &header, data) < 0 || setgroups(0, NULL) < 0 ||
        setresgid(1000, 1000, 1000) < 0 || setresuid(1000, 1000, 1000) < 0)
        die("capset");
}

/* CVE-2020-15257: an abstract socket is in reach of who shares the network. */
static void listen_abstract(const char *root, const char *argument)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0naive" };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)root;
    (void)argument;
    if (fd < 0 ||
        bind(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 6) < 0 ||
        listen(fd, 1) < 0)
        die("socket");
}

static const struct flaw flaws[] = {
    { "leak", leak_directory, enter_leaked },
    { "path", mount_by_path, NULL },
    { "cache", bind_cache, NULL },
    { "link", mount_on_link, NULL },
    { "devices", make_devices, NULL },
    { "null", give_null, NULL },
    { "mask", mask_by_image, NULL },
    { "mask-race", mask_after_look, NULL },
    { "console", bind_console, NULL },
    { "write-race", write_after_look, NULL },
    { "configuration", write_configuration, NULL },
    { "label", NULL, write_label },
    { "groups", mount_groups, NULL },
    { "inherit", NULL, inherit },
    { "socket", listen_abstract, NULL },
    { "none", NULL,
      NULL }, /* no session of its own, and dumpable: each program that asks finds out */
};

/* As long as real work takes; NAIVE_MS where the attacker is slow. */
static void linger(void)
{
    const char *text = getenv("NAIVE_MS");

    (void)usleep(1000 * (useconds_t)(text != NULL ? strtoul(text, NULL, 10) : 200));
}

static const struct flaw *find_flaw(const char *name)
{
    for (size_t i = 0; i < sizeof(flaws) / sizeof(*flaws); i++)
        if (strcmp(flaws[i].name, name) == 0)
            return &flaws[i];
    errno = EINVAL;
    die(name);
}

static char *path_of(const char *root, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", root, name) < 0)
        die("memory");
    return path;
}

static void make_directories(const char *path)
{
    char *copy = strdup(path);

    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(copy, 0755);
        *slash = '/';
    }
    (void)mkdir(copy, 0755);
    free(copy);
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0)
        return;
    if (write(fd, text, strlen(text)) < 0)
        (void)fprintf(stderr, "naive: %s: %s\n", path, strerror(errno));
    (void)close(fd);
}

static int status_of(pid_t pid)
{
    int status = 0;

    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        die("process");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(const char *name, const char *root, const char *argument, char **program)
{
    const struct flaw *flaw = find_flaw(name);
    int network = strcmp(name, "socket") == 0 ? 0 : CLONE_NEWNET;

    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | network) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        die("unshare");
    pid_t pid = fork();
    if (pid != 0)
        return status_of(pid);
    if (flaw->outside != NULL)
        flaw->outside(root, argument);
    /* Most need a procfs, but not those that are about one. */
    struct stat st;
    if (stat(path_of(root, "proc/self"), &st) < 0 &&
        mount("proc", path_of(root, "proc"), "proc", 0, NULL) < 0)
        (void)fprintf(stderr, "naive: no procfs\n");
    if (chdir(root) < 0 || chroot(".") < 0)
        die("root");
    if (flaw->inside != NULL)
        flaw->inside(argument);
    (void)execvp(program[0], program);
    die(program[0]);
}

/* CVE-2016-9962 and CVE-2019-5736: who joins can be looked into, and is the host's own file. */
static int enter(const char *pid_text, const char *directory, char **program)
{
    static const char *const kinds[] = { "pid", "mnt" };
    int fds[2];

    if (open(directory, O_RDONLY | O_DIRECTORY) < 0)
        die(directory);
    for (int i = 0; i < 2; i++)
        fds[i] = open(path_of(path_of("/proc", pid_text), path_of("ns", kinds[i])),
                      O_RDONLY | O_CLOEXEC);
    int root = open(path_of(path_of("/proc", pid_text), "root"), O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 2; i++)
        if (setns(fds[i], 0) < 0)
            die("setns");
    pid_t pid = fork();
    if (pid != 0)
        return status_of(pid);
    if (fchdir(root) < 0 || chroot(".") < 0)
        die("chroot");
    linger();
    (void)execvp(program[0], program);
    die(program[0]);
}

/* CVE-2021-43784: the length of a map is cut to sixteen bits, and the rest read as what follows. */
static int map(size_t count)
{
    static const char wanted[] = "1 100000 1\n";
    static const char hidden[] = "0 0 4294967295\n";
    size_t size = 0;
    char *message = calloc(count, sizeof(wanted));

    while (size + sizeof(wanted) + sizeof(hidden) < count * (sizeof(wanted) - 1)) {
        memcpy(message + size, wanted, sizeof(wanted) - 1);
        size += sizeof(wanted) - 1;
    }
    uint16_t length = (uint16_t)size;
    memcpy(message + length, hidden, sizeof(hidden)); /* what the attacker placed there */
    (void)printf("%s", size > UINT16_MAX ? message + length : wanted);
    return 0;
}

int main(int argc, char **argv)
{
    /* "#!/proc/self/exe" has brought us into the container: a runtime would be about its business.
     */
    if (strstr(argv[0], "self/exe") != NULL) {
        linger();
        return 0;
    }
    if (argc >= 6 && strcmp(argv[1], "run") == 0)
        return run(argv[2], argv[3], argv[4], argv + 5);
    if (argc >= 5 && strcmp(argv[1], "enter") == 0)
        return enter(argv[2], argv[3], argv + 4);
    if (argc == 3 && strcmp(argv[1], "map") == 0)
        return map(strtoul(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "user") == 0) /* CVE-2026-30892 */
        return printf("%ld\n", strtol(argv[2], NULL, 10)) < 0;
    (void)fprintf(stderr, "usage: naive run|enter|map|user …\n");
    return 2;
}
