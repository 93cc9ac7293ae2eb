/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of mapped pages per client, bypassed while the client keeps up. */
#include "runner/supervise/attach.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/base.h"

#define HEADER_SIZE     8
#define GIVE_BACK_BYTES 65536 /* rings that held more return their pages when empty */

static void make_header(unsigned char header[HEADER_SIZE], int stream, size_t size);
static int send_parts(int fd, const struct iovec *parts, size_t count);
static void skip_sent(struct iovec *parts, size_t count, size_t sent);
static int keep(struct attach *attach, const char *data, size_t size);

int attach_parse(const char *text, unsigned int *streams, struct error *err)
{
    static const char *const names[] = { "stdin", "stdout", "stderr", "logs" };
    unsigned int found = 0;

    for (const char *word = text; *word != '\0';) {
        size_t length = strcspn(word, ",");
        size_t i = 0;
        while (i < ARRAY_SIZE(names) &&
               (strlen(names[i]) != length || strncmp(names[i], word, length) != 0))
            i++;
        if (i == ARRAY_SIZE(names))
            return fail(err, ERR_INVALID, "unknown stream in '%.64s'", text);
        found |= 1U << i;
        word += length;
        if (*word == ',')
            word++;
    }
    *streams = found;
    return 0;
}

int attach_begin(struct attach *attach, unsigned int streams, bool is_framed, struct error *err)
{
    void *ring = mmap(NULL, ATTACH_RING_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (ring == MAP_FAILED)
        return fail_sys(err, -errno, "no memory for another client");
    *attach = (struct attach){ .ring = ring, .streams = streams, .is_framed = is_framed };
    return 0;
}

void attach_end(struct attach *attach)
{
    if (attach->ring != NULL)
        (void)munmap(attach->ring, ATTACH_RING_SIZE); /* ours, whole */
    *attach = (struct attach){ 0 };
}

bool attach_is_on(const struct attach *attach)
{
    return attach->ring != NULL;
}

bool attach_has_room(const struct attach *attach)
{
    return attach->size < ATTACH_HELD_MAX;
}

bool attach_has_held(const struct attach *attach)
{
    return attach->size > 0 && !attach->is_held_up;
}

int attach_put(struct attach *attach, int fd, int stream, const char *data, size_t size)
{
    unsigned char header[HEADER_SIZE];
    struct iovec parts[2] = {
        { .iov_base = header, .iov_len = attach->is_framed ? HEADER_SIZE : 0 },
        { .iov_base = pointer_unconst(data), .iov_len = size }, /* only read from */
    };
    int sent = 0;

    if ((attach->streams & (stream == 0 ? ATTACH_STDOUT : ATTACH_STDERR)) == 0)
        return 0;
    make_header(header, stream, size);
    if (attach->size == 0 && !attach->is_held_up)
        sent = send_parts(fd, parts, ARRAY_SIZE(parts));
    if (sent < 0)
        return sent;
    skip_sent(parts, ARRAY_SIZE(parts), (size_t)sent);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (keep(attach, parts[i].iov_base, parts[i].iov_len) < 0)
            return -ENOBUFS;
    return 0;
}

int attach_flush(struct attach *attach, int fd)
{
    size_t until_end = ATTACH_RING_SIZE - attach->begin;
    size_t first = attach->size < until_end ? attach->size : until_end;
    struct iovec parts[2] = {
        { .iov_base = attach->ring + attach->begin, .iov_len = first },
        { .iov_base = attach->ring, .iov_len = attach->size - first },
    };
    int sent = send_parts(fd, parts, ARRAY_SIZE(parts));

    if (sent < 0)
        return sent;
    attach->begin = (attach->begin + (size_t)sent) % ATTACH_RING_SIZE;
    attach->size -= (size_t)sent;
    if (attach->size == 0) {
        attach->begin = 0;
        if (attach->peak > GIVE_BACK_BYTES)
            (void)madvise(attach->ring, ATTACH_RING_SIZE, MADV_DONTNEED); /* a courtesy */
        attach->peak = 0;
    }
    return sent;
}

static void make_header(unsigned char header[HEADER_SIZE], int stream, size_t size)
{
    memset(header, 0, HEADER_SIZE);
    header[0] = (unsigned char)(stream + 1);
    header[4] = (unsigned char)(size >> 24);
    header[5] = (unsigned char)(size >> 16);
    header[6] = (unsigned char)(size >> 8);
    header[7] = (unsigned char)size;
}

/* 0 when the socket is full. */
static int send_parts(int fd, const struct iovec *parts, size_t count)
{
    struct msghdr message = {
        .msg_iov = pointer_unconst(parts), /* sendmsg only reads it */
        .msg_iovlen = count,
    };
    ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent >= 0)
        return (int)sent;
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM ? 0 : -errno;
}

static void skip_sent(struct iovec *parts, size_t count, size_t sent)
{
    for (size_t i = 0; i < count; i++) {
        size_t part = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        parts[i].iov_base = (char *)parts[i].iov_base + part;
        parts[i].iov_len -= part;
        sent -= part;
    }
}

static int keep(struct attach *attach, const char *data, size_t size)
{
    if (size > ATTACH_RING_SIZE - attach->size)
        return -1;
    size_t end = (attach->begin + attach->size) % ATTACH_RING_SIZE;
    size_t first = size < ATTACH_RING_SIZE - end ? size : ATTACH_RING_SIZE - end;
    memcpy(attach->ring + end, data, first);
    memcpy(attach->ring, data + first, size - first);
    attach->size += size;
    if (attach->size > attach->peak)
        attach->peak = attach->size;
    return 0;
}
