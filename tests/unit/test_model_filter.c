/* SPDX-License-Identifier: Apache-2.0 */
/* Filters as Go's and Python's clients send them. */
#include "lib/test.h"
#include "model/filter.h"

static const char *const known[] = { "name", "label", "label!", "dangling", NULL };

static struct filter parse(struct arena *mem, const char *text)
{
    struct filter filter = { 0 };
    struct error err = { 0 };

    CHECK_OK(filter_parse(&filter, mem, text, known, &err), &err);
    return filter;
}

TEST(filter_parse_takes_lists_and_maps)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter list = parse(mem, "{\"name\":[\"a\",\"b\"]}");
    struct filter map = parse(mem, "{\"name\":{\"a\":true,\"b\":true},\"label\":null}");

    CHECK_INT((int)list.count, 2);
    CHECK_INT((int)map.count, 2);
    CHECK(filter_match(&list, "name", "b"));
    CHECK(filter_match(&map, "name", "b"));
    CHECK(!filter_match(&map, "name", "c"));
    CHECK(filter_match(&map, "label", "absent keys hold"));
}

TEST(filter_parse_names_the_key_it_does_not_know)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter filter = { 0 };
    struct error err = { 0 };

    CHECK_FAILS(filter_parse(&filter, mem, "{\"bogus\":[\"a\"]}", known, &err), &err, ERR_INVALID);
    CHECK_STR(err.message, "invalid filter 'bogus'");
    CHECK_FAILS(filter_parse(&filter, mem, "[]", known, &err), &err, ERR_INVALID);
    CHECK_FAILS(filter_parse(&filter, mem, "{\"name\":[1]}", known, &err), &err, ERR_INVALID);
    CHECK_FAILS(filter_parse(&filter, mem, "{\"name\":7}", known, &err), &err, ERR_INVALID);
    CHECK_FAILS(filter_parse(&filter, mem, "{", known, &err), &err, ERR_INVALID);
    CHECK_OK(filter_parse(&filter, mem, NULL, known, &err), &err);
    CHECK_OK(filter_parse(&filter, mem, "", known, &err), &err);
}

TEST(filter_match_labels_wants_all_terms)
{
    cleanup_arena struct arena *mem = arena_new();
    struct pair items[] = { { "a", "1" }, { "b", "" } };
    struct pairs labels = { 2, items };
    struct filter both = parse(mem, "{\"label\":[\"a=1\",\"b\"]}");
    struct filter wrong = parse(mem, "{\"label\":[\"a=2\",\"b\"]}");
    struct filter without = parse(mem, "{\"label!\":[\"a=2\",\"c\"]}");
    struct filter excluded = parse(mem, "{\"label!\":[\"a\"]}");

    CHECK(filter_match_labels(&both, &labels));
    CHECK(!filter_match_labels(&wrong, &labels));
    CHECK(filter_match_labels(&without, &labels));
    CHECK(!filter_match_labels(&excluded, &labels));
}

TEST(filter_get_bool_refuses_what_is_neither)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter yes = parse(mem, "{\"dangling\":{\"1\":true}}");
    struct filter odd = parse(mem, "{\"dangling\":[\"maybe\"]}");
    struct error err = { 0 };
    bool value = false;

    CHECK_OK(filter_get_bool(&yes, "dangling", &value, &err), &err);
    CHECK(value);
    CHECK_OK(filter_get_bool(&yes, "name", &value, &err), &err);
    CHECK(value);
    CHECK_FAILS(filter_get_bool(&odd, "dangling", &value, &err), &err, ERR_INVALID);
}

TEST(filter_match_part_and_prefix_look_into_the_value)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter filter = parse(mem, "{\"name\":[\"bc\"]}");

    CHECK(filter_match_part(&filter, "name", "abcd"));
    CHECK(!filter_match_prefix(&filter, "name", "abcd"));
    CHECK(filter_match_prefix(&filter, "name", "bcd"));
}
