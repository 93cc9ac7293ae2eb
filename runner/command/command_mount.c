/* SPDX-License-Identifier: Apache-2.0 */
/* mount, remount, unmount: changes to the mounts of a container that runs. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "runner/command/command.h"
#include "runner/mount/hot_mount.h"

#define SOURCE_FD 3

typedef int (*change_fn)(struct arena *mem, const struct container *container,
                         const struct hot_mount *mount, const struct options *options,
                         struct error *err);

static int run(struct arena *mem, struct options *options, change_fn change);
static int read_mount(struct arena *mem, const struct options *options, struct hot_mount *mount,
                      struct error *err);
static int attach(struct arena *mem, const struct container *container,
                  const struct hot_mount *mount, const struct options *options, struct error *err);
static int alter(struct arena *mem, const struct container *container,
                 const struct hot_mount *mount, const struct options *options, struct error *err);
static int detach(struct arena *mem, const struct container *container,
                  const struct hot_mount *mount, const struct options *options, struct error *err);

int command_mount(struct arena *mem, struct options *options, struct error *err)
{
    (void)err; /* failures are told here */
    return run(mem, options, attach);
}

int command_remount(struct arena *mem, struct options *options, struct error *err)
{
    (void)err;
    return run(mem, options, alter);
}

/* crun's, which takes a file of mounts of the host's, by path: what ours exists to do without. */
int command_mounts(struct arena *mem, struct options *options, struct error *err)
{
    (void)mem;
    (void)options;
    return fail(err, ERR_UNSUPPORTED,
                "mounts add and mounts remove are not supported: see mount and unmount");
}

int command_unmount(struct arena *mem, struct options *options, struct error *err)
{
    (void)err;
    return run(mem, options, detach);
}

/* Failures are told as a supervisor tells them, "error CODE text": the code is for programs. */
static int run(struct arena *mem, struct options *options, change_fn change)
{
    cleanup_container struct container *container = NULL;
    struct error failure = { 0 };
    struct hot_mount mount;
    int rc = read_mount(mem, options, &mount, &failure);

    if (rc == 0)
        rc = command_open(mem, options, &container, &failure);
    if (rc == 0)
        rc = change(mem, container, &mount, options, &failure);
    if (rc == 0)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "error %s %s\n", error_code_name(failure.code), failure.message);
    return EXIT_FAILURE;
}

/* The source is a descriptor of the caller, never a path: whoever opened it has checked it. */
static int attach(struct arena *mem, const struct container *container,
                  const struct hot_mount *mount, const struct options *options, struct error *err)
{
    (void)options;
    if (fcntl(SOURCE_FD, F_GETFD) < 0)
        return fail(err, ERR_INVALID, "what is to be mounted must be descriptor %d", SOURCE_FD);
    return hot_mount_attach(mem, container, mount, SOURCE_FD, err);
}

static int alter(struct arena *mem, const struct container *container,
                 const struct hot_mount *mount, const struct options *options, struct error *err)
{
    (void)options;
    return hot_mount_change(mem, container, mount, err);
}

static int detach(struct arena *mem, const struct container *container,
                  const struct hot_mount *mount, const struct options *options, struct error *err)
{
    return hot_mount_detach(mem, container, mount, options->is_forced, err);
}

static int read_mount(struct arena *mem, const struct options *options, struct hot_mount *mount,
                      struct error *err)
{
    *mount = (struct hot_mount){
        .path = path_clean(mem, options->args[1]),
        .token = options->token,
        .options = options->mount_options != NULL ? options->mount_options : "",
    };
    if (options->args[1][0] != '/' || path_depth(mount->path) == 0)
        return fail(err, ERR_INVALID, "a place to mount on is an absolute path, and not '/'");
    if (mount->token == NULL || strlen(mount->token) < 8)
        return fail(err, ERR_INVALID, "option '--token' needs a text that tells the mount");
    return 0;
}
