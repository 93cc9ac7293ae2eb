/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp to a BPF program, by libseccomp.  Only on a cache miss: this is the slow part. */
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/process/filter.h"

#define ARGS_MAX      6
#define ERRNO_MAX     4095
#define OPTIMIZE_TREE 2 /* SCMP_FLTATR_CTL_OPTIMIZE: binary tree */

const char *const seccomp_action_names[] = {
    "SCMP_ACT_ALLOW",       "SCMP_ACT_ERRNO",
    "SCMP_ACT_KILL",        "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",      "SCMP_ACT_TRACE",
    "SCMP_ACT_TRAP",        NULL,
};

const char *const seccomp_operator_names[] = {
    "SCMP_CMP_EQ", "SCMP_CMP_GE",        "SCMP_CMP_GT", "SCMP_CMP_LE",
    "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE", NULL,
};

static const enum scmp_compare operators[] = {
    SCMP_CMP_EQ, SCMP_CMP_GE,        SCMP_CMP_GT, SCMP_CMP_LE,
    SCMP_CMP_LT, SCMP_CMP_MASKED_EQ, SCMP_CMP_NE,
};

const char *const seccomp_arch_names[] = {
    "SCMP_ARCH_X86_64",   "SCMP_ARCH_X86",         "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",      "SCMP_ARCH_AARCH64",     "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",   "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",    "SCMP_ARCH_PPC64LE",     "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",    "SCMP_ARCH_RISCV64",     NULL,
};

static const uint32_t arches[] = {
    SCMP_ARCH_X86_64,  SCMP_ARCH_X86,      SCMP_ARCH_X32,         SCMP_ARCH_ARM,
    SCMP_ARCH_AARCH64, SCMP_ARCH_MIPS,     SCMP_ARCH_MIPS64,      SCMP_ARCH_MIPS64N32,
    SCMP_ARCH_MIPSEL,  SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_PPC,
    SCMP_ARCH_PPC64,   SCMP_ARCH_PPC64LE,  SCMP_ARCH_S390,        SCMP_ARCH_S390X,
    SCMP_ARCH_RISCV64,
};

static int find_name(const char *const *names, const char *name);
static int find_action(const json_t *name, const json_t *errno_ret, uint32_t *action,
                       struct error *err);
static int add_arches(scmp_filter_ctx context, const json_t *list, struct error *err);
static size_t make_prologue(const json_t *json, struct sock_filter program[FILTER_PROLOGUE_MAX]);
static int add_rules(scmp_filter_ctx context, const json_t *rule, uint32_t default_action,
                     struct error *err);
static int add_rule(scmp_filter_ctx context, const json_t *rule, const char *name, uint32_t action,
                    struct error *err);
static int read_arg(const json_t *json, struct scmp_arg_cmp *arg, struct error *err);
static int export(struct arena *mem, const json_t *json, scmp_filter_ctx context,
                  struct filter *filter, struct error *err);
static void release(scmp_filter_ctx *context);

int filter_compile(struct arena *mem, const json_t *json, struct filter *filter, struct error *err)
{
    uint32_t default_action = 0;
    size_t index;
    json_t *rule;

    if (find_action(json_object_get(json, "defaultAction"),
                    json_object_get(json, "defaultErrnoRet"), &default_action, err) < 0)
        return -1;
    CLEANUP(release) scmp_filter_ctx context = seccomp_init(default_action);
    if (context == NULL)
        return fail(err, ERR_INVALID, "cannot begin a filter");
    (void)seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE,
                           OPTIMIZE_TREE); /* else it is only slower */
    if (add_arches(context, json_object_get(json, "architectures"), err) < 0)
        return -1;
    json_array_foreach(json_object_get(json, "syscalls"), index, rule)
    {
        if (add_rules(context, rule, default_action, err) < 0)
            return -1;
    }
    return export(mem, json, context, filter, err);
}

