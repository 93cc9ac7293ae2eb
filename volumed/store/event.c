/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of events. */
#include "store/event.h"

struct reader {
    struct arena *mem;
    struct event *items;
    size_t count;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_event_insert(struct db *db, const struct event *event, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();

    return db_exec(db,
                   "INSERT INTO event (time_ns, type, action, object_id, attributes, actor)"
                   " VALUES (?, ?, ?, ?, ?, ?)",
                   ARGS(I64(event->time_ns), TEXT(event->type), TEXT(event->action),
                        TEXT(event->object_id), TEXT(pairs_to_text(&event->attributes, mem)),
                        TEXT(event->actor)),
                   err);
}

int store_event_list(struct db *db, struct arena *mem, int64_t after, int limit,
                     struct event **list, struct error *err)
{
    struct reader reader = { .mem = mem };

    reader.items = arena_array(mem, (size_t)limit, sizeof(*reader.items));
    int count = db_query(db,
                         "SELECT seq, time_ns, type, action, object_id, attributes, actor"
                         " FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
                         ARGS(I64(after), I64(limit)), read_row, &reader, err);
    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_event_last(struct db *db, int64_t *seq, struct error *err)
{
    return db_query_i64(db, "SELECT max(seq) FROM event", NO_ARGS, seq, err);
}

/* Events are written in time's order but for clock steps: walking down from the newest is short. */
int store_event_seq_before(struct db *db, int64_t time_ns, int64_t *seq, struct error *err)
{
    return db_query_i64(db, "SELECT seq FROM event WHERE time_ns < ? ORDER BY seq DESC LIMIT 1",
                        ARGS(I64(time_ns)), seq, err);
}

int store_event_prune(struct db *db, int keep, struct error *err)
{
    return db_exec(db, "DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?",
                   ARGS(I64(keep)), err);
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct event *event = &reader->items[reader->count++];

    *event = (struct event){
        .seq = row_i64(row, 0),
        .time_ns = row_i64(row, 1),
        .type = row_text(row, 2, reader->mem),
        .action = row_text(row, 3, reader->mem),
        .object_id = row_text(row, 4, reader->mem),
        .actor = row_text(row, 6, reader->mem),
    };
    return pairs_from_text(&event->attributes, reader->mem, row_text(row, 5, reader->mem), err);
}
