/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices a container may use: the spec's rules, then what every container needs.  On v1 as
 * lines in devices.allow and devices.deny, on v2 as a BPF program that replaces its predecessor.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/cgroup/cgroup.h"
#include "runner/cgroup/cgroup_file.h"
#include "runner/process/descriptor.h"

#define PROGRAM_MAX    4096
#define PROGRAMS_MAX   64
#define INSNS_PER_RULE 8
#define ANY            (-1)

/* One rule as both layouts understand it. */
struct rule {
    int64_t major;
    int64_t minor;
    int access; /* BPF_DEVCG_ACC_* */
    char type;  /* 'a', 'b' or 'c' */
    bool allow;
};

#define ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

/* Making nodes is harmless without the right to open them; the rest are /dev's own. */
static const struct rule always_allowed[] = {
    { ANY, ANY, BPF_DEVCG_ACC_MKNOD, 'c', true },
    { ANY, ANY, BPF_DEVCG_ACC_MKNOD, 'b', true },
    { 1, 3, ALL, 'c', true },     /* null */
    { 1, 5, ALL, 'c', true },     /* zero */
    { 1, 7, ALL, 'c', true },     /* full */
    { 1, 8, ALL, 'c', true },     /* random */
    { 1, 9, ALL, 'c', true },     /* urandom */
    { 5, 0, ALL, 'c', true },     /* tty */
    { 5, 2, ALL, 'c', true },     /* ptmx */
    { 136, ANY, ALL, 'c', true }, /* pts */
};

struct program {
    struct bpf_insn insns[PROGRAM_MAX];
    size_t count;
};

/* Those that are attached to a group. */
struct programs {
    uint32_t ids[PROGRAMS_MAX];
    uint32_t count;
};

static int rule_read(const struct device_rule *spec, struct rule *rule, struct error *err);
static int apply_v1(const char *directory, const struct array *devices, struct error *err);
static int write_rules(const int fds[2], const struct array *devices, struct rule *last,
                       struct error *err);
static int write_rule(const int fds[2], const struct rule *rule, struct error *err);
static int apply_v2(const char *directory, const struct array *devices, struct error *err);
static int program_build(struct program *program, const struct array *devices, struct error *err);
static void program_add_rule(struct program *program, const struct rule *rule);
static void program_add(struct program *program, uint8_t code, unsigned int registers,
                        int16_t offset, int32_t value);
static int program_attach(const struct program *program, int group_fd);
static int find_programs(int group_fd, struct programs *programs);
static int bpf(int command, union bpf_attr *attr);

int cgroup_devices_apply(const struct cgroup *cgroup, const struct array *devices,
                         struct error *err)
{
    const struct hierarchy *v1 = cgroup_find(cgroup, "devices");

    if (v1 != NULL)
        return apply_v1(v1->path, devices, err);
    if (cgroup->is_unified && cgroup->count > 0)
        return apply_v2(cgroup->hierarchies[0].path, devices, err);
    return 0;
}

static int rule_read(const struct device_rule *spec, struct rule *rule, struct error *err)
{
    static const struct {
        char letter;
        int bit;
    } accesses[] = {
        { 'r', BPF_DEVCG_ACC_READ },
        { 'w', BPF_DEVCG_ACC_WRITE },
        { 'm', BPF_DEVCG_ACC_MKNOD },
    };

    const char *type = spec->type != NULL && *spec->type != '\0' ? spec->type : "a";
    const char *access = spec->access != NULL && *spec->access != '\0' ? spec->access : "rwm";

    if (strchr("abcu", type[0]) == NULL || type[1] != '\0' || access[strspn(access, "rwm")] != '\0')
        return fail(err, ERR_INVALID, "invalid device rule: type '%s', access '%s'", type, access);
    *rule = (struct rule){
        .allow = spec->allow,
        .type = (char)(type[0] == 'u' ? 'c' : type[0]),
        .major = spec->major.is_set && spec->major.value >= 0 ? spec->major.value : ANY,
        .minor = spec->minor.is_set && spec->minor.value >= 0 ? spec->minor.value : ANY,
    };
    for (size_t i = 0; i < ARRAY_SIZE(accesses); i++)
        if (strchr(access, accesses[i].letter) != NULL)
            rule->access |= accesses[i].bit;
    return 0;
}

/*
 * A new v1 group inherits everything its parent may use, so it begins by being denied all.  A host
 * that gives us no say (we are in a user namespace) has said enough.
 */
