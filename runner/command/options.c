/* SPDX-License-Identifier: Apache-2.0 */
/* One table for every option; getopt_long(3) does the reading. */
#include "runner/command/options.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "base/units.h"

enum option_kind {
    KIND_FLAG,
    KIND_TEXT,
    KIND_INT,
    KIND_LIST
};

struct option_row {
    const char *name;
    char letter; /* 0: none */
    enum option_kind kind;
    size_t offset;
    int commands;
};

#define O(member)    offsetof(struct options, member)
#define MAKERS       (FOR_CREATE | FOR_RUN)
#define BOTH_WAYS    (FOR_CHECKPOINT | FOR_RESTORE)
#define LIMIT(index) offsetof(struct options, limits[index])

/* Of two rows with the same name getopt takes the first. */
static const struct option_row rows[] = {
    { "rootless", 0, KIND_FLAG, O(is_rootless_spec), FOR_SPEC },
    { "root", 0, KIND_TEXT, O(root), FOR_GLOBAL },
    { "log", 0, KIND_TEXT, O(log), FOR_GLOBAL },
    { "log-format", 0, KIND_TEXT, O(log_format), FOR_GLOBAL },
    { "log-level", 0, KIND_TEXT, O(rootless), FOR_GLOBAL },
    { "debug", 0, KIND_FLAG, O(is_debug), FOR_GLOBAL },
    { "systemd-cgroup", 0, KIND_FLAG, O(is_systemd_cgroup), FOR_GLOBAL },
    { "cgroup-manager", 0, KIND_TEXT, O(cgroup_manager_name), FOR_GLOBAL | FOR_SUPERVISE },
    { "rootless", 0, KIND_TEXT, O(rootless), FOR_GLOBAL },
    { "help", 'h', KIND_FLAG, O(wants_help), FOR_GLOBAL },
    { "version", 'v', KIND_FLAG, O(wants_version), FOR_GLOBAL },
    { "bundle", 'b', KIND_TEXT, O(bundle), MAKERS | FOR_RESTORE | FOR_SPEC | FOR_SUPERVISE },
    { "config", 'f', KIND_TEXT, O(config), MAKERS | FOR_RESTORE },
    { "pid-file", 0, KIND_TEXT, O(pid_file), MAKERS | FOR_RESTORE | FOR_EXEC },
    { "console-socket", 0, KIND_TEXT, O(console_socket), MAKERS | FOR_RESTORE | FOR_EXEC },
    { "pidfd-socket", 0, KIND_TEXT, O(pidfd_socket), MAKERS | FOR_RESTORE | FOR_EXEC },
    { "no-pivot", 0, KIND_FLAG, O(without_pivot), MAKERS | FOR_RESTORE },
    { "no-new-keyring", 0, KIND_FLAG, O(without_keyring), MAKERS },
    { "no-subreaper", 0, KIND_FLAG, O(without_subreaper), FOR_RUN | FOR_RESTORE | FOR_EXEC },
    { "preserve-fds", 0, KIND_INT, O(preserve_fds), MAKERS | FOR_EXEC | FOR_SUPERVISE },
    { "detach", 'd', KIND_FLAG, O(is_detached), FOR_RUN | FOR_RESTORE | FOR_EXEC },
    { "keep", 0, KIND_FLAG, O(is_kept), FOR_RUN | FOR_RESTORE },
    { "process", 'p', KIND_TEXT, O(process), FOR_EXEC | FOR_SUPERVISE },
    { "cwd", 0, KIND_TEXT, O(cwd), FOR_EXEC },
    { "env", 'e', KIND_LIST, O(env), FOR_EXEC },
    { "tty", 't', KIND_FLAG, O(is_terminal), FOR_EXEC },
    { "user", 'u', KIND_TEXT, O(user), FOR_EXEC },
    { "additional-gids", 'g', KIND_LIST, O(additional_gids), FOR_EXEC },
    { "apparmor", 0, KIND_TEXT, O(apparmor), FOR_EXEC },
    { "process-label", 0, KIND_TEXT, O(process_label), FOR_EXEC },
    { "no-new-privs", 0, KIND_FLAG, O(has_no_new_privs), FOR_EXEC },
    { "cap", 'c', KIND_LIST, O(caps), FOR_EXEC },
    { "cgroup", 0, KIND_TEXT, O(cgroup), FOR_EXEC },
    { "ignore-paused", 0, KIND_FLAG, O(ignores_paused), FOR_EXEC },
    { "force", 'f', KIND_FLAG, O(is_forced), FOR_DELETE | FOR_MOUNT },
    { "all", 'a', KIND_FLAG, O(is_all), FOR_KILL },
    { "regex", 'r', KIND_FLAG, O(is_regex), FOR_KILL | FOR_DELETE },
    { "format", 'f', KIND_TEXT, O(format), FOR_LIST | FOR_PS },
    { "quiet", 'q', KIND_FLAG, O(is_quiet), FOR_LIST },
    { "resources", 'r', KIND_TEXT, O(resources), FOR_UPDATE },
    { "memory", 0, KIND_TEXT, LIMIT(0), FOR_UPDATE },
    { "memory-reservation", 0, KIND_TEXT, LIMIT(1), FOR_UPDATE },
    { "memory-swap", 0, KIND_TEXT, LIMIT(2), FOR_UPDATE },
    { "cpu-period", 0, KIND_TEXT, LIMIT(3), FOR_UPDATE },
    { "cpu-quota", 0, KIND_TEXT, LIMIT(4), FOR_UPDATE },
    { "cpu-burst", 0, KIND_TEXT, LIMIT(5), FOR_UPDATE },
    { "cpu-share", 0, KIND_TEXT, LIMIT(6), FOR_UPDATE },
    { "cpu-idle", 0, KIND_TEXT, LIMIT(7), FOR_UPDATE },
    { "cpu-rt-period", 0, KIND_TEXT, LIMIT(8), FOR_UPDATE },
    { "cpu-rt-runtime", 0, KIND_TEXT, LIMIT(9), FOR_UPDATE },
    { "cpuset-cpus", 0, KIND_TEXT, LIMIT(10), FOR_UPDATE },
    { "cpuset-mems", 0, KIND_TEXT, LIMIT(11), FOR_UPDATE },
    { "blkio-weight", 0, KIND_TEXT, LIMIT(12), FOR_UPDATE },
    { "pids-limit", 0, KIND_TEXT, LIMIT(13), FOR_UPDATE },
    { "stats", 0, KIND_FLAG, O(is_stats), FOR_EVENTS },
    { "interval", 0, KIND_TEXT, O(interval), FOR_EVENTS },
    { "exec", 0, KIND_FLAG, O(is_exec), FOR_SUPERVISE },
    { "dir", 0, KIND_TEXT, O(dir), FOR_SUPERVISE },
    { "stdin", 0, KIND_FLAG, O(has_stdin), FOR_SUPERVISE },
    { "log-max-bytes", 0, KIND_INT, O(log_max_bytes), FOR_SUPERVISE },
    { "log-max-files", 0, KIND_INT, O(log_max_files), FOR_SUPERVISE },
    { "token", 0, KIND_TEXT, O(token), FOR_MOUNT },
    { "options", 'o', KIND_TEXT, O(mount_options), FOR_MOUNT },
    { "image-path", 0, KIND_TEXT, O(image_path), BOTH_WAYS },
    { "work-path", 0, KIND_TEXT, O(work_path), BOTH_WAYS },
    { "parent-path", 0, KIND_TEXT, O(parent_path), FOR_CHECKPOINT },
    { "page-server", 0, KIND_TEXT, O(page_server), FOR_CHECKPOINT },
    { "status-fd", 0, KIND_INT, O(status_fd), FOR_CHECKPOINT },
    { "leave-running", 'R', KIND_FLAG, O(is_left_running), FOR_CHECKPOINT },
    { "pre-dump", 0, KIND_FLAG, O(is_pre_dump), FOR_CHECKPOINT },
    { "tcp-established", 0, KIND_FLAG, O(has_tcp), BOTH_WAYS },
    { "tcp-skip-in-flight", 0, KIND_FLAG, O(skips_in_flight), FOR_CHECKPOINT },
    { "tcp-close", 0, KIND_FLAG, O(closes_tcp), FOR_RESTORE },
    { "ext-unix-sk", 0, KIND_FLAG, O(has_unix_sockets), BOTH_WAYS },
    { "file-locks", 0, KIND_FLAG, O(has_file_locks), BOTH_WAYS },
    { "shell-job", 0, KIND_FLAG, O(is_shell_job), BOTH_WAYS },
    { "link-remap", 0, KIND_FLAG, O(links_again), FOR_CHECKPOINT },
    { "auto-dedup", 0, KIND_FLAG, O(deduplicates), BOTH_WAYS },
    { "lazy-pages", 0, KIND_FLAG, O(is_lazy), BOTH_WAYS },
    { "manage-cgroups-mode", 0, KIND_TEXT, O(manage_cgroups_mode), BOTH_WAYS },
    { "empty-ns", 0, KIND_TEXT, O(empty_ns), BOTH_WAYS },
    { "lsm-profile", 0, KIND_TEXT, O(lsm_profile), FOR_RESTORE },
    { "lsm-mount-context", 0, KIND_TEXT, O(lsm_mount_context), FOR_RESTORE },
};

