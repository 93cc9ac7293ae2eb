/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a target after the question mark: name=value pairs, form-encoded. */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include "base/arena.h"

/* The decoded value of the index-th pair of that name; "" for a name alone; NULL when there is
 * none.  A pair that cannot be decoded is passed over. */
const char *query_find(const char *query, const char *name, int index, struct arena *mem);

#endif
