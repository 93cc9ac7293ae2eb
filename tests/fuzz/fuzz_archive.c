/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar, compressed or not, as the confined child reads it: decompression, headers, names, ACLs,
 * data.  Nothing is written to a disk.
 */
#include <archive_entry.h>
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sys.h"
#include "fuzz.h"
#include "transfer/acl.h"
#include "transfer/place.h"
#include "transfer/reader.h"

#define BYTES_MAX   ((int64_t)64 << 20)
#define ENTRIES_MAX 10000

static int memory_file(const void *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    assert(fd >= 0 && sys_write_all(fd, data, size) >= 0 && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void check_entry(struct archive_entry *entry)
{
    static struct acl acl;
    struct place place = { .base = "base" };
    char clean[PATH_MAX];
    struct error err;

    if (place_clean(&place, archive_entry_pathname(entry), clean, &err) == 0) {
        assert(strncmp(clean, "base", 4) == 0 && (clean[4] == '\0' || clean[4] == '/'));
        assert(strstr(clean, "/../") == NULL && strstr(clean, "//") == NULL);
    }
    if ((archive_entry_acl_types(entry) & ARCHIVE_ENTRY_ACL_TYPE_ACCESS) != 0)
        (void)acl_from_entry(&acl, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &err); /* may fail */
}

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_fd int input = memory_file(data, size);
    cleanup_inflate struct inflate source = { 0 };
    cleanup_reader struct reader reader = { 0 };
    struct archive_entry *entry;
    char digest[DIGEST_TEXT_SIZE];
    struct error err;
    int rc;

    if (inflate_open(&source, input, -1, BYTES_MAX, &err) < 0 ||
        reader_open(&reader, &source, &err) < 0)
        return 0;
    int entries = 0;
    while ((rc = reader_next(reader.tar, &entry, &err)) > 0 && ++entries < ENTRIES_MAX) {
        cleanup_fd int sink = memory_file("", 0);
        check_entry(entry);
        if (archive_entry_size(entry) < BYTES_MAX)
            rc = reader_save(reader.tar, sink, archive_entry_size(entry), &err);
        if (rc < 0)
            break;
    }
    if (rc == 0)
        (void)inflate_finish(&source, digest, &err); /* it may be damaged after its end */
    return 0;
}
