/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's attachments to containers that are there already. */
#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "core/attachment/attachment_hot.h"
#include "core/attachment/bind_spec.h"
#include "core/attachment/scratch_promote.h"

struct attach_request {
    const char *bind;
    const char *subpath;
};

struct detach_request {
    const char *destination;
    bool force;
};

struct promote_request {
    const char *destination;
    const char *name;
};

int native_attachment_create(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct attach_request, bind, REQUIRED),
        FIELD(TEXT, struct attach_request, subpath, OPTIONAL),
        FIELDS_END,
    };
    struct attach_request request = { .subpath = "" };
    struct attachment attachment = { 0 };
    struct bind_spec spec;

    if (decode_body(call, fields, &request, err) < 0 ||
        bind_spec_parse(call->task->mem, request.bind, &spec, err) < 0)
        return -1;
    if (spec.is_host_path || spec.source == NULL)
        return fail(err, ERR_INVALID, "'%s' names no volume: it is 'VOLUME:PATH[:MODE]'",
                    request.bind);
    struct attachment wanted = bind_spec_attachment(&spec);
    wanted.subpath = request.subpath;
    if (attachment_attach(call->task, call->args[0], &wanted, &attachment, err) < 0)
        return -1;
    return call_reply_json(call, 201, encode_attachment(&attachment), err);
}

int native_attachment_remove(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct detach_request, destination, REQUIRED),
        FIELD(BOOL, struct detach_request, force, OPTIONAL),
        FIELDS_END,
    };
    struct detach_request request = { 0 };
    struct attachment attachment = { 0 };

    if (decode_query(call, fields, &request, err) < 0 ||
        attachment_detach(call->task, call->args[0], request.destination, request.force,
                          &attachment, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_attachment(&attachment), err);
}

int native_attachment_promote(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct promote_request, destination, REQUIRED),
        FIELD(TEXT, struct promote_request, name, REQUIRED),
        FIELDS_END,
    };
    struct promote_request request = { 0 };
    struct volume volume;

    if (decode_body(call, fields, &request, err) < 0 ||
        scratch_promote(call->task, call->args[0], request.destination, request.name, &volume,
                        err) < 0)
        return -1;
    return call_reply_json(call, 201, encode_volume(call->task, &volume), err);
}
