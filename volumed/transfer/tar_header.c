/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX ustar; a size of 8 GiB and more in GNU's base-256 form, which all readers take. */
#include "transfer/tar_header.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE      100
#define SIZE_DIGITS    11
#define OCTAL_SIZE_MAX INT64_C(077777777777)

struct header {
    char name[NAME_SIZE];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];
    char version[2];
    char rest[247]; /* owner's names, device, prefix: all empty */
};

static void set_size(char field[12], int64_t size_bytes);

void tar_header_make(char block[TAR_BLOCK_BYTES], const char *name, int64_t size_bytes)
{
    struct header header = {
        .mode = "0000644",
        .uid = "0000000",
        .gid = "0000000",
        .mtime = "00000000000", /* the same bytes whenever it is written */
        .type = '0',
        .magic = "ustar",
        .version = { '0', '0' },
    };
    unsigned int sum = 0;

    static_assert(sizeof(header) == TAR_BLOCK_BYTES, "a tar header is one block");
    assert(strlen(name) <= NAME_SIZE);
    memcpy(header.name, name, strlen(name));
    set_size(header.size, size_bytes);
    memset(header.checksum, ' ', sizeof(header.checksum)); /* as it is counted */
    memcpy(block, &header, sizeof(header));
    for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
        sum += (unsigned char)block[i];
    (void)snprintf(block + offsetof(struct header, checksum), 7, "%06o", sum); /* fits */
}

int64_t tar_padding(int64_t size_bytes)
{
    return (TAR_BLOCK_BYTES - size_bytes % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
}

static void set_size(char field[12], int64_t size_bytes)
{
    if (size_bytes <= OCTAL_SIZE_MAX) {
        (void)snprintf(field, 12, "%0*llo", SIZE_DIGITS, (unsigned long long)size_bytes); /* fits */
        return;
    }
    field[0] = (char)0x80;
    for (int i = SIZE_DIGITS; i > 0; i--, size_bytes >>= 8)
        field[i] = (char)(size_bytes & 0xff);
}
