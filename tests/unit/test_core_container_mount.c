/* SPDX-License-Identifier: Apache-2.0 */
/* The short and the long forms of mounts. */
#include <string.h>

#include "core/attachment/bind_spec.h"
#include "core/container/container_mount.h"
#include "lib/test.h"

static void check_refused(const char *text, const char *message)
{
    cleanup_arena struct arena *mem = arena_new();
    struct bind_spec spec;
    struct error err;

    CHECK_FAILS(bind_spec_parse(mem, text, &spec, &err), &err, ERR_INVALID);
    CHECK_STR(err.message, message);
}

TEST(a_bind_of_a_name_is_a_volume)
{
    cleanup_arena struct arena *mem = arena_new();
    struct bind_spec spec;
    struct error err;

    CHECK_OK(bind_spec_parse(mem, "data:/var//lib/x/:ro,nocopy", &spec, &err), &err);
    CHECK_STR(spec.source, "data");
    CHECK_STR(spec.destination, "/var/lib/x");
    CHECK_STR(spec.mode, "ro,nocopy");
    CHECK(!spec.is_host_path && spec.is_read_only && spec.is_nocopy && !spec.is_exclusive);
    CHECK_OK(bind_spec_parse(mem, "data:/x:exclusive", &spec, &err), &err);
    CHECK(spec.is_exclusive && !spec.is_read_only);
}

TEST(a_bind_may_show_a_snapshot_a_scratch_or_wait_for_a_writer)
{
    cleanup_arena struct arena *mem = arena_new();
    struct bind_spec spec;
    struct error err;

    CHECK_OK(bind_spec_parse(mem, "data@monday:/x:scratch", &spec, &err), &err);
    CHECK_STR(spec.source, "data");
    CHECK_STR(spec.snapshot, "monday");
    CHECK(spec.is_scratch && !spec.is_read_only);
    CHECK_OK(bind_spec_parse(mem, "data:/x:standby,wait=90s", &spec, &err), &err);
    CHECK(spec.snapshot == NULL && spec.is_standby);
    CHECK_INT(spec.wait_ms, 90000);
    CHECK_OK(bind_spec_parse(mem, "/srv/a@b:/x", &spec, &err), &err);
    CHECK_STR(spec.source, "/srv/a@b");
    CHECK(spec.snapshot == NULL);
    CHECK_FAILS(bind_spec_parse(mem, "/srv:/x:scratch", &spec, &err), &err, ERR_INVALID);
    CHECK_FAILS(bind_spec_parse(mem, "data:/x:wait=", &spec, &err), &err, ERR_INVALID);
    CHECK_FAILS(bind_spec_parse(mem, "data:/x:wait=-1s", &spec, &err), &err, ERR_INVALID);
}

TEST(a_bind_of_a_path_is_the_hosts)
{
    cleanup_arena struct arena *mem = arena_new();
    struct bind_spec spec;
    struct error err;

    CHECK_OK(bind_spec_parse(mem, "/srv/../etc:/e:rslave,Z", &spec, &err), &err);
    CHECK_STR(spec.source, "/etc");
    CHECK_STR(spec.propagation, "rslave");
    CHECK(spec.is_host_path && !spec.is_read_only);
}

TEST(a_bind_of_a_destination_alone_is_anonymous)
{
    cleanup_arena struct arena *mem = arena_new();
    struct bind_spec spec;
    struct error err;

    CHECK_OK(bind_spec_parse(mem, "/data", &spec, &err), &err);
    CHECK(spec.source == NULL);
    CHECK_STR(spec.destination, "/data");
}

TEST(malformed_binds_are_refused_in_the_words_of_dockerd)
{
    check_refused("", "invalid volume specification: ''");
    check_refused("a:b:c:d", "invalid volume specification: 'a:b:c:d'");
    check_refused(":/x", "invalid volume specification: ':/x'");
    check_refused("/x:ro", "invalid volume specification: '/x:ro'");
    check_refused("v:/x:badmode", "invalid mode: badmode");
    check_refused("v:/x:ro,", "invalid mode: ro,");
    check_refused("/h:/x:nocopy", "invalid mode: nocopy");
    check_refused("v:/x:rshared", "invalid mode: rshared");
    check_refused("v:rel", "invalid volume specification: 'v:rel': invalid mount config for type"
                           " \"volume\": invalid mount path: 'rel' mount path must be absolute");
    check_refused("v:/.//", "invalid volume specification: 'v:/.//': invalid mount config for type"
                            " \"volume\": invalid specification: destination can't be '/'");
}

TEST(volumes_from_knows_only_its_four_modes)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *container;
    bool is_read_only;
    struct error err;

    CHECK_OK(volumes_from_parse(mem, "web:ro", &container, &is_read_only, &err), &err);
    CHECK_STR(container, "web");
    CHECK(is_read_only);
    CHECK_OK(volumes_from_parse(mem, "web", &container, &is_read_only, &err), &err);
    CHECK(!is_read_only);
    CHECK_FAILS(volumes_from_parse(mem, "web:nocopy", &container, &is_read_only, &err), &err,
                ERR_INVALID);
    CHECK_FAILS(volumes_from_parse(mem, ":ro", &container, &is_read_only, &err), &err, ERR_INVALID);
}

