/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volctl file get: a part of a volume becomes a file or directory here.  The service's tar is
 * unpacked by tar(1) in a new directory beside the destination, where nothing of ours can be in its
 * way, and what came out takes the destination's name when it is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "file.h"
#include "output.h"
#include "verbs.h"

struct unpacking {
    const char *directory; /* "/tmp/.volctl-UUID" */
    pid_t pid;
    int input_fd;
};

static const char *destination_of(struct command *command);
static int fetch(struct command *command, const char *directory, struct error *err);
static int unpack_start(struct unpacking *unpacking, struct error *err);
static void run_tar(const char *directory, int input_fd);
static int unpack_end(struct unpacking *unpacking, struct error *err);
static int publish(struct command *command, const char *directory, const char *destination,
                   struct error *err);

int cmd_file_get(struct command *command, struct error *err)
{
    const char *destination = destination_of(command);
    char id[UUID_SIZE];
    struct stat st;
    struct error ignored;

    if (sys_fstatat(AT_FDCWD, destination, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return fail(err, ERR_EXISTS, "'%s' is there already", destination);
    uuid_make(id);
    const char *name = path_base(destination);
    const char *parent = arena_strndup(command->mem, destination, (size_t)(name - destination));
    const char *directory = arena_printf(command->mem, "%s.volctl-%s", parent, id);
    int rc = sys_mkdirat(AT_FDCWD, directory, 0700);
    if (rc < 0)
        return fail_sys(err, rc, "cannot make a directory beside '%s'", destination);
    rc = fetch(command, directory, err);
    if (rc == 0)
        rc = publish(command, directory, destination, err);
    (void)fs_remove_tree(AT_FDCWD, directory, &ignored); /* empty, or not wanted */
    if (rc < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json = json_object();
        json_set(json, "destination", json_text(destination));
        output_json(json);
    } else if (!command->is_quiet) {
        output_line("%s", destination);
    }
    return 0;
}

/* Without trailing slashes: the last component's name is wanted. */
static const char *destination_of(struct command *command)
{
    const char *given = command->args.words[2];
    const char *path = path_clean(command->mem, command->args.words[1]);

    if (given == NULL)
        given = strcmp(path, "/") == 0 ? command->args.words[0] : path_base(path);
    size_t length = strlen(given);
    while (length > 1 && given[length - 1] == '/')
        length--;
    return arena_strndup(command->mem, given, length);
}

static int fetch(struct command *command, const char *directory, struct error *err)
{
    cleanup_reply struct reply reply = { 0 };
    struct request request = { .method = "GET" };
    struct unpacking unpacking = { .directory = directory };
    struct error ignored;
    int64_t bytes = 0;

    if (file_request_path(command, "/volumed/v1/volumes/{}/files/archive", command->args.words[0],
                          path_clean(command->mem, command->args.words[1]), &request.path,
                          err) < 0 ||
        command_open(command, &request, &reply, err) < 0 || unpack_start(&unpacking, err) < 0)
        return -1;
    int rc = file_copy_reply(&reply, unpacking.input_fd, &bytes, err);
    if (unpack_end(&unpacking, rc < 0 ? &ignored : err) < 0)
        return -1;
    return rc;
}

static int unpack_start(struct unpacking *unpacking, struct error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_sys(err, -errno, "cannot make a pipe");
    (void)signal(SIGPIPE, SIG_IGN); /* tar's own message tells why it ended */
    unpacking->pid = fork();
    if (unpacking->pid == 0)
        run_tar(unpacking->directory, ends[0]);
    int rc = unpacking->pid < 0 ? -errno : 0;
    sys_close_fd(&ends[0]);
    if (rc < 0)
        sys_close_fd(&ends[1]);
    unpacking->input_fd = ends[1];
    return rc < 0 ? fail_sys(err, rc, "cannot start tar") : 0;
}

/* In the child.  Owners and attributes are kept by who may set them. */
static void run_tar(const char *directory, int input_fd)
{
    if (dup2(input_fd, STDIN_FILENO) < 0 || chdir(directory) < 0)
        _exit(126);
    (void)signal(SIGPIPE, SIG_DFL);
    if (geteuid() == 0)
        (void)execlp("tar", "tar", "--extract", "--file=-", "--same-owner", "--numeric-owner",
                     "--preserve-permissions", "--xattrs", "--xattrs-include=*", (char *)NULL);
    else
        (void)execlp("tar", "tar", "--extract", "--file=-", "--preserve-permissions", (char *)NULL);
    _exit(127);
}

static int unpack_end(struct unpacking *unpacking, struct error *err)
{
    int status;
    pid_t got;

    sys_close_fd(&unpacking->input_fd);
    do
        got = waitpid(unpacking->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail_sys(err, -errno, "cannot wait for tar");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return fail(err, ERR_UNSUPPORTED, "tar(1) is not installed here; 'file tar' needs none");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(err, ERR_SYSTEM, "tar(1) could not unpack it");
    return 0;
}

static int publish(struct command *command, const char *directory, const char *destination,
                   struct error *err)
{
    const char *path = path_clean(command->mem, command->args.words[1]);
    const char *from = strcmp(path, "/") == 0
                           ? directory
                           : arena_printf(command->mem, "%s/%s", directory, path_base(path));
    int rc = sys_renameat2(AT_FDCWD, from, AT_FDCWD, destination, RENAME_NOREPLACE);

    return rc < 0 ? fail_sys(err, rc, "cannot make '%s'", destination) : 0;
}
