/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to a struct, by a table of fields.  Strict, unlike the Docker door: a member that
 * no field names is refused, so that a misspelt option is never silently ignored.  What values mean
 * is checked by core; here only their types and sizes.
 */
#ifndef API_NATIVE_DECODE_H
#define API_NATIVE_DECODE_H

#include "api/call.h"
#include "model/pairs.h"

enum field_type {
    FIELD_END,
    FIELD_TEXT,     /* const char * */
    FIELD_INT,      /* int64_t, 0 or more */
    FIELD_BOOL,     /* bool */
    FIELD_TRISTATE, /* int: 0 or 1; set it to -1 before to tell an absent one */
    FIELD_MODE,     /* int64_t: permission bits, octal text ("0750") in JSON */
    FIELD_TIME,     /* int64_t, nanoseconds since 1970: RFC 3339 or seconds since 1970 */
    FIELD_PAIRS,    /* struct pairs */
    FIELD_CHANGES,  /* struct pair_changes: a member that is null is one to remove */
    FIELD_OBJECT,   /* const char *: a JSON object as its text */
    FIELD_LIST,     /* const char *const *: an array of strings; NULL-terminated */
};

enum field_need {
    OPTIONAL,
    REQUIRED
};

struct field {
    enum field_type type;
    const char *name;
    size_t offset;
    enum field_need need;
};

/* clang-format off */
#define FIELD(type, owner, member, need) \
    { FIELD_##type, #member, offsetof(owner, member), need }
/* For a member whose name in JSON is not that of the struct. */
#define FIELD_AS(type, name, owner, member, need) \
    { FIELD_##type, name, offsetof(owner, member), need }
#define FIELDS_END { FIELD_END, NULL, 0, OPTIONAL }

/* clang-format on */

struct pair_changes {
    struct pairs set;
    const char *const *remove; /* NULL-terminated; NULL when nothing is to go */
    bool is_given;
};

#define DECODE_PAIRS_MAX 1024 /* members of one object of labels or options */
#define DECODE_LIST_MAX  1024 /* entries of one list */

/*
 * Reads the JSON body into 'target'; members that are absent or null leave what is there.  An empty
 * body is taken for {} when no field is required.  All text is copied into the task's memory.
 */
int decode_body(struct call *call, const struct field *fields, void *target, struct error *err);

/* The same for query values (not PAIRS, CHANGES or OBJECT but as JSON text in one value). */
int decode_query(const struct call *call, const struct field *fields, void *target,
                 struct error *err);

#endif
