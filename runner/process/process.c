/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and checking a process object. */
#include "runner/process/process.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "runner/process/rlimit.h"

#define PROCESS_MAX ((size_t)4 * 1024 * 1024)
#define P           struct process

static const struct field console_fields[] = {
    FIELD(U32, P, console_rows, "height"),
    FIELD(U32, P, console_columns, "width"),
    { .type = FIELD_END },
};

static const struct field user_fields[] = {
    FIELD(U32, P, uid, "uid"),       FIELD(U32, P, gid, "gid"),
    FIELD(LIMIT, P, umask, "umask"), FIELD_JSON(P, additional_gids, "additionalGids", JSON_ARRAY),
    { .type = FIELD_END },
};

static const struct field capability_fields[] = {
    FIELD(TEXTS, P, capabilities.bounding, "bounding"),
    FIELD(TEXTS, P, capabilities.effective, "effective"),
    FIELD(TEXTS, P, capabilities.permitted, "permitted"),
    FIELD(TEXTS, P, capabilities.inheritable, "inheritable"),
    FIELD(TEXTS, P, capabilities.ambient, "ambient"),
    { .type = FIELD_END },
};

static const struct field rlimit_fields[] = {
    FIELD_REQUIRED(TEXT, struct process_rlimit, type, "type"),
    FIELD_REQUIRED(INT, struct process_rlimit, soft, "soft"),
    FIELD_REQUIRED(INT, struct process_rlimit, hard, "hard"),
    { .type = FIELD_END },
};

/* clang-format off */
#define SECTION(key, table) { .name = (key), .type = FIELD_OBJECT, .offset = 0, .fields = (table) }
/* clang-format on */

const struct field process_fields[] = {
    FIELD(BOOL, P, terminal, "terminal"),
    SECTION("consoleSize", console_fields),
    SECTION("user", user_fields),
    FIELD(TEXTS, P, args, "args"),
    FIELD(TEXTS, P, env, "env"),
    FIELD_REQUIRED(TEXT, P, cwd, "cwd"),
    SECTION("capabilities", capability_fields),
    FIELD_LIST(P, rlimits, "rlimits", struct process_rlimit, rlimit_fields),
    FIELD(BOOL, P, no_new_privileges, "noNewPrivileges"),
    FIELD(LIMIT, P, oom_score_adj, "oomScoreAdj"),
    FIELD(TEXT, P, apparmor_profile, "apparmorProfile"),
    FIELD(TEXT, P, selinux_label, "selinuxLabel"),
    FIELD_JSON(P, scheduler, "scheduler", JSON_OBJECT),
    FIELD_JSON(P, io_priority, "ioPriority", JSON_OBJECT),
    FIELD_JSON(P, exec_cpu_affinity, "execCPUAffinity", JSON_OBJECT),
    { .type = FIELD_END },
};

int process_read(struct arena *mem, const char *path, struct process **process, struct error *err)
{
    struct process *read = arena_alloc(mem, sizeof(*read));
    size_t size = 0;
    char *text;

    if (fs_read_file(mem, AT_FDCWD, path, PROCESS_MAX, &text, &size, err) < 0)
        return -1;
    cleanup_json json_t *json = fields_parse(text, size, err);
    if (json == NULL || fields_read(mem, "process", json, process_fields, read, err) < 0 ||
        process_check(read, err) < 0)
        return -1;
    read->json = json_incref(json);
    *process = read;
    return 0;
}

void process_close(struct process *process)
{
    if (process == NULL)
        return;
    json_decref(process->json);
    process->json = NULL;
}

int process_check(struct process *process, struct error *err)
{
    if (process->args == NULL || process->args[0] == NULL)
        return fail(err, ERR_INVALID, "'process.args' must not be empty");
    if (process->cwd[0] != '/')
        return fail(err, ERR_INVALID, "'process.cwd' must be absolute: '%s'", process->cwd);
    for (const char *const *env = process->env; env != NULL && *env != NULL; env++)
        if (strchr(*env, '=') == NULL)
            return fail(err, ERR_INVALID, "'process.env' has no '=' in '%s'", *env);
    for (size_t i = 0; i < process->rlimits.count; i++) {
        const struct process_rlimit *limit = ARRAY_ITEM(process->rlimits, struct process_rlimit, i);
        if (rlimit_find(limit->type) < 0)
            return fail(err, ERR_INVALID, "unknown resource limit '%s'", limit->type);
    }
    for (size_t i = 0; i < json_array_size(process->additional_gids); i++)
        if (!json_is_integer(json_array_get(process->additional_gids, i)))
            return fail(err, ERR_INVALID, "'process.user.additionalGids' must be whole numbers");
    return 0;
}

const char *process_env(const struct process *process, const char *name)
{
    size_t length = strlen(name);

    for (const char *const *env = process->env; env != NULL && *env != NULL; env++)
        if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
            return *env + length + 1;
    return NULL;
}
