/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands before libseccomp's program: a system call that is newer than every one the profile
 * names gets ENOSYS instead of the profile's EPERM, so that C libraries fall back to the older call
 * that the profile does know.  A profile that chose another default has made its choice.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "runner/process/filter.h"

#define X32_BIT 0x40000000u

/* Instructions of one architecture's block. */
#define BLOCK 5

struct newest {
    uint32_t arch;
    uint32_t number;
};

static bool is_eperm_by_default(const json_t *json);
static uint32_t newest_call(const json_t *json, uint32_t arch);

/* What is not newer falls through to the program; x32 shares x86_64's number and has a bit of its
 * own, so its calls are left alone. */
size_t filter_prologue(const json_t *json, const uint32_t *arches, size_t count,
                       struct sock_filter program[FILTER_PROLOGUE_MAX])
{
    struct newest newest[FILTER_ARCHES_MAX];
    size_t wanted = 0;
    size_t used = 0;

    for (size_t i = 0; i < count && is_eperm_by_default(json); i++) {
        uint32_t number = newest_call(json, arches[i]);
        if (number > 0 && arches[i] != SCMP_ARCH_X32)
            newest[wanted++] = (struct newest){ arches[i], number };
    }
    if (wanted > 0)
        program[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                       offsetof(struct seccomp_data, arch));
    for (size_t i = 0; i < wanted; i++) {
        uint8_t rest = (uint8_t)((wanted - i - 1) * BLOCK);
        const struct sock_filter block[BLOCK] = {
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, newest[i].arch, 0, BLOCK - 1),
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, (uint8_t)(rest + 2), 0),
            BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, newest[i].number, 0, (uint8_t)(rest + 1)),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        };
        memcpy(program + used, block, sizeof(block));
        used += BLOCK;
    }
    return used;
}

static bool is_eperm_by_default(const json_t *json)
{
    const char *action = json_string_value(json_object_get(json, "defaultAction"));
    const json_t *number = json_object_get(json, "defaultErrnoRet");

    return action != NULL && strcmp(action, "SCMP_ACT_ERRNO") == 0 &&
           (number == NULL || json_integer_value(number) == EPERM);
}

static uint32_t newest_call(const json_t *json, uint32_t arch)
{
    uint32_t newest = 0;
    size_t rule_index;
    size_t name_index;
    json_t *rule;
    json_t *name;

    json_array_foreach(json_object_get(json, "syscalls"), rule_index, rule)
    {
        json_array_foreach(json_object_get(rule, "names"), name_index, name)
        {
            int number = seccomp_syscall_resolve_name_arch(arch, json_string_value(name));
            if (number > 0 && (uint32_t)number > newest)
                newest = (uint32_t)number;
        }
    }
    return newest;
}
