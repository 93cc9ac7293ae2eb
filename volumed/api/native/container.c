/* SPDX-License-Identifier: Apache-2.0 */
/* What Docker's door cannot tell of a container: its attachments as the database has them. */
#include "core/container/container.h"

#include "api/native/encode.h"
#include "api/native/handlers.h"

int native_container_attachments(struct call *call, struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(call->task, call->args[0], &container, err) < 0)
        return -1;
    json_t *list = json_array();
    for (size_t i = 0; i < container.attachment_count; i++)
        json_array_append_new(list, encode_attachment(&container.attachments[i]));
    json_t *json = encode_list("attachments", list);
    json_set(json, "container_id", json_text(container.id));
    json_set(json, "container", json_text(container.name));
    return call_reply_json(call, 200, json, err);
}
