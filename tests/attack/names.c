/* SPDX-License-Identifier: Apache-2.0 */
/* A host tool that asks for a user's name inside a container's root (CVE-2019-14271): the control
 * of attacks.bats.  The C library loads what that root's nsswitch.conf names.  Usage: names ROOT */
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]) < 0 || chroot(".") < 0)
        return 1;
    const struct passwd *user = getpwnam("nobody-at-all");
    return printf("%s\n", user != NULL ? "found" : "no such user") < 0;
}
