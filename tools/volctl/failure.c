/* SPDX-License-Identifier: Apache-2.0 */
/* The one map from error codes to exit statuses, and the hints. */
#include "failure.h"

#include <stdio.h>
#include <string.h>

#include "output.h"

static const int statuses[] = {
    [ERR_NONE] = 0,        [ERR_SYSTEM] = 1,   [ERR_INVALID] = 2, [ERR_NOT_FOUND] = 3,
    [ERR_EXISTS] = 4,      [ERR_CONFLICT] = 4, [ERR_BUSY] = 5,    [ERR_DENIED] = 6,
    [ERR_UNSUPPORTED] = 7, [ERR_NO_SPACE] = 8, [ERR_TIMEOUT] = 9, [ERR_PENDING] = 10,
    [ERR_CORRUPT] = 11,
};

/* The first row that fits is given; NULL fits all. */
static const struct {
    enum error_code code;
    const char *noun;
    const char *verb;
    const char *text;
} hints[] = {
    { ERR_CONFLICT, "volume", "create",
      "a volume of that name has other options; 'volctl volume inspect' shows them" },
    { ERR_CONFLICT, "volume", "rm",
      "'volctl volume inspect' shows what refers to it and whether it is protected; snapshots go "
      "along with --with-snapshots; mounts that another engine lost, with 'volctl volume release'" },
    { ERR_CONFLICT, "volume", "rollback", "'volctl volume unprotect' lifts a protection" },
    { ERR_BUSY, "volume", "rollback",
      "stop the containers that have it mounted; 'volctl volume inspect' names them" },
    { ERR_TIMEOUT, "snapshot", "create",
      "give the containers more time to stand still with --freeze-timeout" },
    { ERR_TIMEOUT, "container", "rehearse",
      "give the container more time to stand still with --freeze-timeout" },
    { ERR_CONFLICT, "container", "rm", "stop it first, or use --force" },
    { ERR_CONFLICT, "container", "exec", "'volctl container start' starts it" },
    { ERR_CONFLICT, "image", "rm", "remove the containers made from it first, or use --force" },
    { ERR_NOT_FOUND, "volume", NULL, "'volctl volume ls' lists the volumes" },
    { ERR_NOT_FOUND, "snapshot", NULL, "'volctl snapshot ls' lists the snapshots" },
    { ERR_NOT_FOUND, "container", "run",
      "'volctl image ls' lists the images, 'volctl image load' brings one in" },
    { ERR_NOT_FOUND, "container", "create",
      "'volctl image ls' lists the images, 'volctl image load' brings one in" },
    { ERR_NOT_FOUND, "container", NULL, "'volctl container ls --all' lists the containers" },
    { ERR_NOT_FOUND, "image", NULL, "'volctl image ls' lists the images" },
    { ERR_NOT_FOUND, "pool", NULL, "'volctl pool ls' lists the pools" },
    { ERR_BUSY, NULL, NULL, "'volctl operation ls --running' shows what is at work" },
    { ERR_NO_SPACE, NULL, NULL, "'volctl pool ls' shows the space, 'volctl system df' its users" },
    { ERR_PENDING, NULL, NULL,
      "the change stands and will be recorded; 'volctl system check --repair' does it now" },
    { ERR_CORRUPT, NULL, NULL, "'volctl system check' shows what contradicts itself" },
};

static const char *find_hint(const struct verb *verb, const struct error *err);
static bool is_unreachable(const struct error *err);

int exit_status(enum error_code code)
{
    return statuses[code];
}

void failure_tell(const struct verb *verb, const char *word, const struct error *err)
{
    const char *hint = find_hint(verb, err);

    progress_clear();
    (void)fflush(stdout); /* so that the order on a terminal is the order of things */
    if (verb == NULL)
        (void)fprintf(stderr, "volctl: %s\n", err->message);
    else if (word == NULL)
        (void)fprintf(stderr, "volctl: cannot %s: %s\n", verb->action, err->message);
    else
        (void)fprintf(stderr, "volctl: cannot %s '%s': %s\n", verb->action, word, err->message);
    if (hint != NULL)
        (void)fprintf(stderr, "hint: %s\n", hint);
    else if (err->code == ERR_INVALID && verb != NULL)
        (void)fprintf(stderr, "hint: 'volctl %s %s --help' explains the command\n", verb->noun,
                      verb->name);
}

int failure_report(const struct command *command, const struct error *err)
{
    const struct args *args = &command->args;

    failure_tell(command->verb, args->word_count > 0 ? args->words[0] : NULL, err);
    if (command->is_json) {
        cleanup_json json_t *json = failure_json(err);
        output_json(json);
    }
    return exit_status(err->code);
}

json_t *failure_json(const struct error *err)
{
    json_t *error = json_object();
    json_t *json = json_object();

    json_set(error, "code", json_text(error_code_name(err->code)));
    json_set(error, "message", json_text(err->message));
    json_set(json, "error", error);
    return json;
}

static const char *find_hint(const struct verb *verb, const struct error *err)
{
    if (is_unreachable(err))
        return err->code == ERR_DENIED
                   ? "the socket's group may connect: be in it, or be root"
                   : "is volumed running?  --socket or VOLUMED_SOCKET name its socket";
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
        if (hints[i].code == err->code &&
            (hints[i].noun == NULL || (verb != NULL && strcmp(hints[i].noun, verb->noun) == 0)) &&
            (hints[i].verb == NULL || (verb != NULL && strcmp(hints[i].verb, verb->name) == 0)))
            return hints[i].text;
    return NULL;
}

/* The only error whose cause is told by its text: it is client.c's own, not the service's. */
static bool is_unreachable(const struct error *err)
{
    return strncmp(err->message, CLIENT_UNREACHABLE, strlen(CLIENT_UNREACHABLE)) == 0;
}
