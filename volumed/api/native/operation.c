/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's operations: what is under way, and what became of it. */
#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "core/operation/op.h"

#define OPERATION_LIST_DEFAULT 100
#define OPERATION_LIST_MAX     10000

struct list_request {
    bool running;
    int64_t limit;
};

int native_operation_list(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(BOOL, struct list_request, running, OPTIONAL),
        FIELD(INT, struct list_request, limit, OPTIONAL),
        FIELDS_END,
    };
    struct list_request request = { .limit = OPERATION_LIST_DEFAULT };
    struct operation *list;

    if (decode_query(call, fields, &request, err) < 0)
        return -1;
    if (request.limit < 1 || request.limit > OPERATION_LIST_MAX)
        return fail(err, ERR_INVALID, "query 'limit' must be from 1 to %d", OPERATION_LIST_MAX);
    int count = operation_list(call->task, request.running, (int)request.limit, &list, err);
    if (count < 0)
        return -1;
    json_t *operations = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(operations, encode_operation(&list[i]));
    return call_reply_json(call, 200, encode_list("operations", operations), err);
}

int native_operation_get(struct call *call, struct error *err)
{
    struct operation operation;

    if (operation_get(call->task, call->args[0], &operation, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_operation(&operation), err);
}
