/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's grammar of names, by its own examples. */
#include <string.h>

#include "core/image/image.h"
#include "core/image/image_name.h"
#include "lib/test.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(names_become_full_and_familiar_again)
{
    static const struct {
        const char *name;
        const char *full;
        const char *familiar;
    } cases[] = {
        { "busybox", "docker.io/library/busybox:latest", "busybox:latest" },
        { "busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36" },
        { "library/busybox", "docker.io/library/busybox:latest", "busybox:latest" },
        { "docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest" },
        { "index.docker.io/a/b", "docker.io/a/b:latest", "a/b:latest" },
        { "a/b:C_d.e-f", "docker.io/a/b:C_d.e-f", "a/b:C_d.e-f" },
        { "localhost/x", "localhost/x:latest", "localhost/x:latest" },
        { "host:5000/x", "host:5000/x:latest", "host:5000/x:latest" },
        { "HOST/x", "HOST/x:latest", "HOST/x:latest" },
        { "ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1" },
        { "[::1]:80/x", "[::1]:80/x:latest", "[::1]:80/x:latest" },
        { "a__b/c-d--e.f_g", "docker.io/a__b/c-d--e.f_g:latest", "a__b/c-d--e.f_g:latest" },
        { "x@sha256:" HEX64, "docker.io/library/x@sha256:" HEX64, "x@sha256:" HEX64 },
        { "x:1@sha256:" HEX64, "docker.io/library/x:1@sha256:" HEX64, "x:1@sha256:" HEX64 },
    };
    struct arena *mem = arena_new();
    struct error err;
    const char *full;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_OK(image_name_normalize(mem, cases[i].name, &full, &err), &err);
        CHECK_STR(full, cases[i].full);
        CHECK_STR(image_name_familiar(mem, full), cases[i].familiar);
    }
    arena_free(mem);
}

TEST(what_is_no_name_is_refused_in_dockers_words)
{
    static const struct {
        const char *name;
        const char *says;
    } cases[] = {
        { "", "invalid reference format" },
        { ":tag", "invalid reference format" },
        { "a:", "invalid reference format" },
        { "a:-x", "invalid reference format" },
        { "a//b", "invalid reference format" },
        { "/a", "invalid reference format" },
        { "a/", "invalid reference format" },
        { "a b", "invalid reference format" },
        { "-a", "invalid reference format" },
        { "a-", "invalid reference format" },
        { "a..b", "invalid reference format" },
        { "a___b", "invalid reference format" },
        { "a._b", "invalid reference format" },
        { "-h.io/a", "invalid reference format" },
        { "h.io:x/a", "invalid reference format" },
        { "h..io/a", "invalid reference format" },
        { "a@b", "invalid reference format" },
        { "a@sha256:abc", "invalid reference format" },
        { "a@md5:" HEX64, "unsupported digest algorithm" },
        { "a\nb", "invalid reference format" },
        { "Busybox", "invalid reference format: repository name must be lowercase" },
        { "a/Bc", "invalid reference format: repository name must be lowercase" },
        { HEX64,
          "invalid repository name (" HEX64 "), cannot specify 64-byte hexadecimal strings" },
    };
    struct arena *mem = arena_new();
    struct error err;
    const char *full;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_FAILS(image_name_normalize(mem, cases[i].name, &full, &err), &err, ERR_INVALID);
        CHECK_STR(err.message, cases[i].says);
    }
    arena_free(mem);
}

TEST(lengths_are_bounded)
{
    struct arena *mem = arena_new();
    struct error err;
    const char *full;
    char name[400];

    memset(name, 'a', sizeof(name));
    name[255 - strlen("docker.io/library/")] = '\0';
    CHECK_OK(image_name_normalize(mem, name, &full, &err), &err);
    strcat(name, "a");
    CHECK_FAILS(image_name_normalize(mem, name, &full, &err), &err, ERR_INVALID);
    CHECK_STR(err.message, "repository name must not be more than 255 characters");
    memset(name, 'a', sizeof(name));
    name[1] = ':';
    name[2 + 128] = '\0';
    CHECK_OK(image_name_normalize(mem, name, &full, &err), &err);
    strcat(name, "a");
    CHECK_FAILS(image_name_normalize(mem, name, &full, &err), &err, ERR_INVALID);
    arena_free(mem);
}

TEST(a_repository_and_a_tag_are_joined)
{
    struct arena *mem = arena_new();
    struct error err;
    const char *full;

    CHECK_OK(image_name_join(mem, "a/b", "v1", &full, &err), &err);
    CHECK_STR(full, "docker.io/a/b:v1");
    CHECK_OK(image_name_join(mem, "a/b:v2", "", &full, &err), &err);
    CHECK_STR(full, "docker.io/a/b:v2");
    CHECK_OK(image_name_join(mem, "a", NULL, &full, &err), &err);
    CHECK_STR(full, "docker.io/library/a:latest");
    CHECK_FAILS(image_name_join(mem, "", "x", &full, &err), &err, ERR_INVALID);
    CHECK_FAILS(image_name_join(mem, NULL, "x", &full, &err), &err, ERR_INVALID);
    CHECK_FAILS(image_name_join(mem, "a", "b/c", &full, &err), &err, ERR_INVALID);
    CHECK_STR(err.message, "invalid tag format");
    arena_free(mem);
}
