/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From Docker's Config and HostConfig to the OCI runtime specification: the config.json of a
 * container's box and the process.json of an exec's.  Everything that needs the host or the
 * container's tree is looked up by the caller and given here; these functions only translate.
 */
#ifndef CORE_OCI_H
#define CORE_OCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "core/attachment/attachment.h"
#include "core/container/container_user.h"
#include "core/operation/task.h"
#include "model/container.h"

/* Where the host's init program is found in a container with `--init`. */
#define OCI_INIT "/sbin/docker-init"

struct oci_input {
    const struct container *container;
    const char *box_path;
    const char *const *layers; /* directories, top first, NULL-terminated */
    const struct attachment_mount *volumes;
    size_t volume_count;
    struct user_ids user;
    const char *init_path; /* of `--init`, on the host; NULL: none */
    int64_t network_pid; /* of NetworkMode, PidMode, IpcMode "container:…"; 0 where not needed */
    int64_t pid_pid;
    int64_t ipc_pid;
};

/* The whole config.json.  New reference; NULL with err.  Volume i has its source as descriptor
 * PROGRAM_FD_FIRST + i of the runner. */
json_t *oci_config(struct task *task, const struct oci_input *input, struct error *err);

/* What is run: of a container, or with 'exec' (Docker's exec create body) in one. */
struct oci_process_input {
    const struct container *container;
    struct user_ids user;
    const json_t *exec; /* NULL: the container's own process */
    bool has_init;      /* OCI_INIT comes before the program */
};

int oci_process(struct task *task, const struct oci_process_input *input, json_t **process,
                struct error *err);

/* The parts of oci_config. */
json_t *oci_mounts(struct task *task, const struct oci_input *input, struct error *err);
json_t *oci_linux(struct task *task, const struct oci_input *input, struct error *err);

/* Adds "devices" and the rules for them to 'linux_json', which has "resources". */
int oci_devices(struct task *task, json_t *linux_json, const json_t *host_config,
                struct error *err);

/* Names for OCI's capability sets ("CAP_CHOWN"), from Docker's defaults and requests. */
int oci_capabilities(const json_t *host_config, json_t **list, struct error *err);

/* linux.seccomp of containers that ask for nothing else.  New reference. */
json_t *oci_seccomp_default(const json_t *capabilities);

/* linux.seccomp of a Docker profile's text; rules for capabilities that 'capabilities' lacks are
 * left out. */
int oci_seccomp(const char *profile, const json_t *capabilities, json_t **seccomp,
                struct error *err);

#endif
