/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp profiles to programs: what is accepted, and the prologue, run as the kernel would. */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "lib/test.h"
#include "runner/process/filter.h"

/* The classic BPF that filters consist of, on one system call. */
static uint32_t run_program(const struct filter *filter, const struct seccomp_data *data)
{
    const struct sock_filter *program = filter->program;
    size_t count = filter->size / sizeof(*program);
    uint32_t a = 0;

    for (size_t pc = 0; pc < count; pc++) {
        const struct sock_filter *insn = &program[pc];
        switch (insn->code) {
        case BPF_LD | BPF_W | BPF_ABS: memcpy(&a, (const char *)data + insn->k, sizeof(a)); break;
        case BPF_JMP | BPF_JEQ | BPF_K: pc += a == insn->k ? insn->jt : insn->jf; break;
        case BPF_JMP | BPF_JGT | BPF_K: pc += a > insn->k ? insn->jt : insn->jf; break;
        case BPF_JMP | BPF_JGE | BPF_K: pc += a >= insn->k ? insn->jt : insn->jf; break;
        case BPF_JMP | BPF_JSET | BPF_K: pc += (a & insn->k) != 0 ? insn->jt : insn->jf; break;
        case BPF_JMP | BPF_JA: pc += insn->k; break;
        case BPF_ALU | BPF_AND | BPF_K: a &= insn->k; break;
        case BPF_RET | BPF_K: return insn->k;
        default: ck_abort_msg("unexpected instruction %#x", insn->code);
        }
    }
    ck_abort_msg("the program does not end");
}

static int prepare(struct arena *mem, const char *text, struct filter *filter, struct error *err)
{
    static json_t *profile; /* the filter borrows from it */

    json_decref(profile);
    profile = json_read(text, strlen(text), err);
    CHECK(profile != NULL);
    return filter_prepare(mem, profile, NULL, filter, err);
}

static uint32_t decide(const struct filter *filter, uint32_t arch, int number)
{
    struct seccomp_data data = { .nr = number, .arch = arch };

    return run_program(filter, &data);
}

TEST(a_profile_decides_as_it_says_and_newer_calls_are_unknown)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter filter = { 0 };
    struct error err = { 0 };
    uint32_t arch = seccomp_arch_native();
    int read_number = seccomp_syscall_resolve_name("read");
    int write_number = seccomp_syscall_resolve_name("write");
    int close_number = seccomp_syscall_resolve_name("close");

    CHECK_OK(prepare(mem,
                     "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
                     "{\"names\":[\"read\",\"nosuch\",\"openat\"],\"action\":\"SCMP_ACT_ALLOW\"},"
                     "{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":30}]}",
                     &filter, &err),
             &err);
    CHECK(decide(&filter, arch, read_number) == SECCOMP_RET_ALLOW);
    CHECK(decide(&filter, arch, write_number) == (SECCOMP_RET_ERRNO | 30));
    CHECK(decide(&filter, arch, close_number) == (SECCOMP_RET_ERRNO | EPERM));
    CHECK(decide(&filter, arch, 100000) == (SECCOMP_RET_ERRNO | ENOSYS));
    CHECK(decide(&filter, 1, read_number) != SECCOMP_RET_ALLOW);
}

TEST(a_profile_that_chose_another_default_keeps_it)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter filter = { 0 };
    struct error err = { 0 };

    CHECK_OK(prepare(mem,
                     "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":13,"
                     "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
                     &filter, &err),
             &err);
    CHECK(decide(&filter, seccomp_arch_native(), 100000) == (SECCOMP_RET_ERRNO | 13));
}

TEST(several_architectures_each_have_their_newest_call)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter filter = { 0 };
    struct error err = { 0 };

    CHECK_OK(
        prepare(mem,
                "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\","
                "\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\",\"SCMP_ARCH_AARCH64\"],"
                "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
                &filter, &err),
        &err);
    CHECK(decide(&filter, SCMP_ARCH_X86, 3) == SECCOMP_RET_ALLOW);
    CHECK(decide(&filter, SCMP_ARCH_X86, 4) == (SECCOMP_RET_ERRNO | ENOSYS));
    CHECK(decide(&filter, SCMP_ARCH_AARCH64, 63) == SECCOMP_RET_ALLOW);
    CHECK(decide(&filter, SCMP_ARCH_AARCH64, 64) == (SECCOMP_RET_ERRNO | ENOSYS));
    CHECK(decide(&filter, SCMP_ARCH_AARCH64, 62) == (SECCOMP_RET_ERRNO | EPERM));
    CHECK(decide(&filter, SCMP_ARCH_X86_64, 0x40000000) == SECCOMP_RET_ALLOW);
}

TEST(arguments_are_compared_and_two_of_one_are_alternatives)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter filter = { 0 };
    struct error err = { 0 };
    struct seccomp_data data = { .nr = seccomp_syscall_resolve_name("personality"),
                                 .arch = seccomp_arch_native() };

    CHECK_OK(prepare(mem,
                     "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":"
                     "[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
                     "{\"index\":0,\"value\":8,\"op\":\"SCMP_CMP_EQ\"},"
                     "{\"index\":0,\"value\":4294967295,\"op\":\"SCMP_CMP_EQ\"}]}]}",
                     &filter, &err),
             &err);
    data.args[0] = 8;
    CHECK(run_program(&filter, &data) == SECCOMP_RET_ALLOW);
    data.args[0] = 0xffffffff;
    CHECK(run_program(&filter, &data) == SECCOMP_RET_ALLOW);
    data.args[0] = 9;
    CHECK(run_program(&filter, &data) == (SECCOMP_RET_ERRNO | EPERM));
}

TEST(a_profile_with_unknown_words_is_refused)
{
    static const char *const texts[] = {
        "{}",
        "{\"defaultAction\":\"ALLOW\"}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"VAX\"]}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[1],\"action\":"
        "\"SCMP_ACT_KILL\"}]}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":"
        "\"SCMP_ACT_KILL\",\"args\":[{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        cleanup_arena struct arena *mem = arena_new();
        struct filter filter = { 0 };
        struct error err = { 0 };
        CHECK_FAILS(prepare(mem, texts[i], &filter, &err), &err, ERR_INVALID);
    }
}
