/* SPDX-License-Identifier: Apache-2.0 */
/* Images coming in and going out: load, import, save, commit.  What is in them is core/image's. */
#include <string.h>

#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "api/docker/reply.h"

static int image_pull(struct call *call, const char *name, struct error *err);
static int image_import_body(struct call *call, struct error *err);
static int image_import_spec_read(struct call *call, struct image_import_spec *spec,
                                  struct error *err);
static void name_split(struct arena *mem, const char **repo, const char **tag);
static int save_refs(struct call *call, const char *const *refs, struct error *err);
static bool commit_pauses(const struct call *call);

int docker_image_create(struct call *call, struct error *err)
{
    const char *name = query_text(call, "fromImage");

    return name != NULL ? image_pull(call, name, err) : image_import_body(call, err);
}

int docker_image_load(struct call *call, struct error *err)
{
    struct byte_source source = reply_body_source(call);
    struct progress progress = reply_progress(call);
    int rc = image_load(call->task, &source, &progress, err);

    return reply_messages_end(call, rc, err);
}

int docker_image_save(struct call *call, struct error *err)
{
    const char *const *refs = query_list(call, "names");

    if (refs[0] == NULL)
        return fail(err, ERR_INVALID, "no image was named");
    return save_refs(call, refs, err);
}

int docker_image_save_one(struct call *call, struct error *err)
{
    const char *const refs[] = { call->args[0], NULL };

    return save_refs(call, refs, err);
}

int docker_commit(struct call *call, struct error *err)
{
    cleanup_json json_t *body = call_body_json(call, true, err);
    struct commit_spec spec = {
        .container = query_text(call, "container"),
        .repo = query_text(call, "repo"),
        .tag = query_text(call, "tag"),
        .author = query_text(call, "author"),
        .comment = query_text(call, "comment"),
        .changes = query_list(call, "changes"),
        .config = json_object_size(body) > 0 ? body : NULL,
        .is_paused = commit_pauses(call),
    };
    const char *id;

    if (body == NULL)
        return -1;
    if (spec.container == NULL)
        return fail(err, ERR_INVALID, "no container was named");
    name_split(call->task->mem, &spec.repo, &spec.tag);
    if (image_commit(call->task, &spec, &id, err) < 0)
        return -1;
    return call_reply_json(call, 201, json_pack("{s:s}", "Id", id), err);
}

/* There are no registries yet; the status makes clients say so and stop. */
static int image_pull(struct call *call, const char *name, struct error *err)
{
    (void)call;
    return fail(err, ERR_NOT_FOUND,
                "cannot pull %s: volumed does not speak to registries, use 'docker load' or "
                "'docker import'",
                name);
}

static int image_import_body(struct call *call, struct error *err)
{
    struct byte_source source = reply_body_source(call);
    struct image_import_spec spec;
    const char *id;

    if (image_import_spec_read(call, &spec, err) < 0 ||
        image_import(call->task, &spec, &source, &id, err) < 0)
        return -1;
    cleanup_json json_t *message = json_pack("{s:s}", "status", id);
    reply_message(call, message);
    return reply_messages_end(call, 0, err);
}

static int image_import_spec_read(struct call *call, struct image_import_spec *spec,
                                  struct error *err)
{
    const char *from = query_text(call, "fromSrc");

    if (from == NULL || strcmp(from, "-") != 0)
        return fail(err, ERR_UNSUPPORTED,
                    "volumed does not download: send the archive itself ('docker import -')");
    *spec = (struct image_import_spec){
        .repo = query_text(call, "repo"),
        .tag = query_text(call, "tag"),
        .message = query_text(call, "message"),
        .changes = query_list(call, "changes"),
    };
    name_split(call->task->mem, &spec->repo, &spec->tag);
    return 0;
}

/* A tag may come with the name: "my:tag" is "my" and "tag"; a port before a slash is no tag. */
static void name_split(struct arena *mem, const char **repo, const char **tag)
{
    if (*repo == NULL || *tag != NULL)
        return;
    const char *slash = strrchr(*repo, '/');
    const char *colon = strchr(slash != NULL ? slash : *repo, ':');
    if (colon == NULL)
        return;
    *tag = colon + 1;
    *repo = arena_strndup(mem, *repo, (size_t)(colon - *repo));
}

static int save_refs(struct call *call, const char *const *refs, struct error *err)
{
    struct reply_bytes bytes = { .call = call, .content_type = "application/x-tar" };
    struct byte_sink sink = reply_sink(&bytes);

    if (image_save(call->task, refs, &sink, err) < 0)
        return -1;
    return reply_bytes_end(&bytes, err);
}

static bool commit_pauses(const struct call *call)
{
    return query_text(call, "pause") == NULL || query_flag(call, "pause");
}
