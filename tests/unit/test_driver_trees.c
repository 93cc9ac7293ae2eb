/* SPDX-License-Identifier: Apache-2.0 */
/* Every driver on its filesystem: trees made, cloned exactly, removed whatever is in them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/sys.h"
#include "driver/driver.h"
#include "lib/world.h"

static const struct {
    const char *filesystem;
    const char *driver;
} matrix[] = {
    { "btrfs", "btrfs" },
    { "xfs", "reflink" },
    { "ext4", "directory" },
    { "tmpfs", "directory" },
};

static bool open_pool(struct driver_pool *pool, size_t row)
{
    struct error err = { 0 };

    if (!world_enter(matrix[row].filesystem))
        return false;
    *pool = (struct driver_pool){ .id = "id", .name = "test", .path = WORLD_DIR };
    pool->fd = fs_make_path(WORLD_DIR, 0700, &err);
    pool->volumes_fd = fs_make_dir(pool->fd, "volumes", 0700, &err);
    pool->snapshots_fd = fs_make_dir(pool->fd, "snapshots", 0700, &err);
    pool->tmp_fd = fs_make_dir(pool->fd, "tmp", 0700, &err);
    CHECK(pool->tmp_fd >= 0);
    pool->driver = driver_probe(pool->fd);
    CHECK(pool->driver != NULL);
    CHECK_STR(pool->driver->name, matrix[row].driver);
    return true;
}

static int clone_tree(const struct driver_pool *pool, const char *from, const char *name,
                      int64_t deadline_ms, struct error *err)
{
    cleanup_fd int source = sys_openat(pool->volumes_fd, from, O_RDONLY | O_DIRECTORY, 0);

    CHECK(source >= 0);
    return pool->driver->clone(pool,
                               &(struct driver_copy){ .source_fd = source,
                                                      .dirfd = pool->snapshots_fd,
                                                      .name = name,
                                                      .is_read_only = true,
                                                      .deadline_ms = deadline_ms },
                               err);
}

/* Something of everything that can be in a tree. */
static void fill(const char *filesystem)
{
    const char *has_caps = strcmp(filesystem, "tmpfs") == 0 ? "" : "user.note";

    WORLD_RUN(
        "cd " WORLD_DIR "/volumes/one && umask 0 && mkdir -m 2750 d && chown 5:6 d &&"
        " printf hello > d/f && chmod 4711 d/f && ln d/f d/g && ln d/f h &&"
        " ln -s /etc/passwd 'link\n with newline' && mknod fifo p && mknod dev c 1 3 &&"
        " truncate -s 50M sparse && printf x | dd of=sparse bs=1 seek=20000000 conv=notrunc"
        " status=none && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s\")'"
        " && setfattr -n trusted.note -v secret d/f && setcap cap_net_raw+ep h &&"
        " touch -d '2001-02-03 04:05:06.789' d/f d && touch -h -d '1999-01-01' link* &&"
        " setfacl -m u:7:rw d/f && setfacl -d -m u:8:rx d");
    if (*has_caps != '\0')
        WORLD_RUN("setfattr -n %s -v 1 " WORLD_DIR "/volumes/one/d", has_caps);
}

/* All that can be seen of a tree, in an order that does not depend on the filesystem. */
#define LISTING                                                                              \
    "find . -printf '%%P %%y %%m %%U %%G %%T@ %%l %%n\\n' | grep -av '^ ' | sort > $list &&" \
    " find . -type f | sort | xargs -d '\\n' sha256sum >> $list &&"                          \
    " find . | sort | xargs -d '\\n' getfattr -h -d -m - 2> /dev/null >> $list;"             \
    " find . -type f -o -type d | sort | xargs -d '\\n' getfacl -n 2> /dev/null >> $list;"   \
    " stat -c '%%t,%%T' dev >> $list"

