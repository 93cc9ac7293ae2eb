/* SPDX-License-Identifier: Apache-2.0 */
/* A filter is read once into numbers, then held against each image. */
#include "core/image/image_match.h"

#include <fnmatch.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "core/image/image_config.h"
#include "core/image/image_ref.h"
#include "store/image.h"

static int read_bound(struct task *task, const struct filter *filter, const char *key,
                      int64_t *created_ms, struct error *err);
static int read_until(const struct filter *filter, int64_t *before_ms, struct error *err);
static bool reference_fits(const struct filter *filter, const char *familiar);
static int keep_tags(const struct image_match *match, struct image *image);

int image_match_init(struct task *task, const struct filter *filter, struct image_match *match,
                     struct error *err)
{
    *match = (struct image_match){
        .task = task,
        .filter = filter,
        .after_ms = INT64_MIN,
        .before_ms = INT64_MAX,
        .has_dangling = filter_has(filter, "dangling"),
    };
    if (filter_get_bool(filter, "dangling", &match->is_dangling, err) < 0 ||
        read_bound(task, filter, "since", &match->after_ms, err) < 0 ||
        read_bound(task, filter, "before", &match->before_ms, err) < 0)
        return -1;
    return read_until(filter, &match->before_ms, err);
}

int image_match_test(const struct image_match *match, struct image *image, struct error *err)
{
    struct pairs labels = { 0 };
    bool has_tags = image->tags[0] != NULL;
    int64_t children = 0;

    if (image->created_ms <= match->after_ms || image->created_ms >= match->before_ms)
        return 0;
    if (match->has_dangling && match->is_dangling == has_tags)
        return 0;
    if (filter_has(match->filter, "label") || filter_has(match->filter, "label!")) {
        if (image_config_labels(match->task->mem, image, &labels, err) < 0)
            return -1;
        if (!filter_match_labels(match->filter, &labels))
            return 0;
    }
    if (filter_has(match->filter, "reference"))
        return keep_tags(match, image) > 0;
    /* Without a name and with images on top of it, it is a step on the way to those. */
    if (!has_tags && store_image_count_children(match->task->db, image->id, &children, err) < 0)
        return -1;
    return children == 0;
}

static int read_bound(struct task *task, const struct filter *filter, const char *key,
                      int64_t *created_ms, struct error *err)
{
    const char *ref = filter_get(filter, key);
    struct image image;

    if (ref == NULL)
        return 0;
    if (image_get(task, ref, &image, err) < 0)
        return -1;
    *created_ms = image.created_ms;
    return 0;
}

/* A time, or how long ago. */
static int read_until(const struct filter *filter, int64_t *before_ms, struct error *err)
{
    const char *text = filter_get(filter, "until");
    int64_t time_ns;

    if (text == NULL)
        return 0;
    bool is_number = text[strspn(text, "0123456789.")] == '\0'; /* seconds since 1970 */
    if (!is_number && units_parse_duration(text, &time_ns) == 0)
        time_ns = clock_now_ns() - time_ns;
    else if (clock_parse_ns(text, &time_ns) < 0)
        return fail(err, ERR_INVALID, "invalid filter 'until=%s'", text);
    if (time_ns / 1000000 < *before_ms)
        *before_ms = time_ns / 1000000;
    return 0;
}

static int keep_tags(const struct image_match *match, struct image *image)
{
    size_t count = 0;

    while (image->tags[count] != NULL)
        count++;
    const char **kept = arena_array(match->task->mem, count + 1, sizeof(*kept));
    int used = 0;
    for (size_t i = 0; i < count; i++)
        if (reference_fits(match->filter, image->tags[i]))
            kept[used++] = image->tags[i];
    image->tags = kept;
    return used;
}

/* The pattern may be of the name alone or with its tag. */
static bool reference_fits(const struct filter *filter, const char *familiar)
{
    const char *colon = strrchr(familiar, ':');
    bool has_tag = colon != NULL && strchr(colon, '/') == NULL;
    char bare[512];

    (void)snprintf(bare, sizeof(bare), "%.*s",
                   (int)(has_tag ? colon - familiar : (ptrdiff_t)strlen(familiar)),
                   familiar); /* names are at most 255 */
    for (size_t i = 0; i < filter->count; i++) {
        if (strcmp(filter->terms[i].key, "reference") != 0)
            continue;
        const char *pattern = filter->terms[i].value;
        if (fnmatch(pattern, familiar, FNM_PATHNAME) == 0 ||
            fnmatch(pattern, bare, FNM_PATHNAME) == 0)
            return true;
    }
    return false;
}
