/* SPDX-License-Identifier: Apache-2.0 */
/* Reading config.json: what is strict, what is forgiven, and that messages name the member. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lib/test.h"
#include "runner/spec/spec.h"

#define MINIMAL                                                \
    "\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"}," \
    "\"process\":{\"cwd\":\"/\",\"args\":[\"true\"]%s},"       \
    "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}%s]%s}%s"

struct parts {
    const char *process;
    const char *namespaces;
    const char *linux_members;
    const char *top;
};

static int parse(struct arena *mem, const struct parts *parts, struct spec **spec,
                 struct error *err)
{
    char *text = arena_printf(mem, "{" MINIMAL "}", parts->process != NULL ? parts->process : "",
                              parts->namespaces != NULL ? parts->namespaces : "",
                              parts->linux_members != NULL ? parts->linux_members : "",
                              parts->top != NULL ? parts->top : "");

    return spec_parse(mem, "/bundle", text, strlen(text), spec, err);
}

TEST(a_minimal_spec_is_read_and_paths_are_made_absolute)
{
    cleanup_arena struct arena *mem = arena_new();
    struct parts parts = { .top = ",\"mounts\":[{\"destination\":\"a/../b//c\"}]" };
    struct error err = { 0 };
    struct spec *spec = NULL;

    CHECK_OK(parse(mem, &parts, &spec, &err), &err);
    CHECK_STR(spec->root_path, "/bundle/rootfs");
    CHECK_STR(spec->process->args[0], "true");
    CHECK_STR(ARRAY_ITEM(spec->mounts, struct mount_spec, 0)->destination, "/b/c");
    CHECK(spec->seccomp == NULL);
    spec_close(spec);
}

TEST(unknown_members_and_nulls_are_ignored)
{
    cleanup_arena struct arena *mem = arena_new();
    struct parts parts = { .process = ",\"rlimits\":null,\"later\":{\"x\":1}", .top = ",\"vm\":7" };
    struct error err = { 0 };
    struct spec *spec = NULL;

    CHECK_OK(parse(mem, &parts, &spec, &err), &err);
    CHECK(spec->process->rlimits.count == 0);
    spec_close(spec);
}

TEST(what_is_wrong_is_named)
{
    static const struct {
        struct parts parts;
        const char *message;
    } rows[] = {
        { { .process = ",\"user\":{\"uid\":\"0\"}" }, "'process.user.uid' must be a whole number" },
        { { .process = ",\"user\":{\"uid\":-1}" }, "'process.user.uid' is out of range: -1" },
        { { .process = ",\"user\":{\"uid\":4294967296}" },
          "'process.user.uid' is out of range: 4294967296" },
        { { .process = ",\"env\":[\"A\"]" }, "'process.env' has no '=' in 'A'" },
        { { .process = ",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":1}]" },
          "unknown resource limit 'RLIMIT_X'" },
        { { .namespaces = ",{\"type\":\"mount\"}" }, "namespace 'mount' is given twice" },
        { { .namespaces = ",{\"type\":\"x\"}" }, "unknown namespace 'x'" },
        { { .top = ",\"hostname\":\"x\"" }, "a host name without a uts namespace" },
        { { .linux_members = ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]" },
          "id mappings without a user namespace" },
        { { .linux_members = ",\"uidMappings\":[{\"containerID\":0,\"size\":1}]" },
          "'linux.uidMappings[0].hostID' is missing" },
        { { .linux_members = ",\"sysctl\":{\"a\":1}" }, "'linux.sysctl.a' must be a string" },
        { { .linux_members = ",\"resources\":{\"memory\":{\"limit\":\"1g\"}}" },
          "'linux.resources.memory.limit' must be a whole number" },
        { { .linux_members = ",\"intelRdt\":{}" }, "'linux.intelRdt' is not supported" },
        { { .top = ",\"hooks\":{\"poststop\":[{\"path\":\"x\"}]}" },
          "the path of a hook must be absolute: 'x'" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_arena struct arena *mem = arena_new();
        struct error err = { 0 };
        struct spec *spec = NULL;
        CHECK_INT(parse(mem, &rows[i].parts, &spec, &err), -1);
        CHECK_STR(err.message, rows[i].message);
    }
}

TEST(unlimited_is_read_from_the_largest_unsigned_number)
{
    cleanup_arena struct arena *mem = arena_new();
    struct parts parts = {
        .process = ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":18446744073709551615,"
                   "\"hard\":18446744073709551615}],\"env\":[\"A=18446744073709551615\"]",
    };
    struct error err = { 0 };
    struct spec *spec = NULL;

    CHECK_OK(parse(mem, &parts, &spec, &err), &err);
    CHECK(ARRAY_ITEM(spec->process->rlimits, struct process_rlimit, 0)->hard == -1);
    CHECK_STR(spec->process->env[0], "A=18446744073709551615");
    spec_close(spec);
}

TEST(a_document_that_is_no_spec_is_refused)
{
    static const char *const texts[] = { "",
                                         "[]",
                                         "{}",
                                         "null",
                                         "{\"ociVersion\":1}",
                                         "{ ",
                                         "{\"a\":\"\\u0000\"}",
                                         "{\"a\":1,\"a\":2}" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        cleanup_arena struct arena *mem = arena_new();
        char *text = arena_strdup(mem, texts[i]);
        struct error err = { 0 };
        struct spec *spec = NULL;
        CHECK_FAILS(spec_parse(mem, "/b", text, strlen(text), &spec, &err), &err, ERR_INVALID);
    }
}

TEST(hooks_are_told_apart_by_kind)
{
    cleanup_arena struct arena *mem = arena_new();
    struct parts parts = { .top = ",\"hooks\":{\"prestart\":[{\"path\":\"/a\",\"timeout\":3}],"
                                  "\"poststop\":[{\"path\":\"/b\"},{\"path\":\"/c\"}]}" };
    struct error err = { 0 };
    struct spec *spec = NULL;

    CHECK_OK(parse(mem, &parts, &spec, &err), &err);
    CHECK(spec->hooks[HOOK_PRESTART].count == 1);
    CHECK(spec->hooks[HOOK_CREATE_RUNTIME].count == 0);
    CHECK(spec->hooks[HOOK_POSTSTOP].count == 2);
    CHECK_STR(ARRAY_ITEM(spec->hooks[HOOK_POSTSTOP], struct hook, 1)->path, "/c");
    CHECK_INT(ARRAY_ITEM(spec->hooks[HOOK_PRESTART], struct hook, 0)->timeout.value, 3);
    spec_close(spec);
}
