/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of command lines.  getopt_long was not taken: its tables carry no help texts. */
#include "args.h"

#include <string.h>

#include "base/clock.h"
#include "base/units.h"

#define NS_PER_S 1000000000LL

const struct option common_options[] = {
    { "socket", 0, "PATH", "where volumed listens (VOLUMED_SOCKET, else /run/volumed.sock)" },
    { "json", 0, NULL, "print one JSON document" },
    { "quiet", 'q', NULL, "print names or ids alone, or nothing" },
    { "idempotency-key", 0, "KEY", "a repeat with the same key does not change anything again" },
    { "help", 'h', NULL, "print this help" },
    { "version", 0, NULL, "print the version of volctl" },
    { 0 },
};

static int parse_long(struct args *args, const struct option *options, const char *const **argv,
                      struct error *err);
static int parse_letters(struct args *args, const struct option *options, const char *const **argv,
                         struct error *err);
static const struct option *find_long(const struct option *table, const char *name, size_t length);
static const struct option *find_letter(const struct option *table, char letter);
static void add_given(struct args *args, const struct option *option, const char *value);
static void grow(struct args *args, struct arena *mem, const char *const *argv);

int args_parse(struct args *args, struct arena *mem, const struct option *options, int free_after,
               const char *const *argv, struct error *err)
{
    bool has_options = true;

    grow(args, mem, argv);
    args->dashes_at = -1;
    for (; *argv != NULL; argv++) {
        const char *text = *argv;
        if (!has_options || text[0] != '-' || text[1] == '\0') {
            args->words[args->word_count++] = text;
            has_options = has_options && (free_after == 0 || args->word_count < free_after);
        } else if (strcmp(text, "--") == 0) {
            has_options = false;
            args->dashes_at = args->word_count;
        } else if (text[1] == '-') {
            if (parse_long(args, options, &argv, err) < 0)
                return -1;
        } else if (parse_letters(args, options, &argv, err) < 0) {
            return -1;
        }
    }
    return 0;
}

bool args_has(const struct args *args, const char *name)
{
    return args_get(args, name) != NULL;
}

const char *args_get(const struct args *args, const char *name)
{
    for (size_t i = args->given_count; i > 0; i--)
        if (strcmp(args->given[i - 1].option->name, name) == 0)
            return args->given[i - 1].value;
    return NULL;
}

const char *args_nth(const struct args *args, const char *name, int index)
{
    for (size_t i = 0; i < args->given_count; i++)
        if (strcmp(args->given[i].option->name, name) == 0 && index-- == 0)
            return args->given[i].value;
    return NULL;
}

int args_int(const struct args *args, const char *name, int64_t *value, struct error *err)
{
    const char *text = args_get(args, name);
    int64_t number;

    if (text == NULL)
        return 0;
    if (units_parse_int(text, &number) < 0 || number < 0)
        return fail(err, ERR_INVALID, "option '--%s' takes a number, not '%s'", name, text);
    *value = number;
    return 0;
}

int args_duration_ms(const struct args *args, const char *name, int64_t *value, struct error *err)
{
    const char *text = args_get(args, name);
    int64_t duration_ns;

    if (text == NULL)
        return 0;
    if (units_parse_duration(text, &duration_ns) < 0)
        return fail(err, ERR_INVALID, "option '--%s' takes a duration like '5s', not '%s'", name,
                    text);
    *value = duration_ns / 1000000;
    return 0;
}

int args_time(const struct args *args, const char *name, struct arena *mem, const char **text,
              struct error *err)
{
    const char *given = args_get(args, name);
    int64_t time_ns;
    int64_t ago_ns;

    *text = NULL;
    if (given == NULL)
        return 0;
    if (clock_parse_ns(given, &time_ns) < 0) {
        if (units_parse_duration(given, &ago_ns) < 0)
            return fail(err, ERR_INVALID,
                        "option '--%s' takes a time (RFC 3339, seconds since 1970, or '10m' for "
                        "so long ago), not '%s'",
                        name, given);
        time_ns = clock_now_ns() - ago_ns;
    }
    *text = arena_printf(mem, "%lld.%09lld", (long long)(time_ns / NS_PER_S),
                         (long long)(time_ns % NS_PER_S));
    return 0;
}

