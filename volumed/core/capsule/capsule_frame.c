/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading frames.  Everything read is a stranger's until its hash was right. */
#include "core/capsule/capsule_frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/digest.h"

#define HEAD_SIZE   15 /* "VC1 M 0000012c\n" */
#define TAIL_SIZE   65 /* the hash and "\n" */
#define HASH_OFFSET 7  /* after "sha256:" */

static void chain(char hash[CAPSULE_HASH_SIZE], const char *head, const void *payload, size_t size);
static int write_data(void *context, const void *data, size_t size, struct error *err);
static int read_head(struct capsule_reader *reader, char *head, size_t *size, struct error *err);
static int read_exactly(struct capsule_reader *reader, void *data, size_t size, struct error *err);
static ssize_t read_data(void *context, void *data, size_t size, struct error *err);
static int next_data(struct capsule_reader *reader, struct error *err);

int capsule_write(struct capsule_writer *writer, enum capsule_type type, const void *payload,
                  size_t size, struct error *err)
{
    const struct byte_sink *sink = writer->sink;
    char head[HEAD_SIZE + 1];
    char tail[TAIL_SIZE + 1];

    (void)snprintf(head, sizeof(head), "VC1 %c %08zx\n", (char)type, size); /* fits */
    chain(writer->hash, head, payload, size);
    (void)snprintf(tail, sizeof(tail), "%s\n", writer->hash); /* fits */
    if (sink->write(sink->context, head, HEAD_SIZE, err) < 0 ||
        (size > 0 && sink->write(sink->context, payload, size, err) < 0))
        return -1;
    return sink->write(sink->context, tail, TAIL_SIZE, err);
}

int capsule_write_json(struct capsule_writer *writer, enum capsule_type type, const json_t *json,
                       struct error *err)
{
    cleanup_buf struct buf text = { 0 };

    json_append(&text, json);
    if (text.size > CAPSULE_PAYLOAD_MAX)
        return fail(err, ERR_UNSUPPORTED, "the description is too long for a capsule");
    if (type == CAPSULE_SECTION)
        writer->section_bytes = 0;
    return capsule_write(writer, type, text.data, text.size, err);
}

struct byte_sink capsule_section_sink(struct capsule_writer *writer)
{
    return (struct byte_sink){ .write = write_data, .context = writer };
}

int capsule_read(struct capsule_reader *reader, struct error *err)
{
    int64_t began = reader->offset;
    char head[HEAD_SIZE + 1];
    char tail[TAIL_SIZE];
    size_t size = 0;

    if (read_head(reader, head, &size, err) < 0)
        return -1;
    buf_clear(&reader->payload);
    buf_reserve(&reader->payload, size);
    if (read_exactly(reader, reader->payload.data, size, err) < 0 ||
        read_exactly(reader, tail, TAIL_SIZE, err) < 0)
        return -1;
    reader->payload.size = size;
    chain(reader->hash, head, reader->payload.data, size);
    if (memcmp(tail, reader->hash, CAPSULE_HASH_SIZE - 1) != 0 || tail[TAIL_SIZE - 1] != '\n')
        return fail(err, ERR_CORRUPT,
                    "the capsule is damaged: the frame at byte %lld is not what was written",
                    (long long)began);
    reader->type = (enum capsule_type)head[4];
    return 0;
}

int capsule_read_end(struct capsule_reader *reader, struct error *err)
{
    char byte;
    ssize_t got = reader->source->read(reader->source->context, &byte, 1, err);

    if (got <= 0)
        return (int)got;
    return fail(err, ERR_CORRUPT, "the capsule is damaged: it has ended, and goes on at byte %lld",
                (long long)reader->offset);
}

json_t *capsule_read_json(struct capsule_reader *reader, enum capsule_type type, struct error *err)
{
    int64_t began = reader->offset;

    if (capsule_read(reader, err) < 0)
        return NULL;
    if (reader->type != type) {
        (void)fail(err, ERR_CORRUPT,
                   "the capsule is damaged: frame '%c' at byte %lld is out of place",
                   (char)reader->type, (long long)began);
        return NULL;
    }
    reader->section_bytes = 0;
    reader->used = reader->payload.size;
    reader->is_section_over = false;
    return json_read(reader->payload.data, reader->payload.size, err);
}

