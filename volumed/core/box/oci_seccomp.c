/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seccomp profile as Docker's users write it, made the OCI specification's: rules that hold only
 * with or without some capability, or for another architecture, are decided here.
 */
#include <string.h>
#include <sys/utsname.h>

#include "core/box/oci.h"

static json_t *architectures(const json_t *profile);
static json_t *rules_for(const json_t *profile, const json_t *capabilities);
static bool applies(const json_t *rule, const json_t *capabilities);
static bool names_any(const json_t *condition, const char *member, const json_t *held);
static bool names_all(const json_t *condition, const char *member, const json_t *held);
static json_t *this_machine(void);
static bool has(const json_t *list, const json_t *text);

int oci_seccomp(const char *profile_text, const json_t *capabilities, json_t **seccomp,
                struct error *err)
{
    cleanup_json json_t *profile = json_read(profile_text, strlen(profile_text), err);
    static const char *const kept[] = { "defaultAction", "defaultErrnoRet", "listenerPath",
                                        "listenerMetadata", "flags" };

    if (profile == NULL)
        return error_prefix(err, "Decoding seccomp profile failed");
    if (!json_is_string(json_member(profile, "defaultAction")))
        return fail(err, ERR_INVALID, "Decoding seccomp profile failed: no defaultAction");
    json_t *made = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        if (json_member(profile, kept[i]) != NULL)
            json_object_set(made, kept[i], json_member(profile, kept[i]));
    json_set(made, "architectures", architectures(profile));
    json_set(made, "syscalls", rules_for(profile, capabilities));
    *seccomp = made;
    return 0;
}

/* "architectures", or Docker's "archMap": the native one brings its sub-architectures. */
static json_t *architectures(const json_t *profile)
{
    json_t *given = json_member(profile, "architectures");
    json_t *list = json_is_array(given) ? json_deep_copy(given) : json_array();
    struct utsname host;
    size_t i, k;
    json_t *entry;
    json_t *sub;

    (void)uname(&host); /* fails only for a bad address */
    const char *native =
        strcmp(host.machine, "x86_64") == 0 ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64";
    json_array_foreach(json_member(profile, "archMap"), i, entry)
    {
        const char *name = json_string_value(json_member(entry, "architecture"));
        if (name == NULL || strcmp(name, native) != 0)
            continue;
        json_array_append_new(list, json_string(name));
        json_array_foreach(json_member(entry, "subArchitectures"), k, sub)
        {
            json_array_append(list, sub);
        }
    }
    return list;
}

static json_t *rules_for(const json_t *profile, const json_t *capabilities)
{
    static const char *const kept[] = { "action", "errnoRet", "args" };
    json_t *list = json_array();
    size_t i;
    json_t *rule;

    json_array_foreach(json_member(profile, "syscalls"), i, rule)
    {
        json_t *names = json_member(rule, "names");
        json_t *name = json_member(rule, "name");
        if (!applies(rule, capabilities))
            continue;
        json_t *made = json_object();
        for (size_t k = 0; k < ARRAY_SIZE(kept); k++)
            if (json_member(rule, kept[k]) != NULL)
                json_object_set(made, kept[k], json_member(rule, kept[k]));
        json_set(made, "names",
                 json_is_array(names) ? json_deep_copy(names) : json_pack("[O]", name));
        json_array_append_new(list, made);
    }
    return list;
}

static bool applies(const json_t *rule, const json_t *capabilities)
{
    const json_t *includes = json_member(rule, "includes");
    const json_t *excludes = json_member(rule, "excludes");
    cleanup_json json_t *machine = this_machine();

    if (json_array_size(json_member(includes, "arches")) > 0 &&
        !names_any(includes, "arches", machine))
        return false;
    return names_all(includes, "caps", capabilities) && !names_any(excludes, "arches", machine) &&
           !names_any(excludes, "caps", capabilities);
}

static bool names_any(const json_t *condition, const char *member, const json_t *held)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_member(condition, member), i, item)
    {
        if (has(held, item))
            return true;
    }
    return false;
}

static bool names_all(const json_t *condition, const char *member, const json_t *held)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_member(condition, member), i, item)
    {
        if (!has(held, item))
            return false;
    }
    return true;
}

/* What Go, and so Docker's profiles, call it. */
static json_t *this_machine(void)
{
    struct utsname host;

    (void)uname(&host); /* fails only for a bad address */
    if (strcmp(host.machine, "x86_64") == 0)
        return json_pack("[sss]", "amd64", "x86", "x32");
    return json_pack("[ss]", strcmp(host.machine, "aarch64") == 0 ? "arm64" : host.machine, "arm");
}

static bool has(const json_t *list, const json_t *text)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        if (json_equal(item, text))
            return true;
    }
    return false;
}
