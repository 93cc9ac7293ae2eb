/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of JSON objects into structs, driven by tables: one row a member.  A member of
 * the wrong type or out of its range is an error that names its whole path ("process.user.uid").
 * Members without a row are ignored, as the runtime specification demands; null is the same as
 * absent.  What a value means is checked by the file whose struct it is.
 */
#ifndef RUNNER_FIELD_H
#define RUNNER_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum field_type {
    FIELD_END = 0,
    FIELD_TEXT,   /* const char * */
    FIELD_TEXTS,  /* const char *const *, NULL-terminated */
    FIELD_BOOL,   /* bool */
    FIELD_INT,    /* int64_t */
    FIELD_U32,    /* uint32_t */
    FIELD_LIMIT,  /* struct limit */
    FIELD_OBJECT, /* a struct read by .fields */
    FIELD_ARRAY,  /* struct array of structs of .size bytes, each read by .fields */
    FIELD_RAW,    /* json_t *, borrowed; .json_type is what it must be */
};

/* A number that may be absent. */
struct limit {
    bool is_set;
    int64_t value;
};

/* 'items' points at 'count' structs; cast by the accessor of the owner. */
struct array {
    void *items;
    size_t count;
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    bool is_required;
    json_type json_type;
    size_t size;
    const struct field *fields;
};

/* clang-format off */
#define FIELD(kind, owner, member, key) \
    { .name = (key), .type = FIELD_##kind, .offset = offsetof(owner, member) }
#define FIELD_REQUIRED(kind, owner, member, key) \
    { .name = (key), .type = FIELD_##kind, .offset = offsetof(owner, member), .is_required = true }
#define FIELD_NESTED(owner, member, key, table) \
    { .name = (key), .type = FIELD_OBJECT, .offset = offsetof(owner, member), .fields = (table) }
#define FIELD_LIST(owner, member, key, item, table) \
    { .name = (key), .type = FIELD_ARRAY, .offset = offsetof(owner, member), .size = sizeof(item), .fields = (table) }
#define FIELD_JSON(owner, member, key, kind) \
    { .name = (key), .type = FIELD_RAW, .offset = offsetof(owner, member), .json_type = (kind) }
/* clang-format on */

/*
 * Parses a document as json_read(), and also the unsigned 64-bit numbers that engines write for
 * "unlimited" (18446744073709551615), which become the signed number of the same bits (-1).  'text'
 * is changed.  New reference, NULL on failure.
 */
json_t *fields_parse(char *text, size_t size, struct error *err);

/* The item of a struct array as what it is. */
#define ARRAY_ITEM(array, type, index) (&((type *)(array).items)[index])

/*
 * Reads 'object' into the struct at 'out'.  'path' is what the members' names begin with in
 * messages ("" at the top).  Errors: INVALID.
 */
int fields_read(struct arena *mem, const char *path, const json_t *object,
                const struct field *fields, void *out, struct error *err);

#endif
