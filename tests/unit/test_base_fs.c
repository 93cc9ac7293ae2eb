/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files and whole trees. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "lib/test.h"

static struct error err;

TEST(a_written_file_reads_back_and_replaces_the_former)
{
    char dir[] = "/tmp/volumed-fs-XXXXXX";
    cleanup_arena struct arena *mem = arena_new();
    char *data = NULL;
    size_t size = 0;

    CHECK(mkdtemp(dir) != NULL);
    cleanup_fd int fd = sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
    CHECK_OK(fs_write_file(fd, "f", "one", 3, 0600, &err), &err);
    CHECK_OK(fs_write_file(fd, "f", "twice", 5, 0600, &err), &err);
    CHECK_OK(fs_read_file(mem, fd, "f", 100, &data, &size, &err), &err);
    CHECK_STR(data, "twice");
    CHECK_FAILS(fs_read_file(mem, fd, "f", 4, &data, &size, &err), &err, ERR_INVALID);
    CHECK_FAILS(fs_read_file(mem, fd, "g", 4, &data, &size, &err), &err, ERR_NOT_FOUND);
    CHECK_OK(fs_remove_tree(AT_FDCWD, dir, &err), &err);
    CHECK_OK(fs_remove_tree(AT_FDCWD, dir, &err), &err); /* idempotent */
}

TEST(removing_a_tree_follows_no_link_and_crosses_mounts_only_on_the_way_there)
{
    char dir[] = "/tmp/volumed-fs-XXXXXX";
    char path[64];
    char kept[64];

    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
        return; /* needs root: a mount namespace of its own */
    CHECK_INT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    CHECK(mkdtemp(dir) != NULL);
    CHECK_INT(mount("tmpfs", dir, "tmpfs", 0, NULL), 0);
    (void)snprintf(path, sizeof(path), "%s/tree", dir);
    (void)snprintf(kept, sizeof(kept), "%s/kept", dir);
    cleanup_fd int tree = fs_make_path(path, 0755, &err);
    cleanup_fd int sub = fs_make_dir(tree, "sub", 0755, &err);
    cleanup_fd int other = fs_make_path(kept, 0755, &err);
    CHECK_OK(fs_write_volatile(other, "f", "x", 1, 0600, &err), &err);
    CHECK_INT(sys_symlinkat(kept, sub, "link"), 0);
    CHECK_INT(mount("tmpfs", kept, "tmpfs", 0, NULL), 0);
    CHECK_FAILS(fs_remove_tree(AT_FDCWD, kept, &err), &err, ERR_BUSY);
    CHECK_INT(umount(kept), 0);
    CHECK_OK(fs_remove_tree(AT_FDCWD, path, &err), &err); /* dir itself is a mount: crossed */
    CHECK_INT(access(path, F_OK), -1);
    CHECK_INT(faccessat(other, "f", F_OK, 0), 0);
    CHECK_INT(umount2(dir, MNT_DETACH), 0);
    CHECK_INT(rmdir(dir), 0);
}