TEST(clone_is_exact_on_every_filesystem)
{
    for (size_t row = 0; row < ARRAY_SIZE(matrix); row++) {
        struct driver_pool pool;
        struct error err = { 0 };
        struct stat sparse;
        if (!open_pool(&pool, row))
            continue;
        CHECK_OK(pool.driver->create(&pool, pool.volumes_fd, "one", &err), &err);
        fill(matrix[row].filesystem);
        CHECK_OK(clone_tree(&pool, "one", "two", 0, &err), &err);
        WORLD_RUN("list=" WORLD "/a.list; cd " WORLD_DIR "/volumes/one && " LISTING);
        WORLD_RUN("list=" WORLD "/b.list; cd " WORLD_DIR "/snapshots/two && " LISTING);
        WORLD_RUN("diff " WORLD "/a.list " WORLD "/b.list");
        WORLD_RUN("grep -q trusted.note " WORLD "/b.list && grep -q user:8 " WORLD "/b.list");
        WORLD_RUN("test -z \"$(ls " WORLD_DIR "/tmp)\"");
        CHECK_INT(sys_fstatat(pool.snapshots_fd, "two/sparse", &sparse, 0), 0);
        CHECK(sparse.st_blocks < 1000);
    }
}

TEST(clone_is_independent_of_its_source)
{
    for (size_t row = 0; row < ARRAY_SIZE(matrix); row++) {
        struct driver_pool pool;
        struct error err = { 0 };
        if (!open_pool(&pool, row))
            continue;
        CHECK_OK(pool.driver->create(&pool, pool.volumes_fd, "one", &err), &err);
        WORLD_RUN("echo before > " WORLD_DIR "/volumes/one/f");
        CHECK_OK(clone_tree(&pool, "one", "two", 0, &err), &err);
        WORLD_RUN("echo after > " WORLD_DIR "/volumes/one/f");
        WORLD_RUN("grep -q before " WORLD_DIR "/snapshots/two/f");
        CHECK_OK(pool.driver->remove(&pool, pool.volumes_fd, "one", &err), &err);
        WORLD_RUN("grep -q before " WORLD_DIR "/snapshots/two/f");
    }
}

TEST(remove_takes_deep_and_odd_trees_and_may_be_repeated)
{
    for (size_t row = 0; row < ARRAY_SIZE(matrix); row++) {
        struct driver_pool pool;
        struct error err = { 0 };
        if (!open_pool(&pool, row))
            continue;
        CHECK_OK(pool.driver->create(&pool, pool.volumes_fd, "one", &err), &err);
        WORLD_RUN("cd " WORLD_DIR "/volumes/one && python3 -c '\n"
                  "import os\n"
                  "for i in range(3000): os.mkdir(\"d\"); os.chdir(\"d\")'");
        WORLD_RUN("cd " WORLD_DIR "/volumes/one && mkdir locked && touch locked/f &&"
                  " chmod 0 locked && ln -s ../../.. up");
        CHECK_OK(clone_tree(&pool, "one", "two", 0, &err), &err);
        CHECK_OK(pool.driver->remove(&pool, pool.volumes_fd, "one", &err), &err);
        CHECK_OK(pool.driver->remove(&pool, pool.volumes_fd, "one", &err), &err);
        CHECK_OK(pool.driver->remove(&pool, pool.snapshots_fd, "two", &err), &err);
        WORLD_RUN("test -z \"$(ls " WORLD_DIR "/volumes " WORLD_DIR "/snapshots | grep -v :)\"");
    }
}

TEST(clone_gives_up_at_its_deadline)
{
    for (size_t row = 1; row < ARRAY_SIZE(matrix); row++) {
        struct driver_pool pool;
        struct error err = { 0 };
        if (!open_pool(&pool, row))
            continue;
        CHECK_OK(pool.driver->create(&pool, pool.volumes_fd, "one", &err), &err);
        WORLD_RUN("touch " WORLD_DIR "/volumes/one/f");
        CHECK_FAILS(clone_tree(&pool, "one", "two", clock_mono_ms() - 1, &err), &err, ERR_TIMEOUT);
        CHECK_INT(sys_openat(pool.snapshots_fd, "two", O_PATH, 0), -ENOENT);
    }
}

