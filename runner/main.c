/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of the runtime: globals, the table of commands, and how errors are told. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/sys.h"
#include "runner/command/command.h"
#include "runner/container/state.h"
#include "runner/process/guard.h"
#include "runner/spec/spec.h"
#include "runner/supervise/reaper.h"

struct command {
    const char *name;
    command_fn run;
    int options;        /* enum command_flag */
    int min_args;       /* the container's id among them */
    bool makes_process; /* something of ours may be reached from inside a container */
    bool stops_early;   /* later words that look like options belong to the arguments */
    const char *usage;
};

static const struct command commands[] = {
    { "create", command_create, FOR_CREATE, 1, true, false,
      "[--bundle DIR] [--pid-file FILE] [--console-socket PATH] ID" },
    { "start", command_start, FOR_NONE, 1, false, false, "ID" },
    { "run", command_run, FOR_RUN, 1, true, false, "[--bundle DIR] [-d] [--pid-file FILE] ID" },
    { "exec", command_exec, FOR_EXEC, 1, true, true, "[-d] [-t] [--process FILE] ID [COMMAND…]" },
    { "state", command_state, FOR_NONE, 1, false, false, "ID" },
    { "kill", command_kill, FOR_KILL, 1, false, true, "[--all] [--regex] ID [SIGNAL]" },
    { "delete", command_delete, FOR_DELETE, 1, false, false, "[--force] [--regex] ID" },
    { "pause", command_pause, FOR_NONE, 1, false, false, "ID" },
    { "resume", command_resume, FOR_NONE, 1, false, false, "ID" },
    { "list", command_list, FOR_LIST, 0, false, false, "[--format table|json] [--quiet]" },
    { "ps", command_ps, FOR_PS, 1, false, true, "[--format table|json] ID [ps OPTIONS]" },
    { "update", command_update, FOR_UPDATE, 1, false, false,
      "[--resources FILE|-] [--memory N]… ID" },
    { "mounts", command_mounts, FOR_NONE, 0, false, true, "" },
    { "mount", command_mount, FOR_MOUNT, 2, true, false,
      "--token TEXT [-o OPTIONS] ID PATH 3<SOURCE" },
    { "remount", command_remount, FOR_MOUNT, 2, true, false, "--token TEXT -o ro|rw ID PATH" },
    { "unmount", command_unmount, FOR_MOUNT, 2, true, false, "--token TEXT [--force] ID PATH" },
    { "events", command_events, FOR_EVENTS, 1, false, false, "[--stats] [--interval 5s] ID" },
    { "spec", command_spec, FOR_SPEC, 0, false, false, "[--bundle DIR]" },
    { "features", command_features, FOR_NONE, 0, false, false, "" },
    { "checkpoint", command_checkpoint, FOR_CHECKPOINT, 1, false, false,
      "[--image-path DIR] [--leave-running] [--tcp-established] [--pre-dump] ID" },
    { "restore", command_restore, FOR_RESTORE, 1, false, false,
      "[--bundle DIR] [--image-path DIR] [-d] [--pid-file FILE] [--console-socket PATH] ID" },
    { "supervise", command_supervise, FOR_SUPERVISE, 1, true, false,
      "--bundle DIR ID | --exec --dir DIR --process FILE ID" },
    { "hold", command_hold, FOR_NONE, 1, false, false, "CGROUP-DIR…" },
    { "reaper", command_reaper, FOR_NONE, 1, false, true, "[--] COMMAND…" },
};

static void seed_hashes(void);
static int run(struct options *options, int argc, char **argv, struct error *err);
static const struct command *find_command(const char *name);
static int choose_cgroups(struct options *options, struct error *err);
static void print_help(void);
static void tell(const struct options *options, const struct error *err);

int main(int argc, char **argv)
{
    if (argc > 2 && reaper_is_meant(argv[0])) /* "--" comes before the program */
        return reaper_run(argv + 2);

    struct options options = { .log_format = "text" };
    struct error err = { 0 };
    int status = run(&options, argc, argv, &err);

    if (status < 0)
        tell(&options, &err);
    return status < 0 ? EXIT_FAILURE : status;
}

