/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON documents of an image archive.  The input is manifest.json, or index.json if it begins
 * with '{'; after a NUL follows the file that its Config or digest may name.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "core/image/image_archive.h"
#include "core/image/image_config.h"
#include "fuzz.h"
#include "transfer/digest.h"

/* One directory for all inputs, gone with the program. */
static char directory[] = "/tmp/fuzz-manifest-XXXXXX";

static void remove_directory(void)
{
    struct error err;

    (void)fs_remove_tree(AT_FDCWD, directory, &err); /* the system's own cleaning takes the rest */
}

static int open_directory(void)
{
    static int fd = -1;

    if (fd < 0) {
        assert(mkdtemp(directory) != NULL && atexit(remove_directory) == 0);
        fd = sys_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
        int blobs = path_make_beneath(fd, "blobs/sha256", 0700);
        assert(fd >= 0 && blobs >= 0);
        sys_close_fd(&blobs);
    }
    (void)unlinkat(fd, "manifest.json", 0); /* one of the two is there */
    (void)unlinkat(fd, "index.json", 0);
    return fd;
}

static void write_file(int dirfd, const char *name, const void *data, size_t size)
{
    struct error err;

    assert(fs_write_volatile(dirfd, name, data, size, 0600, &err) == 0);
}

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    const unsigned char *end = memchr(data, '\0', size);
    size_t table_size = end == NULL ? size : (size_t)(end - data);
    struct image_archive archive = { .mem = mem, .dir_fd = open_directory() };
    const char *part = end == NULL ? "" : (const char *)end + 1;
    size_t part_size = end == NULL ? 0 : size - table_size - 1;
    char digest[DIGEST_TEXT_SIZE];
    struct image image;
    struct error err;

    write_file(archive.dir_fd, size > 0 && data[0] == '{' ? "index.json" : "manifest.json", data,
               table_size);
    write_file(archive.dir_fd, "config.json", part, part_size);
    digest_bytes(part, part_size, digest);
    const char *blob = arena_printf(mem, "blobs/sha256/%s", strchr(digest, ':') + 1);
    cleanup_fd int fd = sys_openat(archive.dir_fd, blob, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert(fd >= 0 && sys_write_all(fd, part, part_size) >= 0);
    if (image_archive_read(&archive, &err) == 0)
        for (size_t i = 0; i < archive.count; i++)
            assert(digest_is_valid(archive.images[i].image.id));
    (void)image_config_accept(mem, part, part_size, &image, &err); /* may refuse it */
    (void)unlinkat(archive.dir_fd, blob, 0);
    return 0;
}
