/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes, and the cgroup's rules for them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/dir.h"
#include "base/sys.h"
#include "base/units.h"
#include "core/box/oci.h"

#define DEPTH_MAX 4

/* Docker's rules for device nodes: make any, use the harmless ones. */
static const struct rule {
    const char *type;
    int major; /* -1: any */
    int minor;
    const char *access;
} rules[] = {
    { "c", -1, -1, "m" }, { "b", -1, -1, "m" }, { "c", 1, 3, "rwm" },    { "c", 1, 5, "rwm" },
    { "c", 1, 7, "rwm" }, { "c", 1, 8, "rwm" }, { "c", 1, 9, "rwm" },    { "c", 5, 0, "rwm" },
    { "c", 5, 1, "rwm" }, { "c", 5, 2, "rwm" }, { "c", 136, -1, "rwm" },
};

static int add_device(struct task *task, json_t *devices, json_t *cgroup_rules,
                      const json_t *wanted, struct error *err);
static json_t *usual_rules(bool is_privileged);
static json_t *rule_json(const struct rule *rule);
static int add_own_rules(json_t *cgroup_rules, const json_t *host, struct error *err);
static void add_host_devices(struct task *task, json_t *devices, const char *directory, int depth);
static int rule_number(const char *text);
static bool is_passed_over(const char *name);
static json_t *node_json(const char *path, const struct stat *st);

int oci_devices(struct task *task, json_t *linux_json, const json_t *host, struct error *err)
{
    bool is_privileged = json_is_true(json_object_get(host, "Privileged"));
    json_t *devices = json_array();
    json_t *cgroup_rules = usual_rules(is_privileged);
    size_t i;
    json_t *wanted;

    json_set(linux_json, "devices", devices);
    json_set(json_object_get(linux_json, "resources"), "devices", cgroup_rules);
    if (is_privileged)
        add_host_devices(task, devices, "/dev", 0);
    json_array_foreach(json_object_get(host, "Devices"), i, wanted)
    {
        if (add_device(task, devices, cgroup_rules, wanted, err) < 0)
            return -1;
    }
    return add_own_rules(cgroup_rules, host, err);
}

static int add_device(struct task *task, json_t *devices, json_t *cgroup_rules,
                      const json_t *wanted, struct error *err)
{
    const char *source = "";
    const char *destination = "";
    const char *access = "rwm";
    struct stat st;

    if (json_get_text(wanted, "PathOnHost", task->mem, &source, err) < 0 ||
        json_get_text(wanted, "PathInContainer", task->mem, &destination, err) < 0 ||
        json_get_text(wanted, "CgroupPermissions", task->mem, &access, err) < 0)
        return -1;
    int rc = sys_fstatat(AT_FDCWD, source, &st, 0);
    if (rc == 0 && !S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        rc = -ENOTTY;
    if (rc < 0)
        return fail(err, ERR_INVALID,
                    "error gathering device information while adding custom device \"%s\": %s",
                    source, rc == -ENOTTY ? "not a device node" : "no such file or directory");
    const char *type = S_ISCHR(st.st_mode) ? "c" : "b";
    json_array_append_new(devices, node_json(destination[0] != '\0' ? destination : source, &st));
    const struct rule rule = { type, (int)major(st.st_rdev), (int)minor(st.st_rdev),
                               access[0] != '\0' ? access : "rwm" };
    json_array_append_new(cgroup_rules, rule_json(&rule));
    return 0;
}

static json_t *usual_rules(bool is_privileged)
{
    json_t *list = json_array();

    json_array_append_new(list, json_pack("{sb ss}", "allow", is_privileged, "access", "rwm"));
    for (size_t i = 0; !is_privileged && i < ARRAY_SIZE(rules); i++)
        json_array_append_new(list, rule_json(&rules[i]));
    return list;
}

static json_t *rule_json(const struct rule *rule)
{
    json_t *json =
        json_pack("{sb ss ss}", "allow", true, "type", rule->type, "access", rule->access);

    if (rule->major >= 0)
        json_set(json, "major", json_integer(rule->major));
    if (rule->minor >= 0)
        json_set(json, "minor", json_integer(rule->minor));
    return json;
}

/* "c 1:3 rwm", with * for any number. */
static int add_own_rules(json_t *cgroup_rules, const json_t *host, struct error *err)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(host, "DeviceCgroupRules"), i, item)
    {
        char type[2] = "";
        char access[4] = "";
        char numbers[2][12] = { "", "" };
        struct rule rule = { .type = type, .major = -1, .minor = -1, .access = access };
        if (sscanf(json_string_value(item), "%1[acb] %11[0-9*]:%11[0-9*] %3[rwm]", type, numbers[0],
                   numbers[1], access) != 4)
            return fail(err, ERR_INVALID, "invalid device cgroup rule format: '%s'",
                        json_string_value(item));
        rule.major = rule_number(numbers[0]);
        rule.minor = rule_number(numbers[1]);
        json_array_append_new(cgroup_rules, rule_json(&rule));
    }
    return 0;
}

/* -1, "any", for what is no number. */
static int rule_number(const char *text)
{
    int64_t value;

    return units_parse_int(text, &value) == 0 && value <= INT_MAX ? (int)value : -1;
}

/* A privileged container sees the host's devices, but for what has a mount of its own there. */
static void add_host_devices(struct task *task, json_t *devices, const char *directory, int depth)
{
    cleanup_dir DIR *dir = NULL;

    if (depth > DEPTH_MAX || dir_open(AT_FDCWD, directory, &dir) < 0)
        return;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        const char *path = arena_printf(task->mem, "%s/%s", directory, entry->d_name);
        struct stat st;
        if (is_passed_over(entry->d_name) ||
            sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISDIR(st.st_mode))
            add_host_devices(task, devices, path, depth + 1);
        if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
            json_array_append_new(devices, node_json(path, &st));
    }
}

static bool is_passed_over(const char *name)
{
    static const char *const names[] = { "pts", "shm", "fd", "mqueue", "console" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name[0] == '.';
}

static json_t *node_json(const char *path, const struct stat *st)
{
    return json_pack("{so ss si si si sI sI}", "path", json_text(path), "type",
                     S_ISCHR(st->st_mode) ? "c" : "b", "major", (int)major(st->st_rdev), "minor",
                     (int)minor(st->st_rdev), "fileMode", (int)(st->st_mode & 07777), "uid",
                     (json_int_t)st->st_uid, "gid", (json_int_t)st->st_gid);
}
