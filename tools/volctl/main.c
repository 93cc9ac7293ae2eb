/* SPDX-License-Identifier: Apache-2.0 */
/* volctl NOUN VERB: finds the verb's row, reads its words, runs it, tells how it ended. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "help.h"
#include "output.h"
#include "verbs.h"

#define DEFAULT_SOCKET "/run/volumed.sock"

static int run_line(struct arena *mem, const char *const *argv, struct error *err);
static const char *const *spell_out(struct arena *mem, const char *const *argv);
static int run_without_verb(const struct args *args);
static int run_verb(struct command *command, const char *const *words, struct error *err);
static int check_words(const struct command *command, struct error *err);
static int suggest(const char *what, const char *noun, const char *name);

int main(int argc, char **argv)
{
    cleanup_arena struct arena *mem = arena_new();
    struct error err = { 0 };

    (void)signal(SIGPIPE, SIG_IGN); /* a reader that went is seen by the write */
    int status = run_line(mem, (const char *const *)argv + (argc > 0 ? 1 : 0), &err);
    if (!output_is_whole() && status == 0 && errno != EPIPE) {
        (void)fail_sys(&err, -errno, "cannot write the output");
        failure_tell(NULL, NULL, &err);
        return exit_status(err.code);
    }
    return status;
}

/* Common options may stand before and between noun and verb; all after the verb is the verb's. */
static int run_line(struct arena *mem, const char *const *argv, struct error *err)
{
    struct args args = { 0 };

    if (args_parse(&args, mem, NULL, 2, spell_out(mem, argv), err) < 0) {
        failure_tell(NULL, NULL, err);
        return exit_status(err->code);
    }
    if (args.word_count == 0 || args_has(&args, "version"))
        return run_without_verb(&args);
    const struct noun *noun = noun_find(args.words[0]);
    if (noun == NULL)
        return suggest("noun", NULL, args.words[0]);
    if (args.word_count == 1) {
        help_noun(noun);
        return args_has(&args, "help") ? 0 : exit_status(ERR_INVALID);
    }
    struct command command = { .verb = verb_find(noun->name, args.words[1]), .mem = mem };
    if (command.verb == NULL)
        return suggest("verb", noun->name, args.words[1]);
    const char *const *rest = args.words + 2;
    args.word_count = 0;
    command.args = args;
    return run_verb(&command, rest, err);
}

/* A line that begins with a verb of one noun alone: 'volctl diff' is 'volctl file diff'. */
static const char *const *spell_out(struct arena *mem, const char *const *argv)
{
    const struct verb *verb =
        *argv == NULL || noun_find(*argv) != NULL ? NULL : verb_find_alone(*argv);
    size_t count = 0;

    if (verb == NULL)
        return argv;
    while (argv[count] != NULL)
        count++;
    const char **whole = arena_array(mem, count + 2, sizeof(*whole));
    whole[0] = verb->noun;
    for (size_t i = 0; i < count; i++)
        whole[i + 1] = argv[i];
    return whole;
}

static int run_without_verb(const struct args *args)
{
    if (args_has(args, "version")) {
        (void)printf("volctl %s\n", VOLUMED_VERSION);
        return 0;
    }
    help_all();
    return args_has(args, "help") ? 0 : exit_status(ERR_INVALID);
}

static int run_verb(struct command *command, const char *const *words, struct error *err)
{
    const struct verb *verb = command->verb;
    struct args *args = &command->args;
    const char *from_env = secure_getenv("VOLUMED_SOCKET");

    int rc = args_parse(args, command->mem, verb->options, verb->free_after, words, err);
    if (rc == 0 && args_has(args, "help")) {
        help_verb(verb);
        return 0;
    }
    if (rc == 0 && args_has(args, "version"))
        return run_without_verb(args);
    command->is_json = args_has(args, "json");
    command->is_quiet = args_has(args, "quiet");
    command->socket = args_get(args, "socket");
    if (command->socket == NULL)
        command->socket = from_env != NULL && *from_env != '\0' ? from_env : DEFAULT_SOCKET;
    if (rc < 0 || check_words(command, err) < 0) {
        args->word_count = 0; /* the line is at fault, not what its words name */
        return failure_report(command, err);
    }
    rc = verb->run(command, err);
    return rc >= 0 ? rc : failure_report(command, err);
}

static int check_words(const struct command *command, struct error *err)
{
    const struct verb *verb = command->verb;
    int count = command->args.word_count;

    if (count >= verb->min_words && count <= verb->max_words)
        return 0;
    if (*verb->usage == '\0')
        return fail(err, ERR_INVALID, "no words are taken: 'volctl %s %s [OPTION...]'", verb->noun,
                    verb->name);
    return fail(err, ERR_INVALID, "too %s words: 'volctl %s %s %s'",
                count < verb->min_words ? "few" : "many", verb->noun, verb->name, verb->usage);
}

static int suggest(const char *what, const char *noun, const char *name)
{
    (void)fprintf(stderr, "volctl: there is no %s '%s'\nhint: 'volctl%s%s --help' lists them\n",
                  what, name, noun != NULL ? " " : "", noun != NULL ? noun : "");
    return exit_status(ERR_INVALID);
}
