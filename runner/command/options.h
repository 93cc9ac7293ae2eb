/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: global options, a command, its options, its arguments.  One table says which
 * option belongs to which command (options.c).
 */
#ifndef RUNNER_OPTIONS_H
#define RUNNER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/container/container.h"

#define OPTION_LIST_MAX 64

struct option_list {
    const char *items[OPTION_LIST_MAX + 1]; /* NULL-terminated */
    size_t count;
};

struct options {
    /* global */
    const char *root;
    const char *log;
    const char *log_format; /* "text", "json" */
    const char *cgroup_manager_name;
    const char *rootless; /* accepted: it is found out */
    bool is_debug;
    bool is_systemd_cgroup;
    bool wants_help;
    bool wants_version;
    /* of commands */
    const char *bundle;
    const char *config;
    const char *pid_file;
    const char *console_socket;
    const char *pidfd_socket;
    const char *format;
    const char *process;
    const char *resources;
    const char *cwd;
    const char *user;
    const char *apparmor;
    const char *process_label;
    const char *interval;
    const char *cgroup;
    const char *dir;
    const char *image_path;
    const char *work_path;
    const char *parent_path;
    const char *page_server;
    const char *manage_cgroups_mode;
    const char *empty_ns;
    const char *lsm_profile;
    const char *lsm_mount_context;
    const char *token;
    const char *mount_options;
    int64_t preserve_fds;
    int64_t status_fd;
    int64_t log_max_bytes;
    int64_t log_max_files;
    struct option_list env;
    struct option_list caps;
    struct option_list additional_gids;
    bool without_pivot;
    bool without_keyring;
    bool without_subreaper;
    bool is_detached;
    bool is_terminal;
    bool is_forced;
    bool is_all;
    bool is_regex; /* the id is an extended regular expression */
    bool is_quiet;
    bool is_stats;
    bool is_exec;
    bool is_kept;
    bool is_rootless_spec;
    bool has_stdin;
    bool has_no_new_privs;
    bool ignores_paused;
    bool is_left_running;
    bool is_pre_dump;
    bool has_tcp;
    bool closes_tcp;
    bool skips_in_flight;
    bool has_unix_sockets;
    bool has_file_locks;
    bool is_shell_job;
    bool links_again;
    bool deduplicates;
    bool is_lazy;
    /* update: the single limits, as text; NULL when absent */
    const char *limits[16];
    /* what is left */
    char **args;
    int arg_count;
    enum cgroup_manager cgroup_manager;
};

/* The single limits of `update`, in the order of options->limits: the path in linux.resources. */
struct limit_option {
    const char *section;
    const char *member;
    bool is_text;
};
extern const struct limit_option limit_options[];
extern const size_t limit_option_count;

enum command_flag {
    FOR_GLOBAL = 1 << 0,
    FOR_CREATE = 1 << 1,
    FOR_RUN = 1 << 2,
    FOR_EXEC = 1 << 3,
    FOR_DELETE = 1 << 4,
    FOR_KILL = 1 << 5,
    FOR_LIST = 1 << 6,
    FOR_PS = 1 << 7,
    FOR_UPDATE = 1 << 8,
    FOR_EVENTS = 1 << 9,
    FOR_SPEC = 1 << 10,
    FOR_SUPERVISE = 1 << 11,
    FOR_CHECKPOINT = 1 << 12,
    FOR_MOUNT = 1 << 13,
    FOR_RESTORE = 1 << 14,
    FOR_NONE = 0,
};

/*
 * Reads the options of 'commands' from argv[1…]; stops at the first argument where 'stops_early'
 * (the global ones, exec and ps, whose arguments have options of their own).  Errors: INVALID.
 */
int options_read(struct options *options, int commands, bool stops_early, int argc, char **argv,
                 struct error *err);

#endif
