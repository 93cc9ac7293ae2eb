/* SPDX-License-Identifier: Apache-2.0 */
/* Directories are listed without themselves, and links to them are not followed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/sys.h"
#include "lib/test.h"

TEST(a_directory_is_listed_without_itself_and_its_parent)
{
    char path[] = "/tmp/volumed-dir-XXXXXX";
    struct error err = { 0 };
    DIR *dir = NULL;

    CHECK(mkdtemp(path) != NULL);
    CHECK_INT(dir_open(AT_FDCWD, path, &dir), 0);
    CHECK(dir_next(dir) == NULL);
    dir_close(&dir);
    CHECK(dir == NULL);

    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    CHECK_INT(symlinkat("elsewhere", fd, "..odd"), 0);
    CHECK_INT(dir_open(fd, ".", &dir), 0);
    const struct dirent *entry = dir_next(dir);
    CHECK(entry != NULL && strcmp(entry->d_name, "..odd") == 0);
    CHECK(dir_next(dir) == NULL);
    dir_close(&dir);
    CHECK_OK(fs_remove_tree(AT_FDCWD, path, &err), &err);
}

TEST(what_is_no_directory_is_not_opened)
{
    DIR *dir = NULL;

    CHECK_INT(dir_open(AT_FDCWD, "/proc/self/exe", &dir), -ENOTDIR);
    CHECK_INT(dir_open(AT_FDCWD, "/proc/self/cwd", &dir), -ENOTDIR); /* a link to one */
    CHECK_INT(dir_open(AT_FDCWD, "/no/such", &dir), -ENOENT);
    CHECK(dir == NULL);
}
