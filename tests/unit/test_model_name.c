/* SPDX-License-Identifier: Apache-2.0 */
/* What names may look like, and what is said of the others. */
#include <string.h>

#include "lib/test.h"
#include "model/name.h"

TEST(name_check_takes_what_docker_takes)
{
    static const char *const good[] = { "ab", "a1", "0x", "data", "a_b.c-d", "A.", "a-" };
    struct error err = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        CHECK_OK(name_check("volume", good[i], &err), &err);
}

TEST(only_what_docker_knows_needs_two_characters)
{
    struct error err = { 0 };

    CHECK_OK(name_check("snapshot", "1", &err), &err);
    CHECK_OK(name_check("set", "a", &err), &err);
    CHECK_FAILS(name_check("snapshot", "", &err), &err, ERR_INVALID);
    CHECK_FAILS(name_check("container", "a", &err), &err, ERR_INVALID);
}

TEST(name_check_refuses_whatever_could_escape_a_directory)
{
    static const char *const bad[] = { "",    "a",   ".",       "..",  "a/b",    "/ab", "a\nb",
                                       "-rf", "_ab", ".hidden", "a b", "ab\xff", "a@b", "a:b" };
    struct error err = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_FAILS(name_check("volume", bad[i], &err), &err, ERR_INVALID);
}

TEST(name_check_refuses_names_that_no_directory_entry_holds)
{
    char name[NAME_LENGTH_MAX + 2];
    struct error err = { 0 };

    memset(name, 'a', sizeof(name));
    name[NAME_LENGTH_MAX + 1] = '\0';
    CHECK_FAILS(name_check("volume", name, &err), &err, ERR_INVALID);
    name[NAME_LENGTH_MAX] = '\0';
    CHECK_OK(name_check("volume", name, &err), &err);
}

TEST(name_check_speaks_as_dockerd_does)
{
    struct error err = { 0 };

    (void)name_check("volume", "a/b", &err);
    CHECK_STR(err.message,
              "create a/b: \"a/b\" includes invalid characters for a local volume name, "
              "only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass "
              "a host directory, use absolute path");
    (void)name_check("volume", "a", &err);
    CHECK_STR(err.message,
              "create a: volume name is too short, names should be at least two alphanumeric "
              "characters");
}