/* jansson itself would open and read /dev/urandom. */
static void seed_hashes(void)
{
    size_t seed = 0;

    if (getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed)) /* else jansson does */
        json_object_seed(seed | 1); /* 0 would mean that it is to find one itself */
}

/* Allocates nothing before guard_binary(), which may begin anew. */
static int run(struct options *options, int argc, char **argv, struct error *err)
{
    if (options_read(options, FOR_GLOBAL, true, argc, argv, err) < 0)
        return -1;
    if (options->wants_version) {
        (void)printf("runner version %s\nspec: " SPEC_VERSION_MAX "\n", VOLUMED_VERSION);
        return EXIT_SUCCESS;
    }
    if (options->wants_help || options->arg_count == 0) {
        print_help();
        return options->wants_help ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    const struct command *command = find_command(options->args[0]);
    if (command == NULL)
        return fail(err, ERR_INVALID, "unknown command '%s'; see --help", options->args[0]);
    if (command->makes_process)
        guard_binary(argv);
    seed_hashes();
    cleanup_arena struct arena *mem = arena_new();
    if (options->root == NULL)
        options->root = state_default_root(mem);
    if (options_read(options, command->options | FOR_GLOBAL, command->stops_early,
                     options->arg_count, options->args, err) < 0)
        return error_prefix(err, "%s", command->name);
    if (options->wants_help) { /* engines look whether a command is there by this */
        (void)printf("usage: runner %s %s\n", command->name, command->usage);
        return EXIT_SUCCESS;
    }
    if (options->arg_count < command->min_args)
        return fail(err, ERR_INVALID, "usage: runner %s %s", command->name, command->usage);
    if (choose_cgroups(options, err) < 0)
        return -1;
    return command->run(mem, options, err);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int choose_cgroups(struct options *options, struct error *err)
{
    static const struct {
        const char *name;
        enum cgroup_manager manager;
    } managers[] = {
        { "cgroupfs", CGROUP_FILES },
        { "systemd", CGROUP_SYSTEMD },
        { "disabled", CGROUP_DISABLED },
    };

    const char *name = options->cgroup_manager_name;

    options->cgroup_manager = options->is_systemd_cgroup ? CGROUP_SYSTEMD : CGROUP_FILES;
    for (size_t i = 0; name != NULL && i < ARRAY_SIZE(managers); i++) {
        if (strcmp(managers[i].name, name) == 0) {
            options->cgroup_manager = managers[i].manager;
            return 0;
        }
    }
    return name == NULL ? 0 : fail(err, ERR_INVALID, "unknown cgroup manager '%s'", name);
}

static void print_help(void)
{
    (void)puts(
        "usage: runner [--root DIR] [--log FILE] [--log-format text|json] [--debug] [--systemd-cgroup]\n"
        "              [--cgroup-manager cgroupfs|systemd|disabled] [--version] COMMAND …\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        (void)printf("  %-10s %s\n", commands[i].name, commands[i].usage);
}

/* On standard error for people; in the log, where one is named, for the engine that asked. */
static void tell(const struct options *options, const struct error *err)
{
    cleanup_buf struct buf line = { 0 };
    char now[CLOCK_TEXT_SIZE];

    (void)fprintf(stderr, "%s\n", err->message);
    if (options->log == NULL || *options->log == '\0')
        return;
    clock_text_ns(clock_now_ns(), now);
    if (strcmp(options->log_format, "json") == 0) {
        cleanup_json json_t *json = json_object();
        json_set(json, "level", json_string("error"));
        json_set(json, "msg", json_text(err->message));
        json_set(json, "time", json_string(now));
        json_append(&line, json);
        buf_text(&line, "\n");
    } else {
        buf_printf(&line, "time=\"%s\" level=error msg=\"%s\"\n", now, err->message);
    }
    cleanup_fd int fd = sys_openat(AT_FDCWD, options->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd >= 0)
        (void)sys_write_all(fd, line.data, line.size); /* standard error has it */
}
