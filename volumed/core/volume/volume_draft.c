/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a volume's options.  Those of Docker's local driver (type, device, o) keep its rules and
 * words; ours are pool, uid, gid, mode, nocow, access and from.  What a field of the request says
 * is put into the options too, so that "the same options" is one comparison.
 */
#include "core/volume/volume_draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "base/uuid.h"
#include "core/pool/pool.h"
#include "core/snapshot/policy.h"
#include "core/volume/lineage.h"
#include "core/volume/volume_event.h"
#include "core/volume/volume_limit.h"
#include "model/name.h"
#include "store/lease.h"
#include "store/pool.h"
#include "store/volume.h"

#define ANONYMOUS_LABEL "com.docker.volume.anonymous"
#define ID_MAX          4294967294 /* (uid_t)-1 means "leave" to chown(2) */
#define MODE_MAX        07777

static bool is_same(const struct pairs *wanted, const struct pairs *existing);
static int insert_rule(struct task *task, const struct volume_draft *draft, struct error *err);
static int check_driver(const char *driver, struct error *err);
static int check_options(const struct pairs *options, struct error *err);
static int check_limit(const struct pairs *options, struct error *err);
static int name_volume(struct task *task, const struct volume_spec *spec, struct volume *volume,
                       struct error *err);
static void merge_fields(struct task *task, const struct volume_spec *spec, struct pairs *options);
static int read_number(const struct pairs *options, const char *key, int base, int64_t max,
                       int64_t *value, struct error *err);
static int read_source(struct task *task, const struct volume_spec *spec,
                       struct volume_draft *draft, struct error *err);
static int choose_pool(struct task *task, struct volume *volume, struct error *err);
static const char *new_id(struct task *task);

int volume_draft(struct task *task, const struct volume_spec *spec, struct volume_draft *draft,
                 struct error *err)
{
    struct volume_draft made = { .volume = { .driver = "local", .state = "ready" } };
    struct volume *volume = &made.volume;

    if (check_driver(spec->driver, err) < 0 || name_volume(task, spec, volume, err) < 0)
        return -1;
    volume->options = spec->options;
    merge_fields(task, spec, &volume->options);
    if (check_options(&volume->options, err) < 0)
        return error_prefix(err, "create %s", volume->name);
    if (volume_shape_read(&volume->options, &made.shape, err) < 0 ||
        read_source(task, spec, &made, err) < 0 || choose_pool(task, volume, err) < 0)
        return -1;
    const char *access = pairs_get(&volume->options, "access");
    if (access != NULL && volume_access_find(access, &made.access, err) < 0)
        return -1;
    volume->id = new_id(task);
    volume->data_id = new_id(task);
    volume->created_ms = clock_now_ms();
    *draft = made;
    return 0;
}

int volume_shape_read(const struct pairs *options, struct volume_shape *shape, struct error *err)
{
    const char *nocow = pairs_get(options, "nocow");

    if (read_number(options, "uid", 10, ID_MAX, &shape->uid, err) < 0 ||
        read_number(options, "gid", 10, ID_MAX, &shape->gid, err) < 0 ||
        read_number(options, "mode", 8, MODE_MAX, &shape->mode, err) < 0)
        return -1;
    shape->is_nocow = nocow != NULL && strcmp(nocow, "false") != 0;
    return 0;
}

int volume_draft_compare(const struct volume_draft *draft, const struct volume *existing,
                         struct error *err)
{
    const char *name = existing->name;

    if (draft->from_volume != NULL && pairs_get(&draft->volume.options, "from") == NULL)
        return fail(err, ERR_CONFLICT, "volume '%s' exists already", name);
    if (!is_same(&draft->volume.options, &existing->options))
        return fail(err, ERR_CONFLICT, "volume '%s' exists already, with other options", name);
    return 0;
}

/* A copy that was asked for without a limit got its source's. */
static bool is_same(const struct pairs *wanted, const struct pairs *existing)
{
    cleanup_arena struct arena *mem = arena_new();
    struct pairs bare = { 0 };

    if (pairs_equal(wanted, existing))
        return true;
    if (pairs_get(wanted, "from") == NULL || pairs_get(wanted, "size") != NULL ||
        pairs_get(wanted, "inodes") != NULL)
        return false;
    for (size_t i = 0; i < existing->count; i++)
        if (strcmp(existing->items[i].key, "size") != 0 &&
            strcmp(existing->items[i].key, "inodes") != 0)
            pairs_set(&bare, mem, existing->items[i].key, existing->items[i].value);
    return pairs_equal(wanted, &bare);
}

int volume_draft_insert(struct task *task, const struct volume_draft *draft, struct error *err)
{
    if (store_volume_insert(task->db, &draft->volume, err) < 0 ||
        lineage_note_made(task, &draft->volume, err) < 0 ||
        volume_event(task, "create", &draft->volume, NULL, err) < 0)
        return -1;
    if (draft->access != VOLUME_SHARED && insert_rule(task, draft, err) < 0)
        return -1;
    return policy_insert_of_volume(task, &draft->volume, err);
}

static int insert_rule(struct task *task, const struct volume_draft *draft, struct error *err)
{
    const struct volume_rule rule = {
        .access = draft->access,
        .succession = SUCCESSION_STANDBY,
    };

    return store_rule_set(task->db, draft->volume.id, &rule, err);
}

static int check_driver(const char *driver, struct error *err)
{
    static const char *const ours[] = { "", "local", "volumed" };

    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        if (driver == NULL || strcmp(driver, ours[i]) == 0)
            return 0;
    return fail(err, ERR_NOT_FOUND, "error looking up volume plugin %s: plugin \"%s\" not found",
                driver, driver);
}

