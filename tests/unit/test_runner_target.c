/* SPDX-License-Identifier: Apache-2.0 */
/* Mount points in a hostile tree: found and made inside, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "lib/test.h"
#include "runner/mount/target.h"

struct tree {
    char path[64];
    int outer_fd; /* holds "root" and "outside" */
    int root_fd;
};

static void tree_done(struct tree *tree)
{
    struct error ignored;

    sys_close_fd(&tree->root_fd);
    (void)fs_remove_tree(tree->outer_fd, "root", &ignored);
    (void)fs_remove_tree(tree->outer_fd, "outside", &ignored);
    sys_close_fd(&tree->outer_fd);
    (void)rmdir(tree->path);
}

static void tree_init(struct tree *tree)
{
    (void)snprintf(tree->path, sizeof(tree->path), "/tmp/runner-target.XXXXXX");
    CHECK(mkdtemp(tree->path) != NULL);
    tree->outer_fd = sys_openat(AT_FDCWD, tree->path, O_RDONLY | O_DIRECTORY, 0);
    CHECK_INT(sys_mkdirat(tree->outer_fd, "root", 0755), 0);
    CHECK_INT(sys_mkdirat(tree->outer_fd, "outside", 0755), 0);
    tree->root_fd = sys_openat(tree->outer_fd, "root", O_PATH | O_DIRECTORY, 0);
}

#define cleanup_tree CLEANUP(tree_done)

static bool exists(int fd, const char *path)
{
    struct stat st;

    return sys_fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool outside_is_empty(const struct tree *tree)
{
    cleanup_fd int fd = sys_openat(tree->outer_fd, "outside", O_RDONLY | O_DIRECTORY, 0);
    struct error err = { 0 };
    bool is_empty = false;

    CHECK_OK(fs_dir_is_empty(fd, &is_empty, &err), &err);
    return is_empty;
}

static int make(const struct tree *tree, const char *path, enum target_kind kind, bool is_plain)
{
    struct error err = { 0 };
    int fd = target_make(tree->root_fd, path, kind, is_plain, &err);

    if (fd >= 0)
        (void)close(fd);
    return fd < 0 ? -1 : 0;
}

TEST(missing_mount_points_are_made_as_what_they_are_to_be)
{
    cleanup_tree struct tree tree;
    struct stat st;

    tree_init(&tree);
    CHECK_INT(make(&tree, "/a/b/c", TARGET_DIRECTORY, false), 0);
    CHECK_INT(make(&tree, "/a/d/file", TARGET_FILE, false), 0);
    CHECK_INT(sys_fstatat(tree.root_fd, "a/b/c", &st, 0), 0);
    CHECK(S_ISDIR(st.st_mode));
    CHECK_INT(sys_fstatat(tree.root_fd, "a/d/file", &st, 0), 0);
    CHECK(S_ISREG(st.st_mode));
    CHECK_INT(make(&tree, "/a/d/file", TARGET_FILE, false), 0);
}

TEST(links_lead_inside_the_root_wherever_they_point)
{
    static const char *const links[] = { "/var/run", "../../../../../var/run", "var/run" };

    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        cleanup_tree struct tree tree;
        tree_init(&tree);
        CHECK_INT(sys_symlinkat(links[i], tree.root_fd, "run"), 0);
        CHECK_INT(make(&tree, "/run/x/y", TARGET_DIRECTORY, false), 0);
        CHECK(exists(tree.root_fd, "var/run/x/y"));
        CHECK(outside_is_empty(&tree));
    }
}

TEST(links_that_would_leave_the_root_do_not)
{
    cleanup_tree struct tree tree;
    char link[128];

    tree_init(&tree);
    (void)snprintf(link, sizeof(link), "../outside");
    CHECK_INT(sys_symlinkat(link, tree.root_fd, "up"), 0);
    (void)snprintf(link, sizeof(link), "%s/outside", tree.path);
    CHECK_INT(sys_symlinkat(link, tree.root_fd, "absolute"), 0);
    (void)make(&tree, "/up/x", TARGET_DIRECTORY, false);
    (void)make(&tree, "/absolute/x", TARGET_FILE, false);
    CHECK(outside_is_empty(&tree));
}

TEST(a_plain_place_is_reached_by_no_link)
{
    cleanup_tree struct tree tree;

    tree_init(&tree);
    CHECK_INT(sys_mkdirat(tree.root_fd, "real", 0755), 0);
    CHECK_INT(sys_symlinkat("real", tree.root_fd, "proc"), 0);
    CHECK_INT(make(&tree, "/proc", TARGET_DIRECTORY, true), -1);
    CHECK_INT(make(&tree, "/proc/x", TARGET_DIRECTORY, true), -1);
    CHECK(!exists(tree.root_fd, "real/x"));
    CHECK_INT(sys_symlinkat("nowhere", tree.root_fd, "sys"), 0);
    CHECK_INT(make(&tree, "/sys", TARGET_DIRECTORY, true), -1);
    CHECK(!exists(tree.root_fd, "nowhere"));
}

TEST(links_in_a_circle_end)
{
    cleanup_tree struct tree tree;

    tree_init(&tree);
    CHECK_INT(sys_symlinkat("b/x", tree.root_fd, "a"), 0);
    CHECK_INT(sys_symlinkat("a/x", tree.root_fd, "b"), 0);
    CHECK_INT(make(&tree, "/a/y", TARGET_DIRECTORY, false), -1);
}

TEST(dots_in_a_path_do_not_climb)
{
    cleanup_tree struct tree tree;

    tree_init(&tree);
    (void)make(&tree, "/x/../../../outside/y", TARGET_DIRECTORY, false);
    CHECK(outside_is_empty(&tree));
}

TEST(a_file_in_the_way_of_a_directory_is_an_error)
{
    cleanup_tree struct tree tree;

    tree_init(&tree);
    CHECK_INT(make(&tree, "/file", TARGET_FILE, false), 0);
    CHECK_INT(make(&tree, "/file/x", TARGET_DIRECTORY, false), -1);
}

TEST(a_parent_is_opened_and_the_last_name_told)
{
    cleanup_tree struct tree tree;
    const char *name = NULL;
    struct error err = { 0 };

    tree_init(&tree);
    cleanup_fd int fd = target_make_parent(tree.root_fd, "/dev/net/tun", &name, &err);
    CHECK_OK(fd, &err);
    CHECK_STR(name, "tun");
    CHECK(exists(tree.root_fd, "dev/net") && !exists(tree.root_fd, "dev/net/tun"));
    CHECK_INT(target_make_parent(tree.root_fd, "/dev/", &name, &err), -1);
}