json_t *args_pairs(const struct args *args, const char *name)
{
    json_t *object = NULL;
    const char *text;

    for (int i = 0; (text = args_nth(args, name, i)) != NULL; i++) {
        size_t length = strcspn(text, "=");
        const char *value = text[length] == '=' ? text + length + 1 : "";
        cleanup_json json_t *key = json_stringn(text, length); /* NULL unless UTF-8 */
        if (object == NULL)
            object = json_object();
        if (key != NULL)
            json_set(object, json_string_value(key), json_text(value));
    }
    return object;
}

json_t *args_list(const struct args *args, const char *name)
{
    json_t *list = NULL;
    const char *text;

    for (int i = 0; (text = args_nth(args, name, i)) != NULL; i++) {
        if (list == NULL)
            list = json_array();
        json_array_append_new(list, json_text(text));
    }
    return list;
}

int args_filters(const struct args *args, json_t **filters, struct error *err)
{
    cleanup_json json_t *object = json_object();
    const char *text;

    for (int i = 0; (text = args_nth(args, "filter", i)) != NULL; i++) {
        size_t length = strcspn(text, "=");
        cleanup_json json_t *key = json_stringn(text, length);
        if (length == 0 || text[length] != '=' || key == NULL)
            return fail(err, ERR_INVALID, "a filter is KEY=VALUE, not '%s'", text);
        if (json_object_get(object, json_string_value(key)) == NULL)
            json_set(object, json_string_value(key), json_array());
        json_array_append_new(json_object_get(object, json_string_value(key)),
                              json_text(text + length + 1));
    }
    *filters = json_object_size(object) > 0 ? json_incref(object) : NULL;
    return 0;
}

static int parse_long(struct args *args, const struct option *options, const char *const **argv,
                      struct error *err)
{
    const char *name = **argv + 2;
    size_t length = strcspn(name, "=");
    const struct option *option = find_long(options, name, length);

    if (option == NULL)
        option = find_long(common_options, name, length);
    if (option == NULL)
        return fail(err, ERR_INVALID, "there is no option '--%.*s'", (int)length, name);
    if (option->argument == NULL && name[length] == '=')
        return fail(err, ERR_INVALID, "option '--%s' takes no value", option->name);
    if (option->argument == NULL) {
        add_given(args, option, "");
    } else if (name[length] == '=') {
        add_given(args, option, name + length + 1);
    } else {
        if ((*argv)[1] == NULL)
            return fail(err, ERR_INVALID, "option '--%s' needs a value", option->name);
        add_given(args, option, *++*argv);
    }
    return 0;
}

/* "-it", "-n5", "-n 5" */
static int parse_letters(struct args *args, const struct option *options, const char *const **argv,
                         struct error *err)
{
    for (const char *at = **argv + 1; *at != '\0'; at++) {
        const struct option *option = find_letter(options, *at);
        if (option == NULL)
            option = find_letter(common_options, *at);
        if (option == NULL)
            return fail(err, ERR_INVALID, "there is no option '-%c'", *at);
        if (option->argument == NULL) {
            add_given(args, option, "");
            continue;
        }
        if (at[1] == '\0' && (*argv)[1] == NULL)
            return fail(err, ERR_INVALID, "option '-%c' needs a value", *at);
        add_given(args, option, at[1] != '\0' ? at + 1 : *++*argv);
        return 0;
    }
    return 0;
}

static const struct option *find_long(const struct option *table, const char *name, size_t length)
{
    for (; table != NULL && table->name != NULL; table++)
        if (strlen(table->name) == length && memcmp(table->name, name, length) == 0)
            return table;
    return NULL;
}

static const struct option *find_letter(const struct option *table, char letter)
{
    for (; table != NULL && table->name != NULL; table++)
        if (table->letter == letter)
            return table;
    return NULL;
}

static void add_given(struct args *args, const struct option *option, const char *value)
{
    args->given[args->given_count++] = (struct given){ option, value };
}

/* Room for all that argv may hold: each letter of a cluster is an option. */
static void grow(struct args *args, struct arena *mem, const char *const *argv)
{
    const struct given *old_given = args->given;
    const char **old_words = args->words;
    size_t given_max = args->given_count;
    size_t word_max = (size_t)args->word_count;

    for (; *argv != NULL; argv++) {
        given_max += strlen(*argv);
        word_max++;
    }
    args->given = arena_array(mem, given_max, sizeof(*args->given));
    args->words = arena_array(mem, word_max + 1, sizeof(*args->words));
    if (args->given_count > 0)
        memcpy(args->given, old_given, args->given_count * sizeof(*old_given));
    if (args->word_count > 0)
        memcpy(args->words, old_words, (size_t)args->word_count * sizeof(*old_words));
}
