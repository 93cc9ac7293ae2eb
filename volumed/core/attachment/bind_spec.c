/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting and checking; nothing is looked up. */
#include "core/attachment/bind_spec.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "base/units.h"

#define PARTS_MAX 3

static int split(struct arena *mem, const char *text, const char *parts[PARTS_MAX]);
static int parse_mode(struct arena *mem, struct bind_spec *spec, struct error *err);
static bool take_option(struct bind_spec *spec, const char *word);
static void split_snapshot(struct arena *mem, struct bind_spec *spec);
static bool has_empty_part(const char *const parts[PARTS_MAX], int count);

int bind_spec_parse(struct arena *mem, const char *text, struct bind_spec *spec, struct error *err)
{
    const char *parts[PARTS_MAX] = { NULL };
    int count = split(mem, text, parts);
    struct bind_spec parsed = { .mode = "", .propagation = "" };
    const char *destination = parts[count == 1 ? 0 : 1];

    if (count < 1 || has_empty_part(parts, count))
        return fail(err, ERR_INVALID, "invalid volume specification: '%s'", text);
    if (count > 1) {
        parsed.source = parts[0];
        parsed.is_host_path = parts[0][0] == '/';
        split_snapshot(mem, &parsed);
    }
    if (count == 2 && destination[0] != '/' && take_option(&parsed, destination))
        return fail(err, ERR_INVALID, "invalid volume specification: '%s'", text);
    if (count == 3) {
        parsed.mode = parts[2];
        if (parse_mode(mem, &parsed, err) < 0)
            return -1;
    }
    if (mount_destination_clean(mem, parsed.is_host_path ? "bind" : "volume", destination,
                                &parsed.destination, err) < 0)
        return error_prefix(err, "invalid volume specification: '%s'", text);
    if (parsed.is_host_path)
        parsed.source = path_clean(mem, parsed.source);
    *spec = parsed;
    return 0;
}

struct attachment bind_spec_attachment(const struct bind_spec *spec)
{
    return (struct attachment){
        .volume_name = spec->source,
        .destination = spec->destination,
        .subpath = "",
        .mode = spec->is_exclusive   ? ACCESS_EXCLUSIVE
                : spec->is_read_only ? ACCESS_RO
                                     : ACCESS_RW,
        .is_anonymous = spec->source == NULL,
        .is_nocopy = spec->is_nocopy,
        .snapshot = spec->snapshot,
        .is_scratch = spec->is_scratch,
        .is_standby = spec->is_standby,
        .wait_ms = spec->wait_ms,
        .is_nosuid = true,
        .is_nodev = true,
        .propagation = "",
        .uid_map = "",
        .gid_map = "",
    };
}

int volumes_from_parse(struct arena *mem, const char *text, const char **container,
                       bool *is_read_only, struct error *err)
{
    static const char *const modes[] = { "ro", "rw", "z", "Z" };
    const char *colon = strchr(text, ':');

    if (text[0] == '\0' || colon == text)
        return fail(err, ERR_INVALID, "volumes-from specification cannot be an empty string");
    *container = colon == NULL ? text : arena_strndup(mem, text, (size_t)(colon - text));
    *is_read_only = false;
    if (colon == NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (strcmp(colon + 1, modes[i]) == 0) {
            *is_read_only = i == 0;
            return 0;
        }
    return fail(err, ERR_INVALID, "invalid mode for volumes-from: %s", colon + 1);
}

int mount_destination_clean(struct arena *mem, const char *type, const char *path,
                            const char **clean, struct error *err)
{
    if (path[0] == '\0')
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"%s\": field Target must not be empty", type);
    if (path[0] != '/')
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"%s\": invalid mount path: '%s' mount path must"
                    " be absolute",
                    type, path);
    const char *cleaned = path_clean(mem, path);
    if (path_depth(cleaned) == 0)
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"%s\": invalid specification: destination"
                    " can't be '/'",
                    type);
    *clean = cleaned;
    return 0;
}

int wait_parse(const char *text, int64_t *wait_ms)
{
    int64_t duration_ns = 0;

    if (units_parse_duration(text, &duration_ns) < 0 || duration_ns <= 0)
        return -EINVAL;
    *wait_ms = duration_ns / 1000000;
    return 0;
}

bool propagation_is_valid(const char *name)
{
    static const char *const names[] = { "private", "rprivate", "shared",
                                         "rshared", "slave",    "rslave" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Returns how many parts there are; 0 when too many. */
static int split(struct arena *mem, const char *text, const char *parts[PARTS_MAX])
{
    int count = 0;

    for (;;) {
        size_t length = strcspn(text, ":");
        if (count == PARTS_MAX)
            return 0;
        parts[count++] = arena_strndup(mem, text, length);
        if (text[length] == '\0')
            return count;
        text += length + 1;
    }
}

/* No volume's name has an '@' in it. */
static void split_snapshot(struct arena *mem, struct bind_spec *spec)
{
    size_t length = strcspn(spec->source, "@");

    if (spec->is_host_path || spec->source[length] == '\0')
        return;
    spec->snapshot = spec->source + length + 1;
    spec->source = arena_strndup(mem, spec->source, length);
}

static bool has_empty_part(const char *const parts[PARTS_MAX], int count)
{
    for (int i = 0; i < count; i++)
        if (parts[i][0] == '\0')
            return true;
    return false;
}

static int parse_mode(struct arena *mem, struct bind_spec *spec, struct error *err)
{
    const char *text = spec->mode;

    for (;;) {
        size_t length = strcspn(text, ",");
        const char *word = arena_strndup(mem, text, length);
        if (!take_option(spec, word))
            return fail(err, ERR_INVALID, "invalid mode: %s", spec->mode);
        if (text[length] == '\0')
            return 0;
        text += length + 1;
    }
}

/* What is for volumes only is no option of a host path, and the reverse. */
static bool take_option(struct bind_spec *spec, const char *word)
{
    if (strcmp(word, "rw") == 0 || strcasecmp(word, "z") == 0)
        return true;
    if (strcmp(word, "ro") == 0) {
        spec->is_read_only = true;
        return true;
    }
    if (!spec->is_host_path && strcmp(word, "nocopy") == 0) {
        spec->is_nocopy = true;
        return true;
    }
    if (!spec->is_host_path && strcmp(word, "exclusive") == 0) {
        spec->is_exclusive = true;
        return true;
    }
    if (!spec->is_host_path && strcmp(word, "scratch") == 0) {
        spec->is_scratch = true;
        return true;
    }
    if (!spec->is_host_path && strcmp(word, "standby") == 0) {
        spec->is_standby = true;
        return true;
    }
    if (!spec->is_host_path && strncmp(word, "wait=", 5) == 0)
        return wait_parse(word + 5, &spec->wait_ms) == 0;
    if (spec->is_host_path && spec->propagation[0] == '\0' && propagation_is_valid(word)) {
        spec->propagation = word;
        return true;
    }
    return false;
}
