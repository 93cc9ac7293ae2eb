/* SPDX-License-Identifier: Apache-2.0 */
/* The process object: words, variables, user, capabilities, limits. */
#include <string.h>

#include "core/box/oci.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static json_t *arguments(const struct oci_process_input *input);
static json_t *variables(struct task *task, const struct oci_process_input *input);
static void set_variable(json_t *list, const char *assignment, bool is_override);
static json_t *user_json(const struct user_ids *user);
static json_t *capability_sets(const json_t *list, const struct user_ids *user);
static json_t *limits(const json_t *host);
static bool has_security_option(const json_t *host, const char *option);
static const char *member_text(const json_t *object, const char *name);

int oci_process(struct task *task, const struct oci_process_input *input, json_t **process,
                struct error *err)
{
    const struct container *container = input->container;
    const json_t *host = container->host_config;
    const json_t *exec = input->exec;
    const char *directory = member_text(exec, "WorkingDir");
    cleanup_json json_t *privileged = json_pack("{sb}", "Privileged", true);
    json_t *capabilities;
    bool is_privileged = json_is_true(json_member(exec, "Privileged"));

    if (oci_capabilities(is_privileged ? privileged : host, &capabilities, err) < 0)
        return -1;
    if (directory[0] == '\0')
        directory = member_text(container->config, "WorkingDir");
    json_t *made = json_object();
    json_set(
        made, "terminal",
        json_boolean(json_is_true(json_member(exec != NULL ? exec : container->config, "Tty"))));
    json_set(made, "user", user_json(&input->user));
    json_set(made, "args", arguments(input));
    json_set(made, "env", variables(task, input));
    json_set(made, "cwd", json_text(directory[0] != '\0' ? directory : "/"));
    json_set(made, "capabilities", capability_sets(capabilities, &input->user));
    json_set(made, "rlimits", limits(host));
    json_set(made, "noNewPrivileges", json_boolean(has_security_option(host, "no-new-privileges")));
    json_object_set(made, "oomScoreAdj", json_object_get(host, "OomScoreAdj"));
    json_decref(capabilities);
    *process = made;
    return 0;
}

static json_t *arguments(const struct oci_process_input *input)
{
    if (input->exec != NULL)
        return json_deep_copy(json_member(input->exec, "Cmd"));
    json_t *words = json_array();
    json_t *rest = json_list(input->container->args);
    if (input->has_init) {
        json_array_append_new(words, json_string(OCI_INIT));
        json_array_append_new(words, json_string("--"));
    }
    json_array_append_new(words, json_text(input->container->path));
    (void)json_array_extend(words, rest); /* fails only without memory */
    json_decref(rest);
    return words;
}

static json_t *variables(struct task *task, const struct oci_process_input *input)
{
    const json_t *config = input->container->config;
    const json_t *exec = input->exec;
    const json_t *own = json_object_get(config, "Env");
    const json_t *more = json_member(exec, "Env");
    bool has_terminal = json_is_true(json_member(exec != NULL ? exec : config, "Tty"));
    json_t *list = json_array();
    size_t i;
    json_t *assignment;

    set_variable(list, DEFAULT_PATH, false);
    set_variable(list, arena_printf(task->mem, "HOSTNAME=%s", member_text(config, "Hostname")),
                 false);
    if (has_terminal)
        set_variable(list, "TERM=xterm", false);
    json_array_foreach(own, i, assignment)
    {
        set_variable(list, json_string_value(assignment), true);
    }
    json_array_foreach(more, i, assignment)
    {
        set_variable(list, json_string_value(assignment), true);
    }
    set_variable(list, arena_printf(task->mem, "HOME=%s", input->user.home), false);
    return list;
}

/* "NAME" without a value takes the variable away, as Docker has it. */
static void set_variable(json_t *list, const char *assignment, bool is_override)
{
    size_t length = strcspn(assignment, "=");
    bool has_value = assignment[length] == '=';

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *other = json_string_value(json_array_get(list, i));
        if (strncmp(other, assignment, length) != 0 || other[length] != '=')
            continue;
        if (is_override && has_value)
            (void)json_array_set_new(list, i, json_string(assignment)); /* the place exists */
        else if (is_override)
            (void)json_array_remove(list, i);
        return;
    }
    if (has_value)
        json_array_append_new(list, json_string(assignment));
}

static json_t *user_json(const struct user_ids *user)
{
    json_t *groups = json_array();

    for (size_t i = 0; i < user->group_count; i++)
        json_array_append_new(groups, json_integer(user->groups[i]));
    return json_pack("{sI sI so}", "uid", (json_int_t)user->uid, "gid", (json_int_t)user->gid,
                     "additionalGids", groups);
}

/* Another user than root has them within reach (of a setuid program), not in hand. */
static json_t *capability_sets(const json_t *list, const struct user_ids *user)
{
    json_t *sets = json_object();

    json_set(sets, "bounding", json_deep_copy(list));
    if (user->uid == 0) {
        json_set(sets, "permitted", json_deep_copy(list));
        json_set(sets, "effective", json_deep_copy(list));
    }
    return sets;
}

static json_t *limits(const json_t *host)
{
    json_t *list = json_array();
    size_t i;
    json_t *limit;

    json_array_foreach(json_object_get(host, "Ulimits"), i, limit)
    {
        char type[32] = "RLIMIT_";
        const char *name = member_text(limit, "Name");
        size_t at = strlen(type);
        for (; *name != '\0' && at + 1 < sizeof(type); name++)
            type[at++] = (char)(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
        type[at] = '\0';
        json_array_append_new(list,
                              json_pack("{ss sI sI}", "type", type, "soft",
                                        json_integer_value(json_member(limit, "Soft")), "hard",
                                        json_integer_value(json_member(limit, "Hard"))));
    }
    return list;
}

/* "no-new-privileges", "no-new-privileges=true" or with a colon. */
static bool has_security_option(const json_t *host, const char *option)
{
    size_t length = strlen(option);
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(host, "SecurityOpt"), i, item)
    {
        const char *text = json_string_value(item);
        if (strncmp(text, option, length) == 0 &&
            (text[length] == '\0' || strcmp(text + length + 1, "true") == 0))
            return true;
    }
    return false;
}

static const char *member_text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_member(object, name));

    return value != NULL ? value : "";
}
