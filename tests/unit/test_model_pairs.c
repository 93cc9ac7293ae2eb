/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of text: changes, equality, and the way through JSON and back. */
#include <string.h>

#include "lib/test.h"
#include "model/pairs.h"

TEST(pairs_set_replaces_and_leaves_the_callers_array_alone)
{
    cleanup_arena struct arena *mem = arena_new();
    struct pair own[1] = { { "a", "1" } };
    struct pairs pairs = { 1, own };

    pairs_set(&pairs, mem, "b", "2");
    pairs_set(&pairs, mem, "b", "3");
    CHECK_INT((int)pairs.count, 2);
    CHECK_STR(pairs_get(&pairs, "b"), "3");
    CHECK_STR(own[0].value, "1");
    CHECK(pairs_get(&pairs, "c") == NULL);
}

TEST(pairs_remove_keeps_the_others_in_order)
{
    cleanup_arena struct arena *mem = arena_new();
    struct pairs pairs = { 0 };

    pairs_set(&pairs, mem, "a", "1");
    pairs_set(&pairs, mem, "b", "2");
    pairs_set(&pairs, mem, "c", "3");
    pairs_remove(&pairs, "a");
    pairs_remove(&pairs, "not there");
    CHECK_INT((int)pairs.count, 2);
    CHECK_STR(pairs.items[0].key, "b");
    CHECK_STR(pairs.items[1].key, "c");
}

TEST(pairs_equal_ignores_order)
{
    struct pair one[] = { { "a", "1" }, { "b", "2" } };
    struct pair two[] = { { "b", "2" }, { "a", "1" } };
    struct pair three[] = { { "b", "2" }, { "a", "x" } };

    CHECK(pairs_equal(&(struct pairs){ 2, one }, &(struct pairs){ 2, two }));
    CHECK(!pairs_equal(&(struct pairs){ 2, one }, &(struct pairs){ 2, three }));
    CHECK(!pairs_equal(&(struct pairs){ 2, one }, &(struct pairs){ 1, two }));
    CHECK(pairs_equal(&(struct pairs){ 0 }, &(struct pairs){ 0 }));
}

TEST(pairs_survive_the_way_through_text)
{
    cleanup_arena struct arena *mem = arena_new();
    struct error err = { 0 };
    struct pairs pairs = { 0 };
    struct pairs back = { 0 };

    pairs_set(&pairs, mem, "quote \" and \n", "ünï");
    pairs_set(&pairs, mem, "", "");
    CHECK_OK(pairs_from_text(&back, mem, pairs_to_text(&pairs, mem), &err), &err);
    CHECK(pairs_equal(&pairs, &back));
    CHECK_STR(pairs_to_text(&(struct pairs){ 0 }, mem), "{}");
}

TEST(pairs_from_json_takes_scalars_and_refuses_the_rest)
{
    static const char good[] = "{\"n\":5,\"b\":true,\"z\":null,\"s\":\"x\"}";
    static const char bad[] = "{\"n\":{}}";
    cleanup_arena struct arena *mem = arena_new();
    struct error err = { 0 };
    struct pairs pairs = { 0 };
    cleanup_json json_t *object = json_read(good, strlen(good), &err);
    cleanup_json json_t *nested = json_read(bad, strlen(bad), &err);

    CHECK_OK(pairs_from_json(&pairs, mem, object, &err), &err);
    CHECK_STR(pairs_get(&pairs, "n"), "5");
    CHECK_STR(pairs_get(&pairs, "b"), "true");
    CHECK_STR(pairs_get(&pairs, "z"), "");
    CHECK_FAILS(pairs_from_json(&pairs, mem, nested, &err), &err, ERR_INVALID);
    CHECK_FAILS(pairs_from_text(&pairs, mem, "[1]", &err), &err, ERR_CORRUPT);
    CHECK_OK(pairs_from_json(&pairs, mem, NULL, &err), &err);
    CHECK_INT((int)pairs.count, 0);
}
