/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line's options and words, read by a table of options.  Long options take "--name value"
 * and "--name=value"; letters may be clustered ("-it").  What values mean is the verbs' own.
 */
#ifndef VOLCTL_ARGS_H
#define VOLCTL_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct option {
    const char *name;     /* without the dashes; NULL ends a table */
    char letter;          /* 0: none */
    const char *argument; /* what help calls its value ("KEY=VALUE"); NULL: it takes none */
    const char *summary;
};

struct given {
    const struct option *option;
    const char *value; /* "" where it takes none */
};

struct args {
    struct given *given;
    size_t given_count;
    const char **words; /* NULL-terminated */
    int word_count;
    int dashes_at; /* how many words stood before a "--"; -1: there was none */
};

/* The options that every verb takes. */
extern const struct option common_options[];

/*
 * Adds argv (without a program's name) to 'args', which is empty or an earlier parse's.  'options'
 * may be NULL: the common ones alone.  Once 'free_after' words were seen (0: never), all the rest
 * are words, as the command of an exec.  "--" ends the options.  INVALID: an unknown option, a
 * missing or a superfluous value.
 */
int args_parse(struct args *args, struct arena *mem, const struct option *options, int free_after,
               const char *const *argv, struct error *err);

bool args_has(const struct args *args, const char *name);

/* The last value given, NULL when none was; and the index-th of a repeated one, NULL past the last.
 */
const char *args_get(const struct args *args, const char *name);
const char *args_nth(const struct args *args, const char *name, int index);

/* Numbers, 0 or more; absent leaves *value. */
int args_int(const struct args *args, const char *name, int64_t *value, struct error *err);

/* "10s", "1h30m"; a bare number is seconds. */
int args_duration_ms(const struct args *args, const char *name, int64_t *value, struct error *err);

/*
 * A time as the service takes it ("1764000000.123456789"): RFC 3339, seconds since 1970, or so long
 * ago ("10m").  *text is NULL when absent.
 */
int args_time(const struct args *args, const char *name, struct arena *mem, const char **text,
              struct error *err);

/* Repeated KEY=VALUE as an object (no '=': an empty value); NULL when none was given. */
json_t *args_pairs(const struct args *args, const char *name);

/* Repeated values as an array of strings; NULL when none was given. */
json_t *args_list(const struct args *args, const char *name);

/* Repeated --filter KEY=VALUE as Docker's filters; NULL when none was given. */
int args_filters(const struct args *args, json_t **filters, struct error *err);

#endif
