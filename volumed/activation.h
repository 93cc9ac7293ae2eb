/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that systemd hands over (sd_listen_fds(3)): by name, else by order. */
#ifndef VOLUMED_ACTIVATION_H
#define VOLUMED_ACTIVATION_H

#define ACTIVATION_MAX 2

struct activation {
    int main_fd;   /* -1: not handed over */
    int plugin_fd; /* -1: likewise */
};

/* Reads and clears LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES; before any thread is started. */
void activation_take(struct activation *activation);

#endif
