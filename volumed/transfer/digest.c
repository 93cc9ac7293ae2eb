/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by OpenSSL's EVP.  Its only failures are of memory, which ends the process. */
#include "transfer/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"

#define PREFIX     "sha256:"
#define HEX_DIGITS 64
#define READ_SIZE  ((size_t)128 * 1024)

void digest_init(struct digest *digest)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        abort();
    digest->context = context;
}

void digest_update(struct digest *digest, const void *data, size_t size)
{
    if (EVP_DigestUpdate(digest->context, data, size) != 1)
        abort();
}

void digest_finish(struct digest *digest, char text[DIGEST_TEXT_SIZE])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int count = 0;

    if (EVP_DigestFinal_ex(digest->context, bytes, &count) != 1 || count != HEX_DIGITS / 2)
        abort();
    memcpy(text, PREFIX, strlen(PREFIX) + 1);
    for (unsigned int i = 0; i < count; i++)
        (void)snprintf(text + strlen(PREFIX) + (size_t)2 * i, 3, "%02x", bytes[i]); /* fits */
    digest_done(digest);
}

void digest_done(struct digest *digest)
{
    EVP_MD_CTX_free(digest->context);
    digest->context = NULL;
}

void digest_bytes(const void *data, size_t size, char text[DIGEST_TEXT_SIZE])
{
    cleanup_digest struct digest digest = { 0 };

    digest_init(&digest);
    digest_update(&digest, data, size);
    digest_finish(&digest, text);
}

int digest_file(int fd, char text[DIGEST_TEXT_SIZE], int64_t *size_bytes, struct error *err)
{
    cleanup_digest struct digest digest = { 0 };
    cleanup_arena struct arena *mem = arena_new();
    char *chunk = arena_alloc(mem, READ_SIZE);
    int64_t offset = 0;

    digest_init(&digest);
    for (;;) {
        ssize_t got = pread(fd, chunk, READ_SIZE, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_sys(err, -errno, "cannot read a file to check its digest");
        if (got == 0)
            break;
        digest_update(&digest, chunk, (size_t)got);
        offset += got;
    }
    digest_finish(&digest, text);
    if (size_bytes != NULL)
        *size_bytes = offset;
    return 0;
}

void digest_chain(const char *parent, const char *diff_id, char text[DIGEST_TEXT_SIZE])
{
    char both[2 * DIGEST_TEXT_SIZE];

    if (parent == NULL) {
        (void)snprintf(text, DIGEST_TEXT_SIZE, "%s", diff_id); /* both are valid digests */
        return;
    }
    int length = snprintf(both, sizeof(both), "%s %s", parent, diff_id);
    digest_bytes(both, (size_t)length, text);
}

bool digest_is_valid(const char *text)
{
    size_t prefix = strlen(PREFIX);

    return strncmp(text, PREFIX, prefix) == 0 && strlen(text) == prefix + HEX_DIGITS &&
           strspn(text + prefix, "0123456789abcdef") == HEX_DIGITS;
}
