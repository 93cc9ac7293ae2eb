/* SPDX-License-Identifier: Apache-2.0 */
/* What programs of the host are given, and what is taken from them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/test.h"
#include "runtime/program.h"

static struct error err;
static struct buf output;
static int exit_code;

static int run_script(const char *script, const int *fds, size_t fd_count, int64_t timeout_ms)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    struct program program = {
        .argv = argv, .fds = fds, .fd_count = fd_count, .timeout_ms = timeout_ms
    };

    buf_clear(&output);
    return program_run(&program, 100000, &output, &exit_code, &err);
}

TEST(both_outputs_and_the_exit_code_are_taken)
{
    CHECK_OK(run_script("echo out; echo err >&2; exit 7", NULL, 0, 0), &err);
    CHECK_STR(output.data, "out\nerr\n");
    CHECK_INT(exit_code, 7);
    CHECK_OK(run_script("kill -9 $$", NULL, 0, 0), &err);
    CHECK_INT(exit_code, 137);
}

TEST(a_program_that_is_not_there_is_not_found)
{
    const char *const argv[] = { "/nosuch/program", NULL };
    struct program program = { .argv = argv };

    CHECK_FAILS(program_run(&program, 100, &output, &exit_code, &err), &err, ERR_NOT_FOUND);
}

TEST(it_has_no_input_no_strange_descriptors_and_a_plain_environment)
{
    int leaked = open("/dev/null", O_RDONLY); /* not close-on-exec */

    CHECK(leaked >= 0);
    CHECK_OK(run_script("cat; ls /proc/self/fd | tr '\\n' ' '; env | grep -c .", NULL, 0, 0), &err);
    /* 3 is ls's own; sh adds PWD and may add others, but nothing of ours. */
    CHECK(strncmp(output.data, "0 1 2 3 ", 8) == 0);
    CHECK_OK(run_script("env", NULL, 0, 0), &err);
    CHECK(strstr(output.data, "HOME=") == NULL);
}

/* Descriptors that lie where others are to go: none may overwrite one still to be moved. */
TEST(descriptors_are_handed_over_in_order_wherever_they_lie)
{
    int fds[4];

    for (int i = 0; i < 4; i++) {
        char text[2] = { (char)('a' + i), '\0' };
        int ends[2];
        CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
        CHECK_INT((int)write(ends[1], text, 1), 1);
        (void)close(ends[1]);
        fds[3 - i] = ends[0];
    }
    CHECK_OK(run_script("cat <&3; cat <&4; cat <&5; cat <&6", fds, 4, 0), &err);
    CHECK_STR(output.data, "dcba");
}

TEST(its_signals_are_not_those_that_our_threads_block)
{
    sigset_t all;

    (void)sigfillset(&all);
    CHECK_INT(sigprocmask(SIG_SETMASK, &all, NULL), 0);
    CHECK_OK(run_script("kill -TERM $$; sleep 1; echo survived", NULL, 0, 0), &err);
    CHECK_INT(exit_code, 143);
}

TEST(too_much_output_is_refused_and_the_program_killed)
{
    CHECK_FAILS(run_script("yes", NULL, 0, 0), &err, ERR_INVALID);
    CHECK_INT(exit_code, 137);
}

TEST(a_program_that_takes_too_long_is_killed)
{
    int64_t begin_ms = clock_mono_ms();

    CHECK_FAILS(run_script("echo begun; exec sleep 100", NULL, 0, 300), &err, ERR_TIMEOUT);
    CHECK(clock_mono_ms() - begin_ms < 5000);
    CHECK_INT(exit_code, 137);
}

TEST(children_that_keep_the_output_open_are_not_waited_for)
{
    int64_t begin_ms = clock_mono_ms();

    CHECK_OK(run_script("echo out; sleep 100 & echo $!", NULL, 0, 0), &err);
    CHECK(clock_mono_ms() - begin_ms < 5000);
    CHECK(strncmp(output.data, "out\n", 4) == 0);
    pid_t left = (pid_t)strtol(output.data + 4, NULL, 10);
    CHECK(left > 0);
    CHECK_INT(kill(left, SIGKILL), 0);
}

TEST(all_output_is_there_when_a_program_ends_at_once)
{
    for (int i = 0; i < 20; i++) {
        CHECK_OK(run_script("head -c 60000 /dev/zero", NULL, 0, 0), &err);
        CHECK_INT((int)output.size, 60000);
    }
}
