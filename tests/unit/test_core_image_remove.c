/* SPDX-License-Identifier: Apache-2.0 */
/* Names, ids, and what may be removed while what needs it. */
#include "base/uuid.h"
#include "core/image/image_ref.h"
#include "lib/images.h"
#include "store/container.h"

static void add_container(struct images *images, const struct image *image, const char *state)
{
    struct container container = {
        .name = "user",
        .image_id = image->id,
        .image_name = "one",
        .chain_id = image->chain_id,
        .state = state,
        .config = json_object(),
        .host_config = json_object(),
        .networking = json_object(),
        .mounts = json_array(),
        .path = "true",
        .error = "",
        .health = "",
    };
    char id[HEX_ID_SIZE];

    hex_id_make(id);
    container.id = id;
    CHECK_OK(store_container_insert(images->task.db, &container, &images->err), &images->err);
    container_done(&container);
}

static const char *report_of(struct images *images, json_t *report)
{
    const char *text = json_write(images->task.mem, report);

    json_decref(report);
    return text;
}

TEST(an_image_is_found_as_docker_finds_it)
{
    struct images images;
    struct image image;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN("mkdir a && echo a > a/f");
    const char *id = images_make(&images, "a", "one");
    const char *refs[] = { "one",
                           "one:latest",
                           "docker.io/library/one",
                           "library/one",
                           id,
                           id + strlen("sha256:"),
                           image_short_id(images.task.mem, id),
                           arena_strndup(images.task.mem, id, 20) };

    for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
        CHECK_OK(image_get(&images.task, refs[i], &image, &images.err), &images.err);
        CHECK_STR(image.id, id);
    }
    CHECK_FAILS(image_get(&images.task, "two", &image, &images.err), &images.err, ERR_NOT_FOUND);
    CHECK_STR(images.err.message, "No such image: two:latest");
    CHECK_FAILS(image_get(&images.task, "two:3", &image, &images.err), &images.err, ERR_NOT_FOUND);
    CHECK_STR(images.err.message, "No such image: two:3");
    CHECK_FAILS(image_get(&images.task, "one:v2", &image, &images.err), &images.err, ERR_NOT_FOUND);
    images_close(&images);
}

TEST(removing_the_last_name_removes_the_image_and_its_layers)
{
    struct images images;
    json_t *report;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN("mkdir a && echo a > a/f");
    const char *id = images_make(&images, "a", "one");
    CHECK_OK(image_tag(&images.task, id, "two", NULL, &images.err), &images.err);
    CHECK_OK(image_remove(&images.task, "one", false, &report, &images.err), &images.err);
    CHECK_STR(report_of(&images, report), "[{\"Untagged\":\"one:latest\"}]");
    CHECK_OK(image_remove(&images.task, "two", false, &report, &images.err), &images.err);
    CHECK_INT((int)json_array_size(report), 3);
    CHECK_STR(json_string_value(json_object_get(json_array_get(report, 1), "Deleted")), id);
    json_decref(report);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM layer"), 0);
    WORLD_RUN("test -z \"$(ls " STATE "/layers)\"");
    images_close(&images);
}

TEST(an_image_in_use_stays_as_dockerd_says)
{
    struct images images;
    struct image image;
    json_t *report;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN("mkdir a && echo a > a/f");
    const char *id = images_make(&images, "a", "one");
    CHECK_OK(image_get(&images.task, id, &image, &images.err), &images.err);
    add_container(&images, &image, "exited");
    CHECK_FAILS(image_remove(&images.task, "one", false, &report, &images.err), &images.err,
                ERR_CONFLICT);
    CHECK(strstr(images.err.message,
                 "conflict: unable to remove repository reference \"one\" (must force) - "
                 "container ") == images.err.message);
    CHECK_FAILS(image_remove(&images.task, id, false, &report, &images.err), &images.err,
                ERR_CONFLICT);
    CHECK(strstr(images.err.message, "(must be forced) - image is being used by stopped") != NULL);
    /* By force the image goes, and its layers stay for the container. */
    CHECK_OK(image_remove(&images.task, id, true, &report, &images.err), &images.err);
    json_decref(report);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image"), 0);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM layer"), 1);
    WORLD_RUN("test -e " STATE "/layers/*/f");
    images_close(&images);
}

