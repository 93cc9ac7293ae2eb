/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules by which a request and an image make a Config: the request wins where it says
 * anything, maps are united, variables by name.
 */
#include "core/container/container_config.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "core/container/shape.h"

#define HEALTH_MIN_NS 1000000 /* 1 ms */

static const struct shape_field fields[] = {
    { "Hostname", SHAPE_TEXT, SHAPE_ZERO },
    { "Domainname", SHAPE_TEXT, SHAPE_ZERO },
    { "User", SHAPE_TEXT, SHAPE_ZERO },
    { "AttachStdin", SHAPE_BOOL, SHAPE_ZERO },
    { "AttachStdout", SHAPE_BOOL, SHAPE_ZERO },
    { "AttachStderr", SHAPE_BOOL, SHAPE_ZERO },
    { "ExposedPorts", SHAPE_MAP, SHAPE_OMIT },
    { "Tty", SHAPE_BOOL, SHAPE_ZERO },
    { "OpenStdin", SHAPE_BOOL, SHAPE_ZERO },
    { "StdinOnce", SHAPE_BOOL, SHAPE_ZERO },
    { "Env", SHAPE_TEXTS, SHAPE_ZERO },
    { "Cmd", SHAPE_TEXTS, SHAPE_NULL },
    { "Healthcheck", SHAPE_MAP, SHAPE_OMIT },
    { "ArgsEscaped", SHAPE_BOOL, SHAPE_OMIT },
    { "Image", SHAPE_TEXT, SHAPE_ZERO },
    { "Volumes", SHAPE_MAP, SHAPE_NULL },
    { "WorkingDir", SHAPE_TEXT, SHAPE_ZERO },
    { "Entrypoint", SHAPE_TEXTS, SHAPE_NULL },
    { "NetworkDisabled", SHAPE_BOOL, SHAPE_OMIT },
    { "MacAddress", SHAPE_TEXT, SHAPE_OMIT },
    { "OnBuild", SHAPE_TEXTS, SHAPE_NULL },
    { "Labels", SHAPE_MAP, SHAPE_ZERO },
    { "StopSignal", SHAPE_TEXT, SHAPE_OMIT },
    { "StopTimeout", SHAPE_INT, SHAPE_OMIT },
    { "Shell", SHAPE_TEXTS, SHAPE_OMIT },
    { .name = NULL },
};

static const struct shape_field health_fields[] = {
    { "Test", SHAPE_TEXTS, SHAPE_OMIT },
    { "Interval", SHAPE_INT, SHAPE_OMIT },
    { "Timeout", SHAPE_INT, SHAPE_OMIT },
    { "StartPeriod", SHAPE_INT, SHAPE_OMIT },
    { "StartInterval", SHAPE_INT, SHAPE_OMIT },
    { "Retries", SHAPE_INT, SHAPE_OMIT },
    { .name = NULL },
};

/* Taken from the image when the request says nothing. */
static const char *const inherited[] = { "User", "WorkingDir", "StopSignal", "Shell" };
static const char *const united[] = { "ExposedPorts", "Volumes", "Labels" };

static bool find_real_time(const char *name, int *number);
static void inherit_command(json_t *config, const json_t *image);
static void inherit_env(json_t *config, const json_t *image);
static void inherit_map(json_t *config, const json_t *image, const char *name);
static int complete_health(json_t *config, const json_t *image, struct error *err);
static int check_health(const json_t *health, struct error *err);
static int check(const json_t *config, struct error *err);
static int check_maps(const json_t *config, struct error *err);
static bool is_empty(const json_t *value);
static bool has_variable(const json_t *list, const char *assignment);

json_t *config_complete(const json_t *request, const json_t *image_config, const char *image_name,
                        const char *id, struct error *err)
{
    cleanup_json json_t *config = shape_apply(fields, "Config", request, err);
    cleanup_json json_t *image =
        config == NULL ? NULL : shape_apply(fields, "Config", image_config, err);

    if (image == NULL)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
        if (is_empty(json_object_get(config, inherited[i])) &&
            !is_empty(json_object_get(image, inherited[i])))
            json_object_set(config, inherited[i], json_object_get(image, inherited[i]));
    for (size_t i = 0; i < ARRAY_SIZE(united); i++)
        inherit_map(config, image, united[i]);
    inherit_env(config, image);
    inherit_command(config, image);
    if (complete_health(config, image, err) < 0 || check(config, err) < 0)
        return NULL;
    json_set(config, "Image", json_text(image_name));
    if (is_empty(json_object_get(config, "Hostname")))
        json_set(config, "Hostname", json_stringn(id, 12));
    return json_incref(config);
}

int config_command(const json_t *config, struct arena *mem, const char **path,
                   const char *const **args, struct error *err)
{
    static const char *const parts[] = { "Entrypoint", "Cmd" };
    size_t count = 0;
    size_t index;
    json_t *word;

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        count += json_array_size(json_object_get(config, parts[i]));
    if (count == 0)
        return fail(err, ERR_INVALID, "no command specified");
    const char **words = arena_array(mem, count + 1, sizeof(*words));
    count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        json_array_foreach(json_object_get(config, parts[i]), index, word)
        {
            words[count++] = arena_strdup(mem, json_string_value(word));
        }
    *path = words[0];
    *args = words + 1;
    return 0;
}

