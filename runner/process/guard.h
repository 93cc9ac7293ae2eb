/* SPDX-License-Identifier: Apache-2.0 */
/* The runner's own binary, out of a container's reach (CVE-2019-5736). */
#ifndef RUNNER_GUARD_H
#define RUNNER_GUARD_H

/*
 * Makes sure that what a process in a container could reach as /proc/PID/exe cannot be written:
 * goes on at once where the binary lies on a read-only mount, else executes a read-only clone of
 * itself. 'argv' is main's.
 */
void guard_binary(char **argv);

#endif