static int find_name(const char *const *names, const char *name)
{
    for (int i = 0; name != NULL && names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -ENOENT;
}

static int find_action(const json_t *name, const json_t *errno_ret, uint32_t *action,
                       struct error *err)
{
    const char *text = json_string_value(name);
    uint32_t number = errno_ret != NULL ? (uint32_t)json_integer_value(errno_ret) : EPERM;
    const uint32_t actions[] = {
        SCMP_ACT_ALLOW,        SCMP_ACT_ERRNO(number), SCMP_ACT_KILL,
        SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD,   SCMP_ACT_LOG,
        SCMP_ACT_NOTIFY,       SCMP_ACT_TRACE(number), SCMP_ACT_TRAP,
    };
    int index = find_name(seccomp_action_names, text);

    if (index < 0)
        return fail(err, ERR_INVALID, "unknown action '%s'", text != NULL ? text : "");
    if (number > ERRNO_MAX)
        return fail(err, ERR_INVALID, "errnoRet %u is out of range", number);
    *action = actions[index];
    return 0;
}

static int add_arches(scmp_filter_ctx context, const json_t *list, struct error *err)
{
    size_t index;
    json_t *item;

    json_array_foreach(list, index, item)
    {
        int arch = find_name(seccomp_arch_names, json_string_value(item));
        if (arch < 0)
            return fail(err, ERR_INVALID, "unknown architecture");
        int rc = seccomp_arch_add(context, arches[arch]);
        if (rc < 0 && rc != -EEXIST)
            return fail_sys(err, rc, "cannot add architecture '%s'", seccomp_arch_names[arch]);
    }
    return 0;
}

/* The native one counts where none is named. */
static size_t make_prologue(const json_t *json, struct sock_filter program[FILTER_PROLOGUE_MAX])
{
    const json_t *list = json_object_get(json, "architectures");
    uint32_t wanted[FILTER_ARCHES_MAX];
    size_t count = json_array_size(list);

    for (size_t i = 0; i < count && i < FILTER_ARCHES_MAX; i++) {
        int arch = find_name(seccomp_arch_names, json_string_value(json_array_get(list, i)));
        wanted[i] = arch < 0 ? 0 : arches[arch]; /* known: it was added */
    }
    if (count == 0)
        wanted[count++] = seccomp_arch_native();
    return filter_prologue(json, wanted, count < FILTER_ARCHES_MAX ? count : FILTER_ARCHES_MAX,
                           program);
}

static int add_rules(scmp_filter_ctx context, const json_t *rule, uint32_t default_action,
                     struct error *err)
{
    uint32_t action = 0;
    size_t index;
    json_t *name;

    if (find_action(json_object_get(rule, "action"), json_object_get(rule, "errnoRet"), &action,
                    err) < 0)
        return -1;
    if (action == default_action)
        return 0; /* libseccomp refuses what changes nothing */
    json_array_foreach(json_object_get(rule, "names"), index, name)
    {
        if (!json_is_string(name))
            return fail(err, ERR_INVALID, "a system call's name must be a string");
        if (add_rule(context, rule, json_string_value(name), action, err) < 0)
            return -1;
    }
    return 0;
}

static int add_rule(scmp_filter_ctx context, const json_t *rule, const char *name, uint32_t action,
                    struct error *err)
{
    struct scmp_arg_cmp args[ARGS_MAX] = { 0 };
    const json_t *list = json_object_get(rule, "args");
    size_t count = json_array_size(list);
    int number = seccomp_syscall_resolve_name(name);
    unsigned int seen = 0;
    bool is_repeated = false;

    if (number == __NR_SCMP_ERROR)
        return 0; /* newer than this libseccomp: the default action holds, as in other runtimes */
    if (count > ARGS_MAX)
        return fail(err, ERR_INVALID, "'%s' has more than %d args", name, ARGS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (read_arg(json_array_get(list, i), &args[i], err) < 0)
            return error_prefix(err, "'%s'", name);
        is_repeated = is_repeated || (seen & (1u << args[i].arg)) != 0;
        seen |= 1u << args[i].arg;
    }
    /* libseccomp takes one comparison an argument; several of one are alternatives (runc, crun). */
    int rc = 0;
    for (size_t i = 0; is_repeated && i < count && rc >= 0; i++)
        rc = seccomp_rule_add_array(context, action, number, 1, &args[i]);
    if (!is_repeated)
        rc = seccomp_rule_add_array(context, action, number, (unsigned int)count, args);
    if (rc < 0 && rc != -EEXIST)
        return fail_sys(err, rc, "cannot add a rule for '%s'", name);
    return 0;
}

static int read_arg(const json_t *json, struct scmp_arg_cmp *arg, struct error *err)
{
    const json_t *index = json_object_get(json, "index");
    int comparison =
        find_name(seccomp_operator_names, json_string_value(json_object_get(json, "op")));
    json_int_t number = json_integer_value(index);

    if (!json_is_integer(index) || number < 0 || number >= ARGS_MAX || comparison < 0)
        return fail(err, ERR_INVALID, "an argument's index or op is unknown");
    *arg = (struct scmp_arg_cmp){
        .arg = (unsigned int)number,
        .op = operators[comparison],
        .datum_a = (scmp_datum_t)json_integer_value(json_object_get(json, "value")),
        .datum_b = (scmp_datum_t)json_integer_value(json_object_get(json, "valueTwo")),
    };
    return 0;
}

static int export(struct arena *mem, const json_t *json, scmp_filter_ctx context,
                  struct filter *filter, struct error *err)
{
    struct sock_filter prologue[FILTER_PROLOGUE_MAX];
    size_t prologue_size = make_prologue(json, prologue) * sizeof(prologue[0]);
    cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
    int rc = fd < 0 ? -errno : seccomp_export_bpf(context, fd);
    off_t size = rc < 0 ? 0 : lseek(fd, 0, SEEK_END);

    if (rc < 0 || size <= 0)
        return fail_sys(err, rc < 0 ? rc : -EIO, "cannot make the filter");
    char *program = arena_alloc(mem, prologue_size + (size_t)size);
    memcpy(program, prologue, prologue_size);
    if (pread(fd, program + prologue_size, (size_t)size, 0) != size)
        return fail(err, ERR_SYSTEM, "cannot read the filter back");
    filter->program = (struct sock_filter *)(void *)program; /* from an arena: aligned */
    filter->size = prologue_size + (size_t)size;
    return 0;
}

static void release(scmp_filter_ctx *context)
{
    if (*context != NULL)
        seccomp_release(*context);
}
