/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's bytes as the server reads them: heads, then bodies by either framing, then the
 * next request; the same whether they come at once or one by one. */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "fuzz.h"
#include "http/head.h"
#include "http/query.h"

#define OUT_SIZE 64

static size_t scan_whole(const char *text, size_t size, int *status)
{
    size_t scanned = 0;
    ssize_t end = head_scan(text, size, &scanned);

    *status = end < 0 ? (int)-end : 0;
    return end > 0 ? (size_t)end : 0;
}

static size_t scan_stepwise(const char *text, size_t size, int *status)
{
    size_t scanned = 0;
    ssize_t end = 0;

    for (size_t have = 1; have <= size && end == 0; have++)
        end = head_scan(text, have, &scanned);
    *status = end < 0 ? (int)-end : 0;
    return end > 0 ? (size_t)end : 0;
}

/* Returns the bytes taken; *made sums up what was decoded. */
static size_t decode(const struct head *head, const char *text, size_t size, size_t step,
                     size_t *made)
{
    struct body_reader body;
    char out[OUT_SIZE];
    size_t used = 0;

    body_init(&body, head->body_kind, head->body_size);
    *made = 0;
    while (!body.is_done && used < size) {
        size_t left = size - used;
        struct pass pass = {
            .in = text + used,
            .in_size = left < step ? left : step,
            .out = out,
            .out_room = step < OUT_SIZE ? step : OUT_SIZE,
        };
        size_t room = pass.out_room;
        if (body_decode(&body, &pass) < 0)
            break;
        used = (size_t)(pass.in - text);
        *made += room - pass.out_room;
    }
    return used;
}

static void read_head(struct head *head, struct arena *mem)
{
    assert(head->method[0] != '\0' && head->path != NULL && head->query != NULL);
    for (size_t i = 0; i < head->field_count; i++) {
        assert(strpbrk(head->fields[i].value, "\r\n") == NULL);
        assert(head_find(head, head->fields[i].name) != NULL);
    }
    (void)query_find(head->query, "filters", 0, mem);
    (void)query_find(head->query, "", 1, mem);
}

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *text = (const char *)data;

    while (size > 0) {
        struct head head;
        int whole_status;
        int step_status;
        size_t end = scan_whole(text, size, &whole_status);
        assert(scan_stepwise(text, size, &step_status) == end && whole_status == step_status);
        char *copy = arena_alloc(mem, end + 1); /* the NUL at its end is arena_alloc's */
        memcpy(copy, text, end);
        if (end == 0 || head_parse(&head, copy, end) != 0)
            return 0;
        read_head(&head, mem);
        text += end;
        size -= end;
        size_t made;
        size_t made_stepwise;
        size_t used = decode(&head, text, size, size + 1, &made);
        (void)decode(&head, text, size, 1, &made_stepwise);
        assert(made <= size && made_stepwise <= size);
        text += used;
        size -= used;
        if (used == 0 && head.body_kind != BODY_NONE)
            return 0;
    }
    return 0;
}
