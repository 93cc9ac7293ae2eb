/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups of a container's own files. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "core/container/container_user.h"
#include "lib/test.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "broken line\n"
                             "tricky:x:1x:0::/:/bin/sh\n"
                             "postgres:x:70:71:PG:/var/lib/pg:/bin/sh\n"
                             "1000:x:5:5::/five:/bin/sh\n";
static const char group[] =
    "root:x:0:\nwheel:x:10:root,other\npostgres:x:71:\nssl:x:99:a,postgres\n";

/* A root with both files; removed by the test's end of process is not enough, so by hand. */
static int make_root(char path[64])
{
    struct error err;

    (void)strcpy(path, "/tmp/volumed-test.XXXXXX");
    CHECK(mkdtemp(path) != NULL);
    int root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_fd int etc_fd = fs_make_dir(root_fd, "etc", 0755, &err);
    CHECK_OK(fs_write_volatile(etc_fd, "passwd", passwd, strlen(passwd), 0644, &err), &err);
    CHECK_OK(fs_write_volatile(etc_fd, "group", group, strlen(group), 0644, &err), &err);
    return root_fd;
}

static void remove_root(const char *path)
{
    struct error err;

    CHECK_OK(fs_remove_tree(AT_FDCWD, path, &err), &err);
}

TEST(root_has_its_groups)
{
    cleanup_arena struct arena *mem = arena_new();
    struct user_ids ids;
    struct error err;
    char path[64];
    cleanup_fd int root_fd = make_root(path);

    CHECK_OK(user_lookup(mem, root_fd, "", NULL, &ids, &err), &err);
    CHECK_INT((int)ids.uid, 0);
    CHECK_INT((int)ids.group_count, 2);
    CHECK_INT((int)ids.groups[1], 10);
    CHECK_STR(ids.home, "/root");
    remove_root(path);
}

TEST(names_and_numbers_are_found_and_a_group_given_stands_alone)
{
    static const char *const more[] = { "wheel", "500", NULL };
    cleanup_arena struct arena *mem = arena_new();
    struct user_ids ids;
    struct error err;
    char path[64];
    cleanup_fd int root_fd = make_root(path);

    CHECK_OK(user_lookup(mem, root_fd, "postgres", NULL, &ids, &err), &err);
    CHECK_INT((int)ids.uid, 70);
    CHECK_INT((int)ids.gid, 71);
    CHECK_INT((int)ids.group_count, 2);
    CHECK_INT((int)ids.groups[1], 99);
    CHECK_STR(ids.home, "/var/lib/pg");
    CHECK_OK(user_lookup(mem, root_fd, "70:ssl", more, &ids, &err), &err);
    CHECK_INT((int)ids.gid, 99);
    CHECK_INT((int)ids.group_count, 3);
    CHECK_INT((int)ids.groups[2], 500);
    CHECK_OK(user_lookup(mem, root_fd, "4711", NULL, &ids, &err), &err);
    CHECK_INT((int)ids.uid, 4711);
    CHECK_INT((int)ids.gid, 0);
    CHECK_STR(ids.home, "/");
    remove_root(path);
}

TEST(half_numbers_are_not_numbers)
{
    static const char *const bad[] = { "1x", "0x1",        "-1",     "+0",
                                       " 0", "4294967295", "nobody", "tricky" };
    cleanup_arena struct arena *mem = arena_new();
    struct user_ids ids;
    struct error err;
    char path[64];
    cleanup_fd int root_fd = make_root(path);

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_FAILS(user_lookup(mem, root_fd, bad[i], NULL, &ids, &err), &err, ERR_INVALID);
    CHECK_FAILS(user_lookup(mem, root_fd, "0:none", NULL, &ids, &err), &err, ERR_INVALID);
    CHECK_STR(err.message, "unable to find group none: no matching entries in group file");
    remove_root(path);
}

TEST(a_link_out_of_the_root_stays_inside)
{
    cleanup_arena struct arena *mem = arena_new();
    struct user_ids ids;
    struct error err;
    char path[64];
    cleanup_fd int root_fd = make_root(path);

    CHECK_INT(unlinkat(root_fd, "etc/passwd", 0), 0);
    CHECK_INT(symlinkat("../../../../etc/passwd", root_fd, "etc/passwd"), 0);
    CHECK_OK(user_lookup(mem, root_fd, "0", NULL, &ids, &err), &err); /* as without the file */
    CHECK_STR(ids.home, "/");
    CHECK_INT(unlinkat(root_fd, "etc/passwd", 0), 0);
    CHECK_INT(mkfifoat(root_fd, "etc/passwd", 0600), 0);
    CHECK_FAILS(user_lookup(mem, root_fd, "0", NULL, &ids, &err), &err, ERR_INVALID);
    remove_root(path);
}
