/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator may choose: flags first, then the file of --config, then defaults. */
#ifndef VOLUMED_CONFIG_H
#define VOLUMED_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"

struct config {
    const char *state_dir;
    const char *socket;        /* "" = none of our own (socket activation) */
    const char *plugin_socket; /* "" = the plugin's door stays shut */
    const char *group;         /* owns the socket, mode 0660; "" = root only */
    const char *runner;        /* NULL: beside this binary, or ../libexec/volumed/ */
    const char *default_pool;  /* "auto", "directory", "xfs" or "btrfs" */
    int64_t workers;
    int64_t trash_ttl_ns; /* 0: no trash */
    int64_t carry_window_ns;
    enum log_level log_level;
    bool wants_help;
    bool wants_version;
};

/* Errors: INVALID names the flag or the file's line. */
int config_load(struct config *config, struct arena *mem, int argc, char **argv, struct error *err);

/* The flags, for --help; each line ends with a newline. */
extern const char config_usage[];

#endif
