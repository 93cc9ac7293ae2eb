/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by jansson, with the two rules that foreign JSON needs: keys are matched without regard to
 * case and null is the same as absent (Docker's clients rely on both), and text that is not UTF-8
 * never reaches json_string() raw.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

void json_cleanup(json_t **json);
#define cleanup_json CLEANUP(json_cleanup)

/*
 * Parses one document (depth at most 2048 by jansson; the caller bounds the size).  Duplicate keys
 * are refused.  Returns a new reference, NULL on failure (INVALID).
 */
json_t *json_read(const char *text, size_t size, struct error *err);

/* The member, or NULL when absent or null.  Exact name first, then any case.  Borrowed. */
json_t *json_member(const json_t *object, const char *name);

/*
 * Typed members.  Absent or null leaves *value as it is and returns 0; another type is INVALID and
 * the message names the member.  Text is copied into 'mem'.
 */
int json_get_text(const json_t *object, const char *name, struct arena *mem, const char **value,
                  struct error *err);
int json_get_int(const json_t *object, const char *name, int64_t *value, struct error *err);
int json_get_bool(const json_t *object, const char *name, bool *value, struct error *err);

/* An array of strings; *list is NULL-terminated.  A single string counts as a list of one. */
int json_get_list(const json_t *object, const char *name, struct arena *mem,
                  const char *const **list, struct error *err);

/* A string that is always valid UTF-8: bad bytes become U+FFFD.  NULL gives null.  New reference.
 */
json_t *json_text(const char *text);
json_t *json_text_or_empty(const char *text);

/* An array of strings of a NULL-terminated list (NULL gives an empty array).  New reference. */
json_t *json_list(const char *const *list);

/* An RFC 3339 string; 0 gives Docker's zero time "0001-01-01T00:00:00Z".  New reference. */
json_t *json_time_ms(int64_t time_ms);
json_t *json_time_ns(int64_t time_ns);

/* Sets object[key] and takes over the reference of value. */
void json_set(json_t *object, const char *key, json_t *value);

/* Appends to an array and takes over the reference of value. */
void json_add(json_t *array, json_t *value);

/* Compact text into 'mem', or appended to 'buf'. */
char *json_write(struct arena *mem, const json_t *json);
void json_append(struct buf *buf, const json_t *json);

#endif