const struct limit_option limit_options[] = {
    { "memory", "limit", false },
    { "memory", "reservation", false },
    { "memory", "swap", false },
    { "cpu", "period", false },
    { "cpu", "quota", false },
    { "cpu", "burst", false },
    { "cpu", "shares", false },
    { "cpu", "idle", false },
    { "cpu", "realtimePeriod", false },
    { "cpu", "realtimeRuntime", false },
    { "cpu", "cpus", true },
    { "cpu", "mems", true },
    { "blockIO", "weight", false },
    { "pids", "limit", false },
};
const size_t limit_option_count = ARRAY_SIZE(limit_options);

#define FIRST_LONG 1000

static void describe(int commands, bool stops_early, struct option *longs, char *letters);
static int set(struct options *options, const struct option_row *row, const char *value,
               struct error *err);
static const struct option_row *find_letter(int letter, int commands);

int options_read(struct options *options, int commands, bool stops_early, int argc, char **argv,
                 struct error *err)
{
    struct option longs[ARRAY_SIZE(rows) + 1] = { 0 };
    char letters[2 * ARRAY_SIZE(rows) + 3] = "";
    int number;

    describe(commands, stops_early, longs, letters);
    optind = 0; /* begin anew (getopt(3), GNU) */
    opterr = 0;
    while ((number = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (number == '?')
            return fail(err, ERR_INVALID, "unknown option '%s'", argv[optind - 1]);
        if (number == ':')
            return fail(err, ERR_INVALID, "option '%s' requires an argument", argv[optind - 1]);
        const struct option_row *row =
            number >= FIRST_LONG ? &rows[number - FIRST_LONG] : find_letter(number, commands);
        if (set(options, row, optarg, err) < 0)
            return -1;
    }
    options->args = argv + optind;
    options->arg_count = argc - optind;
    return 0;
}

/* The rows of these commands as getopt_long(3) wants them. */
static void describe(int commands, bool stops_early, struct option *longs, char *letters)
{
    if (stops_early)
        *letters++ = '+';
    *letters++ = ':'; /* tells a missing value from an unknown option */
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool is_flag = rows[i].kind == KIND_FLAG;
        if ((rows[i].commands & commands) == 0)
            continue;
        *longs++ = (struct option){ rows[i].name, is_flag ? no_argument : required_argument, NULL,
                                    FIRST_LONG + (int)i };
        if (rows[i].letter == 0)
            continue;
        *letters++ = rows[i].letter;
        if (!is_flag)
            *letters++ = ':';
    }
}

static const struct option_row *find_letter(int letter, int commands)
{
    const struct option_row *row = rows;

    while (row->letter != letter || (row->commands & commands) == 0)
        row++; /* getopt knows only letters that are in the table */
    return row;
}

static int set(struct options *options, const struct option_row *row, const char *value,
               struct error *err)
{
    char *target = (char *)options + row->offset;
    struct option_list *list = (struct option_list *)(void *)target;

    switch (row->kind) {
    case KIND_FLAG: *(bool *)target = true; return 0;
    case KIND_TEXT: *(const char **)(void *)target = value; return 0;
    case KIND_INT:
        if (units_parse_int(value, (int64_t *)(void *)target) < 0)
            return fail(err, ERR_INVALID, "option '--%s' needs a number, not '%s'", row->name,
                        value);
        return 0;
    case KIND_LIST:
        if (list->count == OPTION_LIST_MAX)
            return fail(err, ERR_INVALID, "too many of option '--%s'", row->name);
        list->items[list->count++] = value;
        return 0;
    }
    return 0;
}
