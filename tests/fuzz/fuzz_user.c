/* SPDX-License-Identifier: Apache-2.0 */
/* An image's passwd and group files, which anybody may have written. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "core/container/container_user.h"
#include "fuzz/fuzz.h"

static int make_root(void);

int fuzz_one(const unsigned char *data, size_t size)
{
    static const char *const more[] = { "wheel", "12", NULL };
    static const char *const users[] = { "root", "plain:users", "1000", "nobody:0" };
    static int etc_fd = -1;
    static int root_fd = -1;
    cleanup_arena struct arena *mem = arena_new();
    struct error err = { 0 };

    if (root_fd < 0) {
        root_fd = make_root();
        etc_fd = fs_make_dir(root_fd, "etc", 0755, &err);
    }
    if (fs_write_volatile(etc_fd, "passwd", data, size, 0644, &err) < 0 ||
        fs_write_volatile(etc_fd, "group", data, size, 0644, &err) < 0)
        abort();
    for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
        struct user_ids ids = { 0 };
        (void)user_lookup(mem, root_fd, users[i], more, &ids, &err);
    }
    return 0;
}

static char root_path[] = "/tmp/volumed-fuzz-XXXXXX";

static void remove_root(void)
{
    struct error ignored; /* only files of this run */

    (void)fs_remove_tree(AT_FDCWD, root_path, &ignored);
}

static int make_root(void)
{
    if (mkdtemp(root_path) == NULL || atexit(remove_root) != 0)
        abort();
    return sys_openat(AT_FDCWD, root_path, O_RDONLY | O_DIRECTORY, 0);
}
