/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of sd_listen_fds(3), without the library. */
#include "activation.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"

#define FIRST_FD 3

/* NOLINTBEGIN(concurrency-mt-unsafe): the environment is read before there are threads */
static int64_t read_number(const char *name);
static void take_one(struct activation *activation, int index, int fd);

void activation_take(struct activation *activation)
{
    int64_t count = read_number("LISTEN_FDS");

    *activation = (struct activation){ -1, -1 };
    if (read_number("LISTEN_PID") == getpid())
        for (int i = 0; i < count && i < ACTIVATION_MAX; i++)
            take_one(activation, i, FIRST_FD + i);
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
}

static int64_t read_number(const char *name)
{
    const char *text = getenv(name);
    int64_t number = 0;

    return text != NULL && units_parse_int(text, &number) == 0 ? number : 0;
}

static void take_one(struct activation *activation, int index, int fd)
{
    const char *names = getenv("LISTEN_FDNAMES");

    for (int i = 0; names != NULL && i < index; i++) {
        names = strchr(names, ':');
        names = names != NULL ? names + 1 : NULL;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC); /* a bad descriptor is found out by listen */
    bool is_plugin = names != NULL ? strncmp(names, "plugin", 6) == 0 : index == 1;
    *(is_plugin ? &activation->plugin_fd : &activation->main_fd) = fd;
}

/* NOLINTEND(concurrency-mt-unsafe) */
