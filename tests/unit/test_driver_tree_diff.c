/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of so many files that they are compared in batches by two threads: told whole, in order. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/sys.h"
#include "driver/tree_diff.h"
#include "lib/test.h"

#define FILES 1000

static char directory[] = "/tmp/volumed-diff-XXXXXX";
static int fds[2];

static void write_file(int dirfd, const char *name, const char *text)
{
    const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
    cleanup_fd int fd = sys_openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    CHECK(fd >= 0);
    CHECK_INT(sys_write_all(fd, text, strlen(text)), 0);
    CHECK_INT(futimens(fd, times), 0);
}

/* "from" and "to", alike: a directory "d" of FILES files, and one file behind it. */
static void make_trees(void)
{
    static const char *const names[2] = { "from", "to" };
    char name[16];

    CHECK(mkdtemp(directory) != NULL);
    cleanup_fd int root = sys_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
    for (int side = 0; side < 2; side++) {
        CHECK_INT(sys_mkdirat(root, names[side], 0755), 0);
        fds[side] = sys_openat(root, names[side], O_RDONLY | O_DIRECTORY, 0);
        CHECK_INT(sys_mkdirat(fds[side], "d", 0755), 0);
        cleanup_fd int below = sys_openat(fds[side], "d", O_RDONLY | O_DIRECTORY, 0);
        for (int i = 0; i < FILES; i++) {
            (void)snprintf(name, sizeof(name), "f%04d", i);
            write_file(below, name, "same");
        }
        write_file(fds[side], "last", "same");
    }
}

static int note(void *context, const struct tree_change *change, struct error *err)
{
    static const char kinds[] = { [TREE_ADDED] = '+', [TREE_REMOVED] = '-', [TREE_CHANGED] = '!' };

    (void)err;
    buf_printf(context, "%c%s%s%s %lld\n", kinds[change->kind], change->path,
               change->is_data ? " data" : "", change->is_metadata ? " metadata" : "",
               (long long)change->bytes);
    return 0;
}

static void compare(bool is_quick, const char *expected)
{
    struct error err = { 0 };
    cleanup_buf struct buf told = { 0 };
    const struct tree_diff_spec spec = {
        .from_fd = fds[0], .to_fd = fds[1], .is_quick = is_quick, .each = note, .context = &told
    };

    CHECK_OK(tree_diff(&spec, &err), &err);
    CHECK_STR(told.data != NULL ? told.data : "", expected);
    sys_close_fd(&fds[0]);
    sys_close_fd(&fds[1]);
    CHECK_OK(fs_remove_tree(AT_FDCWD, directory, &err), &err);
}

TEST(equal_trees_have_no_changes)
{
    make_trees();
    compare(false, "");
}

TEST(changes_in_many_files_are_told_in_the_order_of_names)
{
    make_trees();
    cleanup_fd int from = sys_openat(fds[0], "d", O_RDONLY | O_DIRECTORY, 0);
    cleanup_fd int to = sys_openat(fds[1], "d", O_RDONLY | O_DIRECTORY, 0);
    write_file(to, "f0000", "samX");
    write_file(to, "f0127", "longer");
    CHECK_INT(sys_fchmodat(to, "f0128", 0600), 0);
    CHECK_INT(sys_unlinkat(to, "f0300", 0), 0);
    CHECK_INT(sys_unlinkat(from, "f0301", 0), 0);
    CHECK_INT(sys_unlinkat(to, "f0500", 0), 0);
    CHECK_INT(sys_symlinkat("f0501", to, "f0500"), 0);
    CHECK_INT(sys_unlinkat(to, "f0700", 0), 0);
    CHECK_INT(sys_mkdirat(to, "f0700", 0755), 0);
    write_file(to, "f0700/in", "12");
    write_file(to, "f0999", "Same");
    write_file(fds[1], "last", "");
    compare(false, "!d/f0000 data 4\n"
                   "!d/f0127 data 6\n"
                   "!d/f0128 metadata 0\n"
                   "-d/f0300 4\n"
                   "+d/f0301 4\n"
                   "-d/f0500 4\n"
                   "+d/f0500 0\n"
                   "-d/f0700 4\n"
                   "+d/f0700 0\n"
                   "+d/f0700/in 2\n"
                   "!d/f0999 data 4\n"
                   "!last data 4\n");
}

TEST(extended_attributes_are_compared)
{
    make_trees();
    cleanup_fd int fd = sys_openat(fds[1], "d/f0400", O_RDONLY, 0);
    if (fsetxattr(fd, "user.key", "value", 5, 0) < 0) {
        puts("skipped: no extended attributes here");
        compare(false, "");
        return;
    }
    compare(false, "!d/f0400 metadata 0\n");
}

TEST(a_quick_look_takes_the_same_size_and_time_for_the_same)
{
    make_trees();
    write_file(fds[1], "d/f0600", "samX");
    write_file(fds[1], "d/f0601", "sameX");
    compare(true, "!d/f0601 data 1\n");
}

/* Two files of which one is a hole where the other has zeros are the same. */
TEST(large_files_are_compared_also_where_they_have_holes)
{
    char *block = calloc(1, 1 << 20);

    make_trees();
    for (int side = 0; side < 2; side++) {
        const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
        cleanup_fd int fd = sys_openat(fds[side], "large", O_RDWR | O_CREAT, 0644);
        CHECK_INT(side == 0 ? ftruncate(fd, 1 << 20) : sys_write_all(fd, block, 1 << 20), 0);
        CHECK_INT(futimens(fd, times), 0);
    }
    free(block);
    compare(false, "");
}
