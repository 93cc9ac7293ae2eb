/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds every file named on the command line to a fuzz target: how `make check` replays a corpus.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/fs.h"
#include "fuzz.h"

#define INPUT_MAX_BYTES ((size_t)16 << 20)

int main(int argc, char **argv)
{
    struct error err;

    for (int i = 1; i < argc; i++) {
        cleanup_arena struct arena *mem = arena_new();
        char *data;
        size_t size;
        if (fs_read_file(mem, AT_FDCWD, argv[i], INPUT_MAX_BYTES, &data, &size, &err) < 0) {
            (void)fprintf(stderr, "%s\n", err.message);
            return EXIT_FAILURE;
        }
        (void)fuzz_one((const unsigned char *)data, size);
    }
    (void)printf("%d inputs replayed\n", argc - 1);
    return EXIT_SUCCESS;
}
