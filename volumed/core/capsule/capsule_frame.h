/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capsule's form: frames, each signed over all that came before it, so that one that is cut,
 * changed or put elsewhere is found at its place.
 *
 *   "VC1 M 0000012c\n" payload hash "\n"      M: the manifest, JSON; the first frame
 *   "VC1 S …"                                 a section begins, JSON: its kind and names
 *   "VC1 D …"                                 a piece of its bytes
 *   "VC1 E …"                                 the section ends, JSON: {"bytes": how many}
 *   "VC1 Z …"                                 the capsule ends; nothing follows
 *
 * The number is the payload's length in hexadecimal, at most 1 MiB.  The hash is 64 hexadecimal
 * digits of SHA-256 over the hash before (the first: none), the head and the payload.
 */
#ifndef CORE_CAPSULE_FRAME_H
#define CORE_CAPSULE_FRAME_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "core/image/image.h"

/* Of the manifest and the sections.  1 had each snapshot in full, and of a volume what it is. */
#define CAPSULE_FORMAT 2

#define CAPSULE_PAYLOAD_MAX ((size_t)1 << 20)
#define CAPSULE_HASH_SIZE   65 /* with the NUL */

enum capsule_type {
    CAPSULE_MANIFEST = 'M',
    CAPSULE_SECTION = 'S',
    CAPSULE_DATA = 'D',
    CAPSULE_SECTION_END = 'E',
    CAPSULE_END = 'Z'
};

struct capsule_writer {
    const struct byte_sink *sink;
    char hash[CAPSULE_HASH_SIZE];
    int64_t section_bytes;
};

int capsule_write(struct capsule_writer *writer, enum capsule_type type, const void *payload,
                  size_t size, struct error *err);
int capsule_write_json(struct capsule_writer *writer, enum capsule_type type, const json_t *json,
                       struct error *err);

/* Whatever is written to it becomes data frames of the present section. */
struct byte_sink capsule_section_sink(struct capsule_writer *writer);

struct capsule_reader {
    const struct byte_source *source;
    char hash[CAPSULE_HASH_SIZE];
    int64_t offset; /* of the next byte, for messages */
    enum capsule_type type;
    struct buf payload; /* of the present frame */
    size_t used;        /* of the payload, by the section's source */
    int64_t section_bytes;
    bool is_section_over;
};

/*
 * Reads and checks the next frame.  CORRUPT, naming the place, when the capsule is cut, changed, or
 * not one at all.
 */
int capsule_read(struct capsule_reader *reader, struct error *err);

/* Likewise, and reads its payload as JSON.  New reference, or NULL. */
json_t *capsule_read_json(struct capsule_reader *reader, enum capsule_type type, struct error *err);

/* After the last frame: CORRUPT when anything follows it. */
int capsule_read_end(struct capsule_reader *reader, struct error *err);

/* The bytes of the section that has begun, up to its end, which is checked. */
struct byte_source capsule_section_source(struct capsule_reader *reader);

/* Reads what is left of the section. */
int capsule_section_skip(struct capsule_reader *reader, struct error *err);
void capsule_reader_done(struct capsule_reader *reader);
#define cleanup_capsule_reader CLEANUP(capsule_reader_done)

#endif
