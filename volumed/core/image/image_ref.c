/* SPDX-License-Identifier: Apache-2.0 */
/* The order is Docker's: a whole id, a name, the beginning of an id. */
#include "core/image/image_ref.h"

#include <string.h>

#include "core/image/image_config.h"
#include "core/image/image_name.h"
#include "store/image.h"
#include "transfer/digest.h"

#define ID_PREFIX       "sha256:"
#define SHORT_ID_DIGITS 12

static int find_id(struct task *task, const char *text, struct image_ref *ref, struct error *err);
static int find_name(struct task *task, const char *text, struct image_ref *ref, struct error *err);
static int find_prefix(struct task *task, const char *text, struct image_ref *ref,
                       struct error *err);
static int fail_missing(struct task *task, const char *text, struct error *err);

int image_ref_find(struct task *task, const char *text, struct image_ref *ref, struct error *err)
{
    struct image_ref found = { 0 };
    int rc = find_id(task, text, &found, err);

    if (rc == 0)
        rc = find_name(task, text, &found, err);
    if (rc == 0)
        rc = find_prefix(task, text, &found, err);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return fail_missing(task, text, err);
    *ref = found;
    return 0;
}

int image_read(struct task *task, const char *id, struct image *image, struct error *err)
{
    struct image found;
    int count = store_image_find(task->db, task->mem, id, &found, err);

    if (count < 0)
        return -1;
    if (count == 0)
        return fail(err, ERR_NOT_FOUND, "No such image: %s", id);
    if (image_complete(task, &found, err) < 0)
        return -1;
    *image = found;
    return 0;
}

int image_complete(struct task *task, struct image *image, struct error *err)
{
    size_t count = 0;

    while (image->tags[count] != NULL)
        count++;
    const char **tags = arena_array(task->mem, count + 1, sizeof(*tags));
    for (size_t i = 0; i < count; i++)
        tags[i] = image_name_familiar(task->mem, image->tags[i]);
    image->tags = tags;
    return image_config_fill(task->mem, image, err);
}

const char *image_short_id(struct arena *mem, const char *id)
{
    const char *colon = strchr(id, ':');

    return arena_strndup(mem, colon == NULL ? id : colon + 1, SHORT_ID_DIGITS);
}

static int find_id(struct task *task, const char *text, struct image_ref *ref, struct error *err)
{
    struct image image;
    bool has_prefix = strncmp(text, ID_PREFIX, strlen(ID_PREFIX)) == 0;
    const char *id = has_prefix ? text : arena_printf(task->mem, ID_PREFIX "%s", text);

    if (!digest_is_valid(id))
        return 0;
    int count = store_image_find(task->db, task->mem, id, &image, err);
    if (count > 0)
        ref->id = image.id;
    return count;
}

static int find_name(struct task *task, const char *text, struct image_ref *ref, struct error *err)
{
    struct error ignored;
    const char *name;

    if (image_name_normalize(task->mem, text, &name, &ignored) < 0)
        return 0; /* then it may still be the beginning of an id */
    if (store_image_find_name(task->db, task->mem, name, &ref->id, err) < 0)
        return -1;
    ref->name = ref->id != NULL ? name : NULL;
    return ref->id != NULL;
}

static int find_prefix(struct task *task, const char *text, struct image_ref *ref,
                       struct error *err)
{
    bool has_prefix = strncmp(text, ID_PREFIX, strlen(ID_PREFIX)) == 0;
    const char *digits = has_prefix ? text + strlen(ID_PREFIX) : text;

    if (*digits == '\0' || digits[strspn(digits, "0123456789abcdef")] != '\0')
        return 0;
    int count = store_image_find_prefix(
        task->db, task->mem, arena_printf(task->mem, ID_PREFIX "%s", digits), &ref->id, err);
    if (count > 1)
        return fail(err, ERR_INVALID, "ambiguous image id prefix: %s", text);
    return count;
}

static int fail_missing(struct task *task, const char *text, struct error *err)
{
    struct image_name name;
    struct error ignored;
    bool is_name = image_name_parse(task->mem, text, &name, &ignored) == 0;
    bool is_bare = is_name && name.tag == NULL && name.digest == NULL;

    return fail(err, ERR_NOT_FOUND, "No such image: %s%s", text, is_bare ? ":latest" : "");
}