struct byte_source capsule_section_source(struct capsule_reader *reader)
{
    return (struct byte_source){ .read = read_data, .context = reader };
}

int capsule_section_skip(struct capsule_reader *reader, struct error *err)
{
    while (!reader->is_section_over)
        if (next_data(reader, err) < 0)
            return -1;
    return 0;
}

void capsule_reader_done(struct capsule_reader *reader)
{
    buf_done(&reader->payload);
}

static void chain(char hash[CAPSULE_HASH_SIZE], const char *head, const void *payload, size_t size)
{
    struct digest digest;
    char text[DIGEST_TEXT_SIZE];

    digest_init(&digest);
    digest_update(&digest, hash, strlen(hash));
    digest_update(&digest, head, HEAD_SIZE);
    digest_update(&digest, payload, size);
    digest_finish(&digest, text);
    memcpy(hash, text + HASH_OFFSET, CAPSULE_HASH_SIZE);
}

static int write_data(void *context, const void *data, size_t size, struct error *err)
{
    struct capsule_writer *writer = context;
    const char *rest = data;

    writer->section_bytes += (int64_t)size;
    for (size_t piece; size > 0; size -= piece, rest += piece) {
        piece = size < CAPSULE_PAYLOAD_MAX ? size : CAPSULE_PAYLOAD_MAX;
        if (capsule_write(writer, CAPSULE_DATA, rest, piece, err) < 0)
            return -1;
    }
    return 0;
}

static int read_head(struct capsule_reader *reader, char *head, size_t *size, struct error *err)
{
    int64_t began = reader->offset;
    char *end = NULL;

    if (read_exactly(reader, head, HEAD_SIZE, err) < 0)
        return -1;
    head[HEAD_SIZE] = '\0';
    bool is_head = memcmp(head, "VC1 ", 4) == 0 && strchr("MSDEZ", head[4]) != NULL &&
                   head[4] != '\0' && head[5] == ' ' && head[HEAD_SIZE - 1] == '\n' &&
                   strspn(head + 6, "0123456789abcdef") == 8;
    if (!is_head)
        return fail(err, ERR_CORRUPT,
                    began == 0 ? "this is no capsule"
                               : "the capsule is damaged: at byte %lld no frame begins",
                    (long long)began);
    *size = strtoul(head + 6, &end, 16);
    return *size <= CAPSULE_PAYLOAD_MAX
               ? 0
               : fail(err, ERR_CORRUPT,
                      "the capsule is damaged: the frame at byte %lld is too long",
                      (long long)began);
}

static int read_exactly(struct capsule_reader *reader, void *data, size_t size, struct error *err)
{
    char *at = data;

    for (ssize_t got; size > 0; size -= (size_t)got, at += got) {
        got = reader->source->read(reader->source->context, at, size, err);
        if (got < 0)
            return -1;
        if (got == 0)
            return fail(err, ERR_CORRUPT,
                        "the capsule ends at byte %lld, before its end was written",
                        (long long)reader->offset);
        reader->offset += got;
    }
    return 0;
}

static ssize_t read_data(void *context, void *data, size_t size, struct error *err)
{
    struct capsule_reader *reader = context;

    while (!reader->is_section_over && reader->used == reader->payload.size)
        if (next_data(reader, err) < 0)
            return -1;
    if (reader->is_section_over)
        return 0;
    size_t left = reader->payload.size - reader->used;
    size_t piece = size < left ? size : left;
    memcpy(data, reader->payload.data + reader->used, piece);
    reader->used += piece;
    return (ssize_t)piece;
}

static int next_data(struct capsule_reader *reader, struct error *err)
{
    int64_t began = reader->offset;
    int64_t bytes = -1;

    if (capsule_read(reader, err) < 0)
        return -1;
    reader->used = 0;
    if (reader->type == CAPSULE_DATA) {
        reader->section_bytes += (int64_t)reader->payload.size;
        return 0;
    }
    reader->is_section_over = true;
    cleanup_json json_t *end = reader->type == CAPSULE_SECTION_END
                                   ? json_read(reader->payload.data, reader->payload.size, err)
                                   : NULL;
    if (end != NULL && json_get_int(end, "bytes", &bytes, err) == 0 &&
        bytes == reader->section_bytes)
        return 0;
    return fail(err, ERR_CORRUPT, "the capsule is damaged: at byte %lld a section ends early",
                (long long)began);
}
