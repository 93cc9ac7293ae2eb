/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal we run in: raw while a container has it, as it was afterwards. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "stream.h"
#include "url.h"

static struct termios saved;
static bool is_raw;

int terminal_make_raw(struct error *err)
{
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &saved) < 0)
        return fail(err, ERR_INVALID, "standard input is not a terminal; leave --tty out");
    raw = saved;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
        return fail_sys(err, -errno, "cannot set up the terminal");
    if (!is_raw)
        (void)atexit(terminal_restore); /* no room for it: the normal way restores as well */
    is_raw = true;
    return 0;
}

void terminal_restore(void)
{
    if (is_raw)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved); /* nothing more could be done */
    is_raw = false;
}

void terminal_send_size(const struct command *command, const char *path)
{
    struct winsize size;
    struct error err;

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
        return;
    path = url_add(command->mem, path, "h", arena_printf(command->mem, "%u", size.ws_row));
    path = url_add(command->mem, path, "w", arena_printf(command->mem, "%u", size.ws_col));
    (void)command_ask(command, "POST", path, NULL, NULL, &err); /* the stream matters more */
}
