/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of confined children, for volumed's own use.  One of its own, so that the daemon does
 * not carry what reads the archives of strangers, nor the memory of its many libraries.
 */
#include "transfer/confined.h"

int main(int argc, char **argv)
{
    return confined_main(argc, argv);
}
