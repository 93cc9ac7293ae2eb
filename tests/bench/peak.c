/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program and prints the largest resident set, in KiB, of it and of the children that it has
 * waited for.  A process begins with the size of the one that made it, so whoever measures small
 * programs must be small: this is, an interpreter is not.
 *
 *     peak PROGRAM [ARG…]
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    pid_t pid = 0;
    int status = 0;

    if (argc < 2 || posix_spawnp(&pid, argv[1], NULL, NULL, argv + 1, environ) != 0 ||
        wait4(pid, &status, 0, &usage) < 0) {
        (void)fprintf(stderr, "usage: peak PROGRAM [ARG…]\n");
        return EXIT_FAILURE;
    }
    (void)printf("%ld\n", usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