TEST(a_running_container_holds_its_image_against_force)
{
    struct images images;
    struct image image;
    json_t *report;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN("mkdir a && echo a > a/f");
    const char *id = images_make(&images, "a", "one");
    CHECK_OK(image_get(&images.task, id, &image, &images.err), &images.err);
    add_container(&images, &image, "running");
    CHECK_FAILS(image_remove(&images.task, id, true, &report, &images.err), &images.err,
                ERR_CONFLICT);
    CHECK(strstr(images.err.message, "(cannot be forced) - image is being used by running") !=
          NULL);
    /* A name can go all the same; the image then is one without. */
    CHECK_OK(image_remove(&images.task, "one", true, &report, &images.err), &images.err);
    CHECK_STR(report_of(&images, report), "[{\"Untagged\":\"one:latest\"}]");
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image"), 1);
    images_close(&images);
}

TEST(prune_takes_the_nameless_unless_told_otherwise)
{
    struct images images;
    struct filter all = { 0 };
    struct filter none = { 0 };
    json_t *report;
    int64_t reclaimed_bytes;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN("mkdir a b && echo a > a/f && echo bb > b/f");
    CHECK(images_make(&images, "a", "one") != NULL);
    CHECK(images_make(&images, "b", "one") != NULL); /* takes the first one's name */
    CHECK_OK(image_prune(&images.task, &none, true, &report, &reclaimed_bytes, &images.err),
             &images.err);
    CHECK_INT((int)json_array_size(report), 2);
    CHECK_INT((int)reclaimed_bytes, 2);
    json_decref(report);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image"), 2);
    CHECK_OK(image_prune(&images.task, &none, false, &report, &reclaimed_bytes, &images.err),
             &images.err);
    json_decref(report);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image"), 1);
    CHECK_OK(filter_parse(&all, images.task.mem, "{\"dangling\":[\"false\"]}", image_prune_filters,
                          &images.err),
             &images.err);
    CHECK_OK(image_prune(&images.task, &all, false, &report, &reclaimed_bytes, &images.err),
             &images.err);
    CHECK_INT((int)reclaimed_bytes, 3);
    json_decref(report);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image"), 0);
    WORLD_RUN("test -z \"$(ls " STATE "/layers)\"");
    images_close(&images);
}

TEST(layers_without_a_row_are_garbage)
{
    struct images images;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN("mkdir a && echo a > a/f");
    CHECK(images_make(&images, "a", "one") != NULL);
    WORLD_RUN("mkdir -p " STATE "/layers/00000000-0000-4000-8000-000000000000/x && "
              "touch " STATE "/layers/00000000-0000-4000-8000-000000000000.tar.zst");
    CHECK_OK(image_collect_layers(&images.task, &images.err), &images.err);
    WORLD_RUN("test \"$(ls " STATE "/layers | wc -l)\" = 2 && test -e " STATE "/layers/*/f");
    images_close(&images);
}

TEST(lists_are_filtered_as_dockers)
{
    static const struct {
        const char *filter;
        int count;
    } cases[] = {
        { "{}", 2 },
        { "{\"reference\":[\"one\"]}", 1 },
        { "{\"reference\":[\"o*:la*\"]}", 1 },
        { "{\"reference\":[\"x/*\"]}", 1 },
        { "{\"reference\":[\"nothing\"]}", 0 },
        { "{\"dangling\":[\"true\"]}", 0 },
        { "{\"dangling\":[\"false\"]}", 2 },
        { "{\"label\":[\"k=v\"]}", 1 },
        { "{\"label\":[\"k=w\"]}", 0 },
        { "{\"before\":[\"x/two\"]}", 1 },
        { "{\"since\":[\"one\"]}", 1 },
        { "{\"until\":[\"1h\"]}", 0 },
        { "{\"until\":[\"2100-01-01\"]}", 2 },
    };

    static const char *const labels[] = { "LABEL k=v", NULL };
    struct image_import_spec spec = { .repo = "x/two", .changes = labels };
    struct images images;
    struct image *list;
    const char *id;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN("mkdir a && echo a > a/f && tar -cf b.tar a");
    CHECK(images_make(&images, "a", "one") != NULL);
    WORLD_RUN("sleep 0.01");
    CHECK_OK(images_import(&images, "b.tar", &spec, &id), &images.err);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct filter filter = { 0 };
        CHECK_OK(
            filter_parse(&filter, images.task.mem, cases[i].filter, image_filters, &images.err),
            &images.err);
        int count = image_list(&images.task, &filter, &list, &images.err);
        ck_assert_msg(count == cases[i].count, "%s: %d", cases[i].filter, count);
    }
    images_close(&images);
}
