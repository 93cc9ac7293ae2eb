/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign JSON objects brought into the one shape that we keep: known members under their own
 * names and of their own types, absent ones as Docker's inspect shows them, unknown ones gone.
 */
#ifndef CORE_SHAPE_H
#define CORE_SHAPE_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

enum shape_type {
    SHAPE_TEXT,
    SHAPE_BOOL,
    SHAPE_INT,
    SHAPE_TEXTS, /* an array of strings; one string alone is a list of one */
    SHAPE_LIST,  /* an array of anything; whoever uses it checks */
    SHAPE_MAP    /* an object of anything */
};

enum shape_absent {
    SHAPE_ZERO, /* "", false, 0, [], {} */
    SHAPE_NULL,
    SHAPE_OMIT
};

struct shape_field {
    const char *name;
    enum shape_type type;
    enum shape_absent absent;
};

/*
 * A new object with the members of 'fields' (ended by a NULL name), in that order.  'what' names
 * the object in messages ("Config").  'input' may be NULL.  Returns NULL with INVALID for a member
 * of a wrong type.
 */
json_t *shape_apply(const struct shape_field *fields, const char *what, const json_t *input,
                    struct error *err);

#endif