static int apply_v1(const char *directory, const struct array *devices, struct error *err)
{
    struct rule rule = { 0 };
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/devices.deny", directory); /* cut: the open fails */
    cleanup_fd_later int deny_fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
    (void)snprintf(path, sizeof(path), "%s/devices.allow", directory); /* cut: the open fails */
    cleanup_fd_later int allow_fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
    int fds[2] = { deny_fd, allow_fd };

    if (deny_fd < 0 || allow_fd < 0)
        return fail_sys(err, deny_fd < 0 ? deny_fd : allow_fd, "cannot open the device rules");
    int rc = sys_write_all(deny_fd, "a", 1);
    if (rc == -EPERM)
        return 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot deny devices");
    if (write_rules(fds, devices, &rule, err) < 0)
        return -1;
    bool is_all_allowed = devices->count > 0 && rule.allow && rule.type == 'a';
    for (size_t i = 0; i < ARRAY_SIZE(always_allowed) && !is_all_allowed; i++)
        if (write_rule(fds, &always_allowed[i], err) < 0)
            return -1;
    return 0;
}

/* *last is the last of them. */
static int write_rules(const int fds[2], const struct array *devices, struct rule *last,
                       struct error *err)
{
    for (size_t i = 0; i < devices->count; i++) {
        if (rule_read(ARRAY_ITEM(*devices, const struct device_rule, i), last, err) < 0)
            return -1;
        bool is_done = i == 0 && !last->allow && last->type == 'a'; /* engines begin so too */
        if (!is_done && write_rule(fds, last, err) < 0)
            return -1;
    }
    return 0;
}

static int write_rule(const int fds[2], const struct rule *rule, struct error *err)
{
    char major[24] = "*";
    char minor[24] = "*";
    char text[80];

    if (rule->type == 'a') { /* the kernel knows no part of "all" */
        int rc = sys_write_all(fds[rule->allow], "a", 1);
        return rc < 0 ? fail_sys(err, rc, "cannot set a device rule for all") : 0;
    }
    if (rule->major != ANY)
        (void)snprintf(major, sizeof(major), "%lld", (long long)rule->major); /* fits */
    if (rule->minor != ANY)
        (void)snprintf(minor, sizeof(minor), "%lld", (long long)rule->minor); /* fits */
    int length = snprintf(text, sizeof(text), "%c %s:%s %s%s%s", rule->type, major, minor,
                          (rule->access & BPF_DEVCG_ACC_READ) != 0 ? "r" : "",
                          (rule->access & BPF_DEVCG_ACC_WRITE) != 0 ? "w" : "",
                          (rule->access & BPF_DEVCG_ACC_MKNOD) != 0 ? "m" : "");
    int rc = sys_write_all(fds[rule->allow], text, (size_t)length);
    return rc < 0 ? fail_sys(err, rc, "cannot set device rule '%s'", text) : 0;
}

static int apply_v2(const char *directory, const struct array *devices, struct error *err)
{
    struct program *program = mem_alloc(sizeof(*program)); /* lives as long as the process */
    cleanup_fd_later int group_fd = sys_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);

    if (group_fd < 0)
        return fail_sys(err, group_fd, "cannot open cgroup '%s'", directory);
    if (program_build(program, devices, err) < 0)
        return -1;
    int rc = program_attach(program, group_fd);
    if (rc == -EPERM && geteuid() != 0) /* rootless: devices are the host's business */
        return 0;
    return rc < 0 ? fail_sys(err, rc, "cannot attach the device filter") : 0;
}

/* The last rule that matches decides, so the program asks them from the last to the first. */
static int program_build(struct program *program, const struct array *devices, struct error *err)
{
    struct rule rule = { 0 };

    if (devices->count + ARRAY_SIZE(always_allowed) > PROGRAM_MAX / INSNS_PER_RULE - 2)
        return fail(err, ERR_INVALID, "too many device rules: %zu", devices->count);
    /* r2 = type, r3 = access, r4 = major, r5 = minor */
    program_add(program, BPF_LDX | BPF_MEM | BPF_W, 2 | 1 << 4, 0, 0);
    program_add(program, BPF_ALU | BPF_AND | BPF_K, 2, 0, 0xFFFF);
    program_add(program, BPF_LDX | BPF_MEM | BPF_W, 3 | 1 << 4, 0, 0);
    program_add(program, BPF_ALU | BPF_RSH | BPF_K, 3, 0, 16);
    program_add(program, BPF_LDX | BPF_MEM | BPF_W, 4 | 1 << 4, 4, 0);
    program_add(program, BPF_LDX | BPF_MEM | BPF_W, 5 | 1 << 4, 8, 0);
    for (size_t i = ARRAY_SIZE(always_allowed); i > 0; i--)
        program_add_rule(program, &always_allowed[i - 1]);
    for (size_t i = devices->count; i > 0; i--) {
        if (rule_read(ARRAY_ITEM(*devices, const struct device_rule, i - 1), &rule, err) < 0)
            return -1;
        program_add_rule(program, &rule);
        if (rule.type == 'a' && rule.access == ALL && rule.major == ANY && rule.minor == ANY)
            return 0; /* always matches; the verifier refuses what can never be reached */
    }
    program_add(program, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0);
    program_add(program, BPF_JMP | BPF_EXIT, 0, 0, 0);
    return 0;
}

