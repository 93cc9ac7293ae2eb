/* SPDX-License-Identifier: Apache-2.0 */
/* docker cp in both directions and docker export: tars that flow through without being kept. */
#include "api/docker/base64.h"
#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "api/docker/reply.h"
#include "base/clock.h"
#include "core/container/container_files.h"

static int reply_stat(struct call *call, const char *path, struct error *err);
static int wanted_path(const struct call *call, const char **path, struct error *err);
static json_t *stat_json(const struct path_stat *stat);

int docker_archive_stat(struct call *call, struct error *err)
{
    const char *path;

    if (wanted_path(call, &path, err) < 0 || reply_stat(call, path, err) < 0)
        return -1;
    return call_reply_empty(call, 200, err);
}

int docker_archive_get(struct call *call, struct error *err)
{
    struct reply_bytes bytes = { .call = call, .content_type = "application/x-tar" };
    struct byte_sink sink = reply_sink(&bytes);
    const char *path;

    if (wanted_path(call, &path, err) < 0 || reply_stat(call, path, err) < 0 ||
        container_archive_get(call->task, call->args[0], path, &sink, err) < 0)
        return -1;
    return reply_bytes_end(&bytes, err);
}

int docker_archive_put(struct call *call, struct error *err)
{
    struct byte_source source = reply_body_source(call);
    struct archive_put_spec spec = {
        .is_no_overwrite_dir_non_dir = query_flag(call, "noOverwriteDirNonDir"),
        .is_copy_uid_gid = query_flag(call, "copyUIDGID"),
    };

    if (wanted_path(call, &spec.path, err) < 0 ||
        container_archive_put(call->task, call->args[0], &spec, &source, err) < 0)
        return -1;
    return call_reply_empty(call, 200, err);
}

int docker_container_export(struct call *call, struct error *err)
{
    struct reply_bytes bytes = { .call = call, .content_type = "application/octet-stream" };
    struct byte_sink sink = reply_sink(&bytes);

    if (container_export(call->task, call->args[0], &sink, err) < 0)
        return -1;
    return reply_bytes_end(&bytes, err);
}

/* Adds the header that tells what the path is; cp decides by it how to name what it copies. */
static int reply_stat(struct call *call, const char *path, struct error *err)
{
    struct path_stat stat;

    if (container_path_stat(call->task, call->args[0], path, &stat, err) < 0)
        return -1;
    cleanup_json json_t *json = stat_json(&stat);
    http_reply_header(call->http, "X-Docker-Container-Path-Stat",
                      base64_encode(call->task->mem, json_write(call->task->mem, json)));
    return 0;
}

static int wanted_path(const struct call *call, const char **path, struct error *err)
{
    *path = query_text(call, "path");
    return *path != NULL ? 0 : fail(err, ERR_INVALID, "bad parameter: path");
}

static json_t *stat_json(const struct path_stat *stat)
{
    char changed[CLOCK_TEXT_SIZE];
    json_t *json = json_object();

    clock_text_ns(stat->mtime_ns, changed); /* 0 is a time here, not the lack of one */
    json_set(json, "name", json_text_or_empty(stat->name));
    json_set(json, "size", json_integer(stat->size_bytes));
    json_set(json, "mode", json_integer(stat->go_mode));
    json_set(json, "mtime", json_string(changed));
    json_set(json, "linkTarget", json_text_or_empty(stat->link_target));
    return json;
}