static int parse(struct arena *mem, const char *text, struct attachment *attachment, json_t **other,
                 struct error *err)
{
    cleanup_json json_t *mount = json_read(text, strlen(text), err);

    return mount == NULL ? -1 : mount_spec_parse(mem, mount, attachment, other, err);
}

TEST(the_long_form_of_a_volume_is_read_in_any_case_and_with_nulls)
{
    cleanup_arena struct arena *mem = arena_new();
    struct attachment attachment;
    json_t *other = NULL;
    struct error err;

    CHECK_OK(
        parse(mem,
              "{\"type\":\"volume\",\"source\":\"v\",\"TARGET\":\"/d/\",\"ReadOnly\":null,"
              "\"VolumeOptions\":{\"NoCopy\":true,\"Subpath\":\"a/b\",\"Labels\":{\"k\":\"w\"},"
              "\"DriverConfig\":{\"Name\":\"volumed\",\"Options\":{\"uid\":\"5\"}}}}",
              &attachment, &other, &err),
        &err);
    CHECK(other == NULL);
    CHECK_STR(attachment.volume_name, "v");
    CHECK_STR(attachment.destination, "/d");
    CHECK_STR(attachment.subpath, "a/b");
    CHECK_STR(attachment.driver, "volumed");
    CHECK_STR(pairs_get(&attachment.labels, "k"), "w");
    CHECK_STR(pairs_get(&attachment.driver_options, "uid"), "5");
    CHECK(attachment.is_nocopy && attachment.mode == ACCESS_RW);
}

TEST(the_long_form_keeps_options_of_the_attachment_from_the_volume)
{
    cleanup_arena struct arena *mem = arena_new();
    struct attachment attachment;
    json_t *other = NULL;
    struct error err;

    CHECK_OK(parse(mem,
                   "{\"Type\":\"volume\",\"Source\":\"v\",\"Target\":\"/d\",\"VolumeOptions\":"
                   "{\"DriverConfig\":{\"Options\":{\"snapshot\":\"s1\",\"scratch\":\"\",\"mode\":"
                   "\"700\"}}}}",
                   &attachment, &other, &err),
             &err);
    CHECK_STR(attachment.snapshot, "s1");
    CHECK(attachment.is_scratch);
    CHECK(attachment.driver_options.count == 1);
    CHECK_STR(pairs_get(&attachment.driver_options, "mode"), "700");
    CHECK_FAILS(parse(mem,
                      "{\"Type\":\"volume\",\"Source\":\"v\",\"Target\":\"/d\",\"VolumeOptions\":"
                      "{\"DriverConfig\":{\"Options\":{\"wait\":\"soon\"}}}}",
                      &attachment, &other, &err),
                &err, ERR_INVALID);
}

TEST(the_long_form_refuses_what_does_not_fit_together)
{
    static const char *const bad[] = {
        "{\"Type\":\"volume\",\"Target\":\"\"}",
        "{\"Type\":\"volume\",\"Target\":\"/x\",\"BindOptions\":{}}",
        "{\"Type\":\"volume\",\"Target\":\"/x\",\"VolumeOptions\":{\"Subpath\":\"a\"}}",
        "{\"Type\":\"bind\",\"Target\":\"/x\"}",
        "{\"Type\":\"bind\",\"Source\":\"rel\",\"Target\":\"/x\"}",
        "{\"Type\":\"bind\",\"Source\":\"/does/not/exist\",\"Target\":\"/x\"}",
        "{\"Type\":\"bind\",\"Source\":\"/\",\"Target\":\"/x\",\"BindOptions\":{\"Propagation\":\"y\"}}",
        "{\"Type\":\"tmpfs\",\"Source\":\"/\",\"Target\":\"/x\"}",
        "{\"Type\":\"cluster\",\"Target\":\"/x\"}",
        "{\"Type\":5,\"Target\":\"/x\"}",
        "[]",
    };
    cleanup_arena struct arena *mem = arena_new();
    struct attachment attachment;
    struct error err;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        json_t *other = NULL;
        CHECK_FAILS(parse(mem, bad[i], &attachment, &other, &err), &err, ERR_INVALID);
    }
}

TEST(a_tmpfs_keeps_its_size_and_mode_as_options)
{
    cleanup_arena struct arena *mem = arena_new();
    cleanup_json json_t *other = NULL;
    struct attachment attachment;
    struct error err;

    CHECK_OK(parse(mem,
                   "{\"Type\":\"tmpfs\",\"Target\":\"/t\",\"TmpfsOptions\":{\"SizeBytes\":4096,"
                   "\"Mode\":488}}",
                   &attachment, &other, &err),
             &err);
    CHECK_STR(json_string_value(json_object_get(other, "Options")), "size=4096,mode=750");
}
