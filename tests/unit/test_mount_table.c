/* SPDX-License-Identifier: Apache-2.0 */
/* mountinfo, as text and as the kernel of this machine has it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "lib/world.h"
#include "mount/anywhere.h"
#include "mount/table.h"

#define TREE "11111111-2222-3333-4444-555555555555"

TEST(mount_line_parse_reads_what_proc_5_describes)
{
    cleanup_arena struct arena *mem = arena_new();
    struct mount_line line;

    CHECK_INT(mount_line_parse(mem,
                               "36 35 98:7 /mnt1\\040a /mnt2\\012b rw,noatime master:1 shared:2 -"
                               " ext3 /dev/root ro,errors=continue",
                               &line),
              0);
    CHECK_STR(line.root, "/mnt1 a");
    CHECK_STR(line.target, "/mnt2\nb");
    CHECK_STR(line.type, "ext3");
    CHECK_INT((int)line.device_major, 98);
    CHECK_INT((int)line.device_minor, 7);
    CHECK(line.is_read_only);
    CHECK_INT(mount_line_parse(mem, "1 2 0:3 / / rw,relatime - tmpfs none rw", &line), 0);
    CHECK(!line.is_read_only);
}

TEST(mount_line_parse_refuses_what_the_kernel_never_writes)
{
    static const char *const bad[] = {
        "",
        "1",
        "1 2 x:y / / rw - t s rw",
        "1 2 1:2z / / rw - t s rw",
        "1 2 1:2 / / rw t s rw",
        "1 2 1:2 / / rw -",
        "1 2 1:2 / / rw - t",
        "1 2 1:2  / rw - t s rw",
    };
    cleanup_arena struct arena *mem = arena_new();
    struct mount_line line;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_INT(mount_line_parse(mem, bad[i], &line), -EINVAL);
}

TEST(mount_table_find_matches_the_tree_and_what_is_below_it_alone)
{
    static const struct {
        const char *root;
        size_t count;
    } cases[] = {
        { "/p/volumes/" TREE, 1 },        { "/volumes/" TREE, 1 },
        { "/p/volumes/" TREE "/sub", 1 }, { "/p/volumes/" TREE "//deleted", 1 },
        { "/p/snapshots/" TREE, 0 },      { "/p/volumes/" TREE "x", 0 },
        { "/p/xvolumes/" TREE, 0 },       { "/p/volumes/a/" TREE, 0 },
        { "/" TREE "/volumes/" TREE, 1 }, { "/" TREE, 0 },
        { "/p/volumes/other", 0 },
    };
    cleanup_arena struct arena *mem = arena_new();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mount_namespace namespace = {
            7, 8,
            arena_printf(mem, "1 2 0:3 / / rw - tmpfs none rw\n4 5 6:7 %s /t ro - x y rw\n",
                         cases[i].root)
        };
        const struct mount_table table = { &namespace, 1 };
        struct mount_user *users = NULL;
        size_t count = mount_table_find(mem, &table, "volumes", TREE, &users);
        ck_assert_msg(count == cases[i].count, "%s: %zu", cases[i].root, count);
        if (count > 0)
            CHECK(users[0].pid == 8 && users[0].is_read_only && users[0].inode == 7);
    }
}

/* A child in a mount namespace of its own, with the tree mounted; it waits to be killed. */
static pid_t child_with_mount(void)
{
    int ready[2];
    char byte = 0;

    CHECK_INT(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
            mount(WORLD_DIR "/volumes/" TREE, WORLD "/m", NULL, MS_BIND, NULL) == 0)
            (void)!write(ready[1], "x", 1);
        (void)pause();
        _exit(0);
    }
    CHECK_INT((int)read(ready[0], &byte, 1), 1);
    return pid;
}

TEST(mounts_of_other_namespaces_are_seen_among_hundreds_of_processes)
{
    cleanup_arena struct arena *mem = arena_new();
    struct error err = { 0 };
    struct mount_table table = { 0 };
    struct mount_user *users = NULL;
    pid_t idle[300];

    if (!world_enter("btrfs"))
        return;
    WORLD_RUN("mkdir -p " WORLD "/m " WORLD_DIR "/volumes && btrfs -q subvolume create " WORLD_DIR
              "/volumes/" TREE);
    for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
        if ((idle[i] = fork()) == 0) {
            (void)pause();
            _exit(0);
        }
    pid_t pid = child_with_mount();
    int64_t started_ns = clock_mono_ns();
    CHECK_OK(mount_table_read(mem, &table, &err), &err);
    size_t count = mount_table_find(mem, &table, "volumes", TREE, &users);
    int64_t took_ns = clock_mono_ns() - started_ns;
    for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
        (void)kill(idle[i], SIGKILL);
    (void)kill(pid, SIGKILL);
    CHECK_INT((int)count, 1);
    CHECK_INT((int)users[0].pid, (int)pid);
    CHECK_STR(users[0].target, WORLD "/m");
    ck_assert_msg(took_ns < 200 * 1000000LL, "took %lld us", (long long)took_ns / 1000);
}

/* Twenty namespaces, of which one has it; and one that only a descriptor keeps alive. */
TEST(the_kernel_tells_whether_anybody_has_a_tree_mounted)
{
    static const char *const names[] = { TREE };
    static const char *const others[] = { "01234567-89ab-cdef-0123-456789abcdef" };
    pid_t idle[20];
    char path[64];

    if (!world_enter("btrfs"))
        return;
    WORLD_RUN("mkdir -p " WORLD "/m " WORLD_DIR "/volumes && btrfs -q subvolume create " WORLD_DIR
              "/volumes/" TREE);
    int found = mount_is_anywhere("volumes", names, 1);
    if (found == -EOPNOTSUPP)
        return; /* before Linux 6.12 */
    CHECK_INT(found, 0);
    for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
        if ((idle[i] = fork()) == 0) {
            (void)unshare(CLONE_NEWNS);
            (void)pause();
            _exit(0);
        }
    pid_t pid = child_with_mount();
    CHECK_INT(mount_is_anywhere("volumes", names, 1), 1);
    CHECK_INT(mount_is_anywhere("snapshots", names, 1), 0);
    CHECK_INT(mount_is_anywhere("volumes", others, 1), 0);
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    (void)kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK_INT(mount_is_anywhere("volumes", names, 1), 1);
    (void)close(fd);
    for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
        (void)kill(idle[i], SIGKILL);
    for (int i = 0; i < 50 && (found = mount_is_anywhere("volumes", names, 1)) == 1; i++)
        (void)usleep(20000); /* the kernel ends a namespace in its own time */
    CHECK_INT(found, 0);
}
