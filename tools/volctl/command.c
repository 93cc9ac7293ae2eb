/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the service, and verbs over several words. */
#include "command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "failure.h"
#include "output.h"

#define ANSWER_MAX   ((size_t)256 << 20)
#define PROGRESS_MIN 2000 /* ms before a wait is worth a line */

static int read_answer(struct reply *reply, json_t **answer, struct error *err);
static int fail_as_told(const struct reply *reply, const json_t *answer, struct error *err);
static bool is_pending(const struct reply *reply, const json_t *answer);
static enum error_code code_of_status(int status);
static void keep_outcome(struct command *command, json_t *all, struct outcome *outcome);
static void tick(void *context, int64_t elapsed_ms, int64_t bytes);

static bool has_progress_line;

int command_ask(const struct command *command, const char *method, const char *path, json_t *body,
                json_t **answer, struct error *err)
{
    cleanup_reply struct reply reply = { 0 };
    cleanup_buf struct buf text = { 0 };
    cleanup_json json_t *owned = body;
    cleanup_json json_t *json = NULL;
    struct request request = { .method = method,
                               .path = path,
                               .idempotency_key = args_get(&command->args, "idempotency-key"),
                               .ticker = progress_ticker(command) };

    if (owned != NULL) {
        json_append(&text, owned);
        request.content_type = "application/json";
        request.body = text.data;
        request.body_size = text.size;
    }
    int rc = client_ask(command->socket, &request, &reply, err);
    progress_clear();
    if (rc < 0 || read_answer(&reply, &json, err) < 0)
        return -1;
    if (reply.status >= 400 || is_pending(&reply, json))
        return fail_as_told(&reply, json, err);
    if (answer != NULL)
        *answer = json_incref(json);
    return reply.status;
}

int command_open(const struct command *command, struct request *request, struct reply *reply,
                 struct error *err)
{
    cleanup_json json_t *json = NULL;

    request->idempotency_key = args_get(&command->args, "idempotency-key");
    int rc = client_ask(command->socket, request, reply, err);
    progress_clear();
    if (rc < 0)
        return -1;
    if (reply->status < 400)
        return 0;
    if (read_answer(reply, &json, err) == 0)
        (void)fail_as_told(reply, json, err); /* we fail in either case */
    reply_done(reply);
    return -1;
}

int command_each(struct command *command, each_fn each, struct error *err)
{
    cleanup_json json_t *all = json_array();
    int status = 0;

    for (int i = 0; i < command->args.word_count; i++) {
        const char *word = command->args.words[i];
        struct outcome outcome = { 0 };
        if (each(command, word, &outcome, err) == 0) {
            keep_outcome(command, all, &outcome);
            continue;
        }
        if (status == 0)
            status = exit_status(err->code);
        failure_tell(command->verb, word, err);
        json_array_append_new(all, failure_json(err));
    }
    if (command->is_json)
        output_json(json_array_size(all) == 1 ? json_array_get(all, 0) : all);
    return status;
}

int split_snapshot(struct arena *mem, const char *word, bool is_required, const char **volume,
                   const char **snapshot, struct error *err)
{
    const char *at = strchr(word, '@');

    if (at == NULL && is_required)
        return fail(err, ERR_INVALID, "'%s' must be VOLUME@SNAPSHOT", word);
    if (at != NULL && (at == word || at[1] == '\0'))
        return fail(err, ERR_INVALID, "'%s' lacks the volume or the snapshot", word);
    *volume = at == NULL ? word : arena_strndup(mem, word, (size_t)(at - word));
    *snapshot = at == NULL ? NULL : at + 1;
    return 0;
}

void split_tag(struct arena *mem, const char *name, const char **repo, const char **tag)
{
    const char *slash = strrchr(name, '/');
    const char *colon = strchr(slash != NULL ? slash : name, ':');

    *repo = colon == NULL ? name : arena_strndup(mem, name, (size_t)(colon - name));
    *tag = colon == NULL ? NULL : colon + 1;
}

const struct ticker *progress_ticker(const struct command *command)
{
    static const struct ticker ticker = { .tick = tick };

    return !command->is_quiet && isatty(STDERR_FILENO) ? &ticker : NULL;
}

void progress_clear(void)
{
    if (has_progress_line)
        (void)fputs("\r\033[K", stderr);
    has_progress_line = false;
}

static int read_answer(struct reply *reply, json_t **answer, struct error *err)
{
    cleanup_buf struct buf text = { 0 };

    if (reply_read_all(reply, ANSWER_MAX, &text, err) < 0)
        return -1;
    if (text.size == 0)
        return 0;
    *answer = json_read(text.data, text.size, err);
    if (*answer != NULL)
        return 0;
    if (reply->status < 400)
        return error_prefix(err, "the service's answer");
    *answer = json_object(); /* not ours: a proxy's or a stranger's page */
    json_set(*answer, "message", json_text(text.data));
    return 0;
}

static int fail_as_told(const struct reply *reply, const json_t *answer, struct error *err)
{
    const char *code = json_string_value(json_object_get(answer, "code"));
    const char *message = json_string_value(json_object_get(answer, "message"));

    return fail(err, code != NULL ? error_code_find(code) : code_of_status(reply->status), "%s",
                message != NULL ? message : "the service gave no reason");
}

static bool is_pending(const struct reply *reply, const json_t *answer)
{
    const char *code = json_string_value(json_object_get(answer, "code"));

    return reply->status == 202 && code != NULL;
}

/* For servers that send Docker's error body, which has no code. */
static enum error_code code_of_status(int status)
{
    switch (status) {
    case 400: return ERR_INVALID;
    case 403: return ERR_DENIED;
    case 404: return ERR_NOT_FOUND;
    case 409: return ERR_CONFLICT;
    case 501: return ERR_UNSUPPORTED;
    case 504: return ERR_TIMEOUT;
    case 507: return ERR_NO_SPACE;
    default: return ERR_SYSTEM;
    }
}

static void keep_outcome(struct command *command, json_t *all, struct outcome *outcome)
{
    if (!command->is_json && !command->is_quiet && outcome->text != NULL)
        output_line("%s", outcome->text);
    json_array_append_new(all, outcome->json != NULL ? outcome->json : json_object());
}

static void tick(void *context, int64_t elapsed_ms, int64_t bytes)
{
    char size[UNITS_TEXT_SIZE];
    char rate[UNITS_TEXT_SIZE];

    (void)context;
    if (elapsed_ms < PROGRESS_MIN)
        return;
    has_progress_line = true;
    units_format_size(bytes, size);
    units_format_size(bytes * 1000 / elapsed_ms, rate);
    if (bytes > 0)
        (void)fprintf(stderr, "\r\033[K%s in %lld s, %s/s", size, (long long)elapsed_ms / 1000,
                      rate);
    else
        (void)fprintf(stderr, "\r\033[Kwaiting for volumed: %lld s", (long long)elapsed_ms / 1000);
    (void)fflush(stderr);
}