int signal_find(const char *name, int *number, struct error *err)
{
    const char *bare = strncasecmp(name, "SIG", 3) == 0 ? name + 3 : name;
    int64_t value;

    if (units_parse_int(name, &value) == 0) {
        if (value < 1 || value > SIGRTMAX)
            return fail(err, ERR_INVALID, "Invalid signal: %s", name);
        *number = (int)value;
        return 0;
    }
    for (int i = 1; i < NSIG; i++) {
        const char *known = sigabbrev_np(i);
        if (known != NULL && strcasecmp(known, bare) == 0) {
            *number = i;
            return 0;
        }
    }
    if (find_real_time(bare, number))
        return 0;
    return fail(err, ERR_INVALID, "Invalid signal: %s", name);
}

/* "RTMIN", "RTMIN+3" */
static bool find_real_time(const char *name, int *number)
{
    int64_t offset = 0;

    if (strncasecmp(name, "RTMIN", 5) != 0 || (name[5] != '\0' && name[5] != '+'))
        return false;
    if (name[5] == '+' && units_parse_int(name + 6, &offset) < 0)
        return false;
    if (offset < 0 || offset > SIGRTMAX - SIGRTMIN)
        return false;
    *number = SIGRTMIN + (int)offset;
    return true;
}

/* An image's Cmd belongs to its Entrypoint: a request that gives either does not mix with it. */
static void inherit_command(json_t *config, const json_t *image)
{
    json_t *entrypoint = json_object_get(config, "Entrypoint");

    if (json_array_size(entrypoint) == 0) {
        if (json_array_size(json_object_get(config, "Cmd")) == 0)
            json_object_set(config, "Cmd", json_object_get(image, "Cmd"));
        if (json_is_null(entrypoint))
            json_object_set(config, "Entrypoint", json_object_get(image, "Entrypoint"));
    }
    /* `--entrypoint ""` takes the image's away. */
    entrypoint = json_object_get(config, "Entrypoint");
    if (json_array_size(entrypoint) == 1 && json_string_length(json_array_get(entrypoint, 0)) == 0)
        json_set(config, "Entrypoint", json_null());
}

static void inherit_env(json_t *config, const json_t *image)
{
    json_t *env = json_object_get(config, "Env");
    size_t i;
    json_t *assignment;

    json_array_foreach(json_object_get(image, "Env"), i, assignment)
    {
        if (!has_variable(env, json_string_value(assignment)))
            json_array_append(env, assignment);
    }
}

static bool has_variable(const json_t *list, const char *assignment)
{
    size_t length = strcspn(assignment, "=");
    size_t i;
    json_t *other;

    json_array_foreach(list, i, other)
    {
        const char *text = json_string_value(other);
        if (strncmp(text, assignment, length) == 0 && (text[length] == '=' || text[length] == '\0'))
            return true;
    }
    return false;
}

static void inherit_map(json_t *config, const json_t *image, const char *name)
{
    json_t *from = json_object_get(image, name);
    json_t *into = json_object_get(config, name);

    if (is_empty(from))
        return;
    if (!json_is_object(into)) {
        json_set(config, name, json_object());
        into = json_object_get(config, name);
    }
    (void)json_object_update_missing(into, from); /* fails only without memory */
}

static int complete_health(json_t *config, const json_t *image, struct error *err)
{
    json_t *given = json_object_get(config, "Healthcheck");
    json_t *from = json_object_get(image, "Healthcheck");

    if (given == NULL && from == NULL)
        return 0;
    json_t *health = shape_apply(health_fields, "HealthConfig", given != NULL ? given : from, err);
    if (health == NULL)
        return -1;
    if (given != NULL && from != NULL)
        (void)json_object_update_missing(health, from); /* fails only without memory */
    json_set(config, "Healthcheck", health);
    return check_health(health, err);
}

static int check_health(const json_t *health, struct error *err)
{
    static const char *const durations[] = { "Interval", "Timeout", "StartPeriod",
                                             "StartInterval" };

    for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
        int64_t value = json_integer_value(json_object_get(health, durations[i]));
        if (value != 0 && value < HEALTH_MIN_NS)
            return fail(err, ERR_INVALID, "%s in Healthcheck cannot be less than 1ms",
                        durations[i]);
    }
    if (json_integer_value(json_object_get(health, "Retries")) < 0)
        return fail(err, ERR_INVALID, "Retries in Healthcheck cannot be negative");
    return 0;
}

static int check(const json_t *config, struct error *err)
{
    const char *directory = json_string_value(json_object_get(config, "WorkingDir"));
    const char *stop_signal = json_string_value(json_object_get(config, "StopSignal"));
    size_t i;
    json_t *assignment;
    int number;

    if (directory[0] != '\0' && directory[0] != '/')
        return fail(err, ERR_INVALID,
                    "the working directory '%s' is invalid, it needs to be an absolute path",
                    directory);
    if (stop_signal != NULL && stop_signal[0] != '\0' && signal_find(stop_signal, &number, err) < 0)
        return -1;
    json_array_foreach(json_object_get(config, "Env"), i, assignment)
    {
        const char *text = json_string_value(assignment);
        if (text[0] == '\0' || text[0] == '=')
            return fail(err, ERR_INVALID, "invalid environment variable: %s", text);
    }
    return check_maps(config, err);
}

static int check_maps(const json_t *config, struct error *err)
{
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(config, "Labels"), key, value)
    {
        if (!json_is_string(value))
            return fail(err, ERR_INVALID, "invalid JSON: the label '%s' is not a string", key);
    }
    return 0;
}

static bool is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}
