/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: cleaning and resolution beneath a descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/test.h"

TEST(path_clean_is_lexical_and_never_leaves_the_root)
{
    static const struct {
        const char *path;
        const char *clean;
    } rows[] = {
        { "", "/" },          { "/", "/" },          { "a", "/a" },
        { "/a/", "/a" },      { "//a//b/", "/a/b" }, { "/a/./b/../c", "/a/c" },
        { "/../../a", "/a" }, { "..", "/" },         { "/a/..", "/" },
        { "/a..b", "/a..b" },
    };
    cleanup_arena struct arena *mem = arena_new();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        CHECK_STR(path_clean(mem, rows[i].path), rows[i].clean);
}

TEST(path_is_within_compares_whole_components)
{
    CHECK(path_is_within("/a/b", "/a"));
    CHECK(path_is_within("/a", "/a"));
    CHECK(path_is_within("/a", "/"));
    CHECK(!path_is_within("/ab", "/a"));
    CHECK_INT(path_depth("/"), 0);
    CHECK_INT(path_depth("/a/b"), 2);
}

TEST(path_open_beneath_refuses_links_and_escapes)
{
    char name[] = "/tmp/volumed-path-XXXXXX";
    struct error err = { 0 };

    CHECK(mkdtemp(name) != NULL);
    cleanup_fd int dir = sys_openat(AT_FDCWD, name, O_RDONLY | O_DIRECTORY, 0);
    CHECK_INT(sys_symlinkat("/etc", dir, "link"), 0);
    cleanup_fd int made = path_make_beneath(dir, "a/b/c", 0755);
    CHECK(made >= 0);
    cleanup_fd int again = path_open_beneath(dir, "/a/b/c", O_PATH | O_DIRECTORY);
    CHECK(again >= 0);
    CHECK_INT(path_open_beneath(dir, "link/passwd", O_RDONLY), -ELOOP);
    CHECK_INT(path_open_beneath(dir, "a/../../x", O_RDONLY), -EXDEV);
    CHECK(path_make_beneath(dir, "link/x", 0755) < 0);
    CHECK_INT(path_make_beneath(dir, "a/../x", 0755), -EINVAL);
    CHECK_OK(fs_remove_tree(AT_FDCWD, name, &err), &err);
}
