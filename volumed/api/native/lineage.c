/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's lineage: a graph as its edges. */
#include "core/volume/lineage.h"

#include <string.h>

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"

struct lineage_request {
    const char *volume;
    const char *snapshot;
};

static json_t *encode_node(const char *kind, const char *id, const char *name);
static json_t *encode_edge(const struct lineage_edge *edge);

int native_lineage_get(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct lineage_request, volume, OPTIONAL),
        FIELD(TEXT, struct lineage_request, snapshot, OPTIONAL),
        FIELDS_END,
    };
    struct lineage_request request = { 0 };
    struct lineage lineage = { 0 };

    if (decode_query(call, fields, &request, err) < 0)
        return -1;
    if (request.volume == NULL && request.snapshot != NULL)
        return fail(err, ERR_INVALID, "query 'snapshot' needs 'volume'");
    if (lineage_get(call->task, request.volume, request.snapshot, &lineage, err) < 0)
        return -1;
    json_t *edges = json_array();
    for (size_t i = 0; i < lineage.count; i++)
        json_add(edges, encode_edge(&lineage.edges[i]));
    json_t *json = encode_list("edges", edges);
    json_set(json, "root",
             lineage.kind == NULL ? json_null()
                                  : encode_node(lineage.kind, lineage.id, lineage.name));
    return call_reply_json(call, 200, json, err);
}

static json_t *encode_node(const char *kind, const char *id, const char *name)
{
    json_t *json = json_object();

    json_set(json, "kind", json_text(kind));
    json_set(json, "id", json_text(id));
    json_set(json, "name", json_text(name));
    return json;
}

static json_t *encode_edge(const struct lineage_edge *edge)
{
    json_t *json = json_object();
    struct error ignored; /* what is in the row is JSON: we wrote it */
    json_t *detail = edge->detail == NULL ? json_object()
                                          : json_read(edge->detail, strlen(edge->detail), &ignored);
    bool is_snapshot = strchr(edge->child_name, '@') != NULL; /* no volume's name has one */

    json_set(json, "child",
             encode_node(is_snapshot ? "snapshot" : "volume", edge->child_id, edge->child_name));
    json_set(json, "relation", json_text(edge->relation));
    json_set(json, "parent", encode_node(edge->parent_kind, edge->parent_id, edge->parent_name));
    json_set(json, "detail", detail != NULL ? detail : json_object());
    encode_time_ms(json, "time", edge->time_ms);
    return json;
}