/* An allowing rule must cover all that is asked for; a denying one is hit by any part of it. */
static void program_add_rule(struct program *program, const struct rule *rule)
{
    bool has_type = rule->type != 'a';
    bool has_access = rule->access != ALL;
    int left = has_type + 3 * has_access + (rule->major != ANY) + (rule->minor != ANY);
    int unwanted = rule->allow ? ALL & ~rule->access : rule->access;

    left += 2; /* mov and exit; each jump below skips what is left of the rule */
    if (has_type)
        program_add(program, BPF_JMP | BPF_JNE | BPF_K, 2, (int16_t)(--left),
                    rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (has_access) {
        program_add(program, BPF_ALU64 | BPF_MOV | BPF_X, 1 | 3 << 4, 0, 0);
        program_add(program, BPF_ALU | BPF_AND | BPF_K, 1, 0, unwanted);
        left -= 3;
        program_add(program, BPF_JMP | (rule->allow ? BPF_JNE : BPF_JEQ) | BPF_K, 1, (int16_t)left,
                    0);
    }
    if (rule->major != ANY)
        program_add(program, BPF_JMP | BPF_JNE | BPF_K, 4, (int16_t)(--left), (int32_t)rule->major);
    if (rule->minor != ANY)
        program_add(program, BPF_JMP | BPF_JNE | BPF_K, 5, (int16_t)(--left), (int32_t)rule->minor);
    program_add(program, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, rule->allow);
    program_add(program, BPF_JMP | BPF_EXIT, 0, 0, 0);
}

/* 'registers' is destination | source << 4, as in the instruction. */
static void program_add(struct program *program, uint8_t code, unsigned int registers,
                        int16_t offset, int32_t value)
{
    program->insns[program->count++] = (struct bpf_insn){
        .code = code,
        .dst_reg = registers & 0xFu,
        .src_reg = (registers >> 4) & 0xFu,
        .off = offset,
        .imm = value,
    };
}

/* The new program is in force before the old one is taken away, so no moment is without. */
static int program_attach(const struct program *program, int group_fd)
{
    struct programs old = { 0 };
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insn_cnt = (uint32_t)program->count,
        .insns = (uint64_t)(uintptr_t)program->insns,
        .license = (uint64_t)(uintptr_t) "Apache-2.0",
    };
    int rc = find_programs(group_fd, &old);

    if (rc < 0)
        return rc;
    cleanup_fd_later int program_fd = bpf(BPF_PROG_LOAD, &load);
    if (program_fd < 0)
        return program_fd;
    union bpf_attr attach = {
        .target_fd = (uint32_t)group_fd,
        .attach_bpf_fd = (uint32_t)program_fd,
        .attach_type = BPF_CGROUP_DEVICE,
        .attach_flags = BPF_F_ALLOW_MULTI,
    };
    rc = bpf(BPF_PROG_ATTACH, &attach);
    for (uint32_t i = 0; i < old.count && rc >= 0; i++) {
        union bpf_attr open = { .prog_id = old.ids[i] };
        cleanup_fd_later int old_fd = bpf(BPF_PROG_GET_FD_BY_ID, &open);
        union bpf_attr detach = {
            .target_fd = (uint32_t)group_fd,
            .attach_bpf_fd = (uint32_t)old_fd,
            .attach_type = BPF_CGROUP_DEVICE,
        };
        rc = old_fd < 0 ? old_fd : bpf(BPF_PROG_DETACH, &detach);
    }
    return rc;
}

static int find_programs(int group_fd, struct programs *programs)
{
    union bpf_attr query = { 0 };

    query.query.target_fd = (uint32_t)group_fd;
    query.query.attach_type = BPF_CGROUP_DEVICE;
    query.query.prog_ids = (uint64_t)(uintptr_t)programs->ids;
    query.query.prog_cnt = PROGRAMS_MAX;
    int rc = bpf(BPF_PROG_QUERY, &query);

    programs->count = rc < 0 ? 0 : query.query.prog_cnt;
    return rc;
}

static int bpf(int command, union bpf_attr *attr)
{
    long rc = syscall(SYS_bpf, command, attr, sizeof(*attr));

    return rc < 0 ? -errno : (int)rc;
}
