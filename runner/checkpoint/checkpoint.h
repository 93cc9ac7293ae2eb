/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing the processes of a container in a directory of images, and making a container of them
 * again, both by criu (criu.h).  The file systems are not in the images: that is the engine's.
 */
#ifndef RUNNER_CHECKPOINT_H
#define RUNNER_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/checkpoint/criu.h"
#include "runner/container/container.h"

struct checkpoint_options {
    const char *image_path;   /* made when missing */
    const char *work_path;    /* for criu's log; NULL: image_path */
    const char *parent_path;  /* relative to image_path: what an earlier pre-dump stored; or NULL */
    const char *page_server;  /* "ADDRESS:PORT" that memory is sent to, or NULL */
    const char *cgroups_mode; /* "soft", "full", "strict", "ignore", "none", "props"; NULL: soft */
    const char *empty_ns;     /* "network": its contents are left out; or NULL */
    const char *lsm_profile;
    const char *lsm_mount_context;
    int64_t status_fd; /* told when lazy pages may be asked for; 0: none */
    bool leaves_running;
    bool is_pre_dump; /* memory only; the container goes on */
    bool has_tcp;     /* connections are stored too */
    bool closes_tcp;  /* connections are closed on the way back */
    bool skips_in_flight;
    bool has_unix_sockets; /* … whose other ends are outside */
    bool has_file_locks;
    bool is_shell_job; /* shares the session of a shell outside */
    bool links_again;  /* unlinked files */
    bool deduplicates;
    bool is_lazy;
};

/*
 * Stores the container; its processes are gone then, unless options->leaves_running or is_pre_dump,
 * and it is still to be deleted.  Errors: CONFLICT (not running), UNSUPPORTED (no criu), and what
 * criu says; the container then runs on.
 */
int container_checkpoint(struct arena *mem, const struct container *container,
                         const struct checkpoint_options *options, struct error *err);

/*
 * As container_create, but that its processes are those of the images, and run.  Hooks: prestart
 * and createRuntime.  Errors: EXISTS, UNSUPPORTED (no criu), and what criu says.
 */
int container_restore(struct arena *mem, const struct container_options *container_options,
                      const struct checkpoint_options *options, const struct spec *spec,
                      struct container **container, struct error *err);

/* Opens the directories and sets what both directions have. */
int checkpoint_begin(struct criu_call *call, const struct checkpoint_options *options,
                     struct error *err);

#endif