/* The first four rules are moby's local driver's. */
static int check_options(const struct pairs *options, struct error *err)
{
    static const char *const known[] = { "type", "device", "o",         "size", "inodes",
                                         "pool", "uid",    "gid",       "mode", "nocow",
                                         "from", "access", "snapshots", "keep" };

    static const struct {
        const char *key;
        const char *needs;
    } needed[] = { { "device", "type" }, { "type", "device" }, { "o", "device" }, { "o", "type" } };

    for (size_t i = 0; i < options->count; i++) {
        size_t k = 0;
        while (k < ARRAY_SIZE(known) && strcmp(known[k], options->items[i].key) != 0)
            k++;
        if (k == ARRAY_SIZE(known))
            return fail(err, ERR_INVALID, "invalid option: \"%s\"", options->items[i].key);
    }
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (pairs_get(options, needed[i].key) != NULL &&
            pairs_get(options, needed[i].needs) == NULL)
            return fail(err, ERR_INVALID, "missing required option: \"%s\"", needed[i].needs);
    if (pairs_get(options, "type") != NULL && pairs_get(options, "from") != NULL)
        return fail(err, ERR_INVALID, "a volume of type '%s' cannot be made from another",
                    pairs_get(options, "type"));
    return policy_check_options(options, err) < 0 ? -1 : check_limit(options, err);
}

/* Whether the pool can enforce it is asked when the data is made. */
static int check_limit(const struct pairs *options, struct error *err)
{
    struct volume_limit limit;

    if (volume_limit_read(options, &limit, err) < 0)
        return -1;
    if (volume_limit_is_given(&limit) && pairs_get(options, "type") != NULL)
        return fail(err, ERR_UNSUPPORTED,
                    "quota size requested but no quota support: a volume of type '%s' has what"
                    " limits its filesystem has",
                    pairs_get(options, "type"));
    return 0;
}

static int name_volume(struct task *task, const struct volume_spec *spec, struct volume *volume,
                       struct error *err)
{
    char id[HEX_ID_SIZE];

    volume->labels = spec->labels;
    volume->is_anonymous = spec->is_anonymous || spec->name == NULL || *spec->name == '\0';
    if (spec->name != NULL && *spec->name != '\0') {
        volume->name = spec->name;
        return name_check("volume", spec->name, err);
    }
    hex_id_make(id);
    volume->name = arena_strdup(task->mem, id);
    pairs_set(&volume->labels, task->mem, ANONYMOUS_LABEL, "");
    return 0;
}

static void merge_fields(struct task *task, const struct volume_spec *spec, struct pairs *options)
{
    struct arena *mem = task->mem;

    /* 'items' is the caller's: a replaced value must not be written into it. */
    if (options->count > 0)
        options->items =
            arena_memdup(mem, options->items, options->count * sizeof(*options->items));
    if (spec->pool != NULL && *spec->pool != '\0')
        pairs_set(options, mem, "pool", spec->pool);
    if (spec->uid >= 0)
        pairs_set(options, mem, "uid", arena_printf(mem, "%lld", (long long)spec->uid));
    if (spec->gid >= 0)
        pairs_set(options, mem, "gid", arena_printf(mem, "%lld", (long long)spec->gid));
    if (spec->mode >= 0)
        pairs_set(options, mem, "mode",
                  arena_printf(mem, "%04llo", (unsigned long long)spec->mode));
}

static int read_number(const struct pairs *options, const char *key, int base, int64_t max,
                       int64_t *value, struct error *err)
{
    const char *text = pairs_get(options, key);
    char *end = NULL;

    *value = -1;
    if (text == NULL)
        return 0;
    long long number = strtoll(text, &end, base);
    if (*text < '0' || *text > '9' || *end != '\0' || number > max)
        return fail(err, ERR_INVALID, "invalid %s: '%s'", key, text);
    *value = number;
    return 0;
}

/* From the fields, or from the option that any client can send: from=VOLUME or VOLUME@SNAPSHOT. */
static int read_source(struct task *task, const struct volume_spec *spec,
                       struct volume_draft *draft, struct error *err)
{
    const char *from = pairs_get(&draft->volume.options, "from");

    draft->from_volume = spec->from_volume;
    draft->from_snapshot = spec->from_snapshot;
    if (from != NULL && spec->from_volume == NULL) {
        size_t length = strcspn(from, "@");
        draft->from_volume = arena_strndup(task->mem, from, length);
        draft->from_snapshot = from[length] == '@' ? from + length + 1 : NULL;
    }
    if (draft->from_snapshot != NULL && draft->from_volume == NULL)
        return fail(err, ERR_INVALID, "a snapshot is named, but not the volume it is of");
    if (draft->from_volume != NULL && draft->shape.is_nocow)
        return fail(err, ERR_INVALID, "option 'nocow' is for empty volumes, not for copies");
    return 0;
}

static int choose_pool(struct task *task, struct volume *volume, struct error *err)
{
    const char *name = pairs_get(&volume->options, "pool");
    struct pool pool;

    if (name != NULL) {
        if (pool_get(task, name, &pool, err) < 0)
            return -1;
    } else {
        int found = store_pool_find_default(task->db, task->mem, &pool, err);
        if (found <= 0)
            return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "there is no default pool");
    }
    volume->pool_id = pool.id;
    volume->pool_name = pool.name;
    return 0;
}

static const char *new_id(struct task *task)
{
    char id[UUID_SIZE];

    uuid_make(id);
    return arena_strdup(task->mem, id);
}