TEST(nothing_is_removed_from_what_is_mounted_inside)
{
    for (size_t row = 0; row < ARRAY_SIZE(matrix); row++) {
        struct driver_pool pool;
        struct error err = { 0 };
        if (!open_pool(&pool, row))
            continue;
        CHECK_OK(pool.driver->create(&pool, pool.volumes_fd, "one", &err), &err);
        WORLD_RUN("mkdir -p " WORLD_DIR "/volumes/one/m " WORLD "/other &&"
                  " touch " WORLD "/other/precious &&"
                  " mount --bind " WORLD "/other " WORLD_DIR "/volumes/one/m");
        if (strcmp(matrix[row].driver, "btrfs") != 0)
            CHECK_FAILS(pool.driver->remove(&pool, pool.volumes_fd, "one", &err), &err, ERR_BUSY);
        WORLD_RUN("test -e " WORLD "/other/precious");
    }
}

TEST(btrfs_remove_finds_subvolumes_that_containers_made)
{
    struct driver_pool pool;
    struct error err = { 0 };

    if (!open_pool(&pool, 0))
        return;
    CHECK_OK(pool.driver->create(&pool, pool.volumes_fd, "one", &err), &err);
    WORLD_RUN("cd " WORLD_DIR "/volumes/one && mkdir a && btrfs -q subvolume create a/b &&"
              " btrfs -q subvolume create a/b/c && touch a/b/c/f &&"
              " btrfs -q property set a/b/c ro true");
    CHECK_OK(clone_tree(&pool, "one", "two", 0, &err), &err);
    CHECK_OK(pool.driver->seal(&pool, pool.volumes_fd, "one", true, &err), &err);
    CHECK_OK(pool.driver->remove(&pool, pool.volumes_fd, "one", &err), &err);
    CHECK_OK(pool.driver->remove(&pool, pool.snapshots_fd, "two", &err), &err);
    CHECK_INT(sys_openat(pool.volumes_fd, "one", O_PATH, 0), -ENOENT);
}

/* More than one thread, more than one batch a directory, and names that are hard links of others.
 */
TEST(a_large_tree_is_copied_exactly_by_several_threads)
{
    struct driver_pool pool;
    struct error err = { 0 };

    if (!open_pool(&pool, 1))
        return;
    CHECK_OK(pool.driver->create(&pool, pool.volumes_fd, "one", &err), &err);
    WORLD_RUN(
        "cd " WORLD_DIR "/volumes/one && for d in $(seq 1 20); do mkdir d$d;"
        " (cd d$d && seq -f 'f%%g' 1 150 | xargs touch -d 2001-02-03 && echo $d > x &&"
        " for i in $(seq 1 20); do ln x l$i; ln x ../m$d-$i; done); touch -d 2002-02-0$((d %% 9 + 1)) d$d;"
        " chmod 5$((d %% 8))5 d$d; done;"
        " p=.; for i in $(seq 1 60); do p=$p/deep; done; mkdir -p $p; echo bottom > $p/f;"
        " ln $p/f shallow; touch -d 2003-01-01 $p");
    CHECK_OK(clone_tree(&pool, "one", "two", 0, &err), &err);
    WORLD_RUN("cd " WORLD_DIR "; for t in volumes/one snapshots/two; do (cd $t; find . -printf"
              " '%%P %%y %%m %%U %%G %%T@ %%n %%s\\n' | sort | sed 's/^ [^ ]* /. /' ) >"
              " /tmp/list-$(basename $t); done; cmp /tmp/list-one /tmp/list-two &&"
              " rm /tmp/list-one /tmp/list-two");
    WORLD_RUN("cd " WORLD_DIR "/snapshots/two && test d3/l7 -ef m3-9 && test shallow -ef"
              " $(find . -path '*/deep/f')");
    CHECK_FAILS(clone_tree(&pool, "one", "three", 1, &err), &err, ERR_TIMEOUT);
}
