/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's holds on snapshots. */
#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "core/snapshot/snapshot_hold.h"

struct hold_request {
    const char *tag;
};

static int reply_list(struct call *call, int status, struct error *err);

int native_hold_list(struct call *call, struct error *err)
{
    return reply_list(call, 200, err);
}

int native_hold_create(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct hold_request, tag, OPTIONAL),
        FIELDS_END,
    };
    struct hold_request request = { .tag = HOLD_TAG };

    if (decode_body(call, fields, &request, err) < 0 ||
        snapshot_hold(call->task, call->args[0], call->args[1], request.tag, "user", err) < 0)
        return -1;
    return reply_list(call, 201, err);
}

int native_hold_remove(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct hold_request, tag, OPTIONAL),
        FIELDS_END,
    };
    struct hold_request request = { 0 };

    if (decode_query(call, fields, &request, err) < 0 ||
        snapshot_release(call->task, call->args[0], call->args[1], request.tag, err) < 0)
        return -1;
    return reply_list(call, 200, err);
}

static int reply_list(struct call *call, int status, struct error *err)
{
    struct hold *list = NULL;
    int count = snapshot_hold_list(call->task, call->args[0], call->args[1], &list, err);

    if (count < 0)
        return -1;
    json_t *holds = json_array();
    for (int i = 0; i < count; i++) {
        json_t *hold = json_object();
        json_set(hold, "tag", json_text(list[i].tag));
        json_set(hold, "kind", json_text(list[i].kind));
        json_set(hold, "actor", json_text(list[i].actor));
        encode_time_ms(hold, "created", list[i].created_ms);
        json_array_append_new(holds, hold);
    }
    return call_reply_json(call, status, encode_list("holds", holds), err);
}
