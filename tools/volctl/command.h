/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between the verb table and the verbs: what a row says, what a handler is given, and
 * the few ways in which all handlers talk to the service.
 */
#ifndef VOLCTL_COMMAND_H
#define VOLCTL_COMMAND_H

#include <stdbool.h>

#include "args.h"
#include "client.h"

#define DOCKER_API                                                                               \
    "/v1.43"               /* the version of Docker's API whose shapes the container verbs speak \
                            */
#define WORDS_MANY 1000000 /* max_words of a verb that takes any number */

struct command;

/* Returns the exit status, or -1 with err (main tells it). */
typedef int (*verb_fn)(struct command *command, struct error *err);

struct verb {
    const char *noun;
    const char *name;
    const char *usage; /* the words: "VOLUME NAME"; options are added by help */
    verb_fn run;
    const char *summary; /* for lists: lower case, imperative */
    const char *action;  /* what stands after "cannot" in errors: "create volume" */
    int min_words;
    int max_words;
    int free_after;               /* as in args_parse: all after so many words are words */
    const struct option *options; /* NULL: only the common ones */
    const char *details;          /* a paragraph for help; may be NULL */
};

struct command {
    const struct verb *verb;
    struct arena *mem;
    struct args args;
    const char *socket;
    bool is_json;
    bool is_quiet;
};

/*
 * Asks the service and reads its whole answer.  'body' (JSON, may be NULL) is taken over.  *answer
 * is a new reference, NULL when the answer is empty; answer may be NULL.  An error of the service
 * is ours, code and text.  Returns the HTTP status.
 */
int command_ask(const struct command *command, const char *method, const char *path, json_t *body,
                json_t **answer, struct error *err);

/* Sends a request whose body the caller reads; a status of 400 or more is an error here too. */
int command_open(const struct command *command, struct request *request, struct reply *reply,
                 struct error *err);

/*
 * What one word of a verb that takes several came to: 'json' (a new reference) for --json, 'text'
 * (may be NULL) for people, which --quiet leaves out.
 */
struct outcome {
    json_t *json;
    const char *text;
};

typedef int (*each_fn)(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);

/*
 * Runs each() for every word, goes on after failures (which it tells), and prints what came of it:
 * with --json one document, an object for one word and an array for several.  Returns the exit
 * status of the first failure, or 0.
 */
int command_each(struct command *command, each_fn each, struct error *err);

/* Splits VOLUME@SNAPSHOT; *snapshot is NULL where there is no '@' (INVALID if it is required). */
int split_snapshot(struct arena *mem, const char *word, bool is_required, const char **volume,
                   const char **snapshot, struct error *err);

/* Splits NAME:TAG of an image; *tag is NULL where there is none.  A registry's port is no tag. */
void split_tag(struct arena *mem, const char *name, const char **repo, const char **tag);

/* A size in bytes on standard error while something takes long, when that is a terminal. */
const struct ticker *progress_ticker(const struct command *command);

/* Takes the last line of progress away. */
void progress_clear(void);

#endif
