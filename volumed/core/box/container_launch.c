/* SPDX-License-Identifier: Apache-2.0 */
/* Everything of the host that a start needs, gathered and handed to the runner. */
#include "core/box/container_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "base/units.h"
#include "core/attachment/attachment.h"
#include "core/box/box.h"
#include "core/box/oci.h"
#include "core/container/container.h"
#include "core/image/image.h"
#include "core/service.h"
#include "mount/overlay.h"
#include "runtime/supervisor.h"

#define ARGUMENTS_MAX  16
#define INIT_MAX_BYTES (64 << 20)

static int launch_with(struct task *task, struct oci_input *input, int box_fd, struct error *err);
static int find_layers(struct task *task, struct oci_input *input, struct error *err);
static int find_user(struct task *task, struct oci_input *input, int box_fd, struct error *err);
static int open_root(struct task *task, const struct oci_input *input, int box_fd,
                     struct error *err);
static int place_init(struct task *task, struct oci_input *input, int box_fd, struct error *err);
static int find_namespaces(struct task *task, struct oci_input *input, struct error *err);
static int find_pid(struct task *task, const json_t *host, const char *member, int64_t *pid,
                    struct error *err);
static int make_bind_sources(const struct container *container, struct error *err);
static int clean_box(int box_fd, struct error *err);
static int spawn(struct task *task, const struct oci_input *input, struct error *err);
static int log_arguments(struct task *task, const json_t *host, const char **argv, size_t *count,
                         struct error *err);

int container_launch(struct task *task, const struct container *container, struct error *err)
{
    struct oci_input input = {
        .container = container,
        .box_path = box_path(task, container->id),
    };
    struct attachment_mount *volumes = NULL;
    size_t volume_count = 0;

    if (box_make(task, container->id, err) < 0)
        return -1;
    cleanup_fd int box_fd = box_open(task, container->id, err);
    if (box_fd < 0 || clean_box(box_fd, err) < 0 || find_layers(task, &input, err) < 0 ||
        find_user(task, &input, box_fd, err) < 0 || find_namespaces(task, &input, err) < 0 ||
        make_bind_sources(container, err) < 0 || place_init(task, &input, box_fd, err) < 0 ||
        launch_files(task, container, box_fd, err) < 0 ||
        attachment_open(task, container->id, &volumes, &volume_count, err) < 0)
        return -1;
    input.volumes = volumes;
    input.volume_count = volume_count;
    int rc = launch_with(task, &input, box_fd, err);
    attachment_close(volumes, volume_count);
    return rc;
}

int launch_exec_user(struct task *task, const struct container *container, const json_t *exec,
                     struct user_ids *user, struct error *err)
{
    const char *own = json_string_value(json_member(exec, "User"));
    const char *text = own != NULL && own[0] != '\0'
                           ? own
                           : json_string_value(json_object_get(container->config, "User"));
    const char *path = arena_printf(task->mem, "/proc/%" PRId64 "/root", container->pid);
    const char *const *groups = NULL;
    cleanup_fd int root_fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);

    if (root_fd < 0)
        return fail_sys(err, root_fd, "cannot look into container %s", container->id);
    if (json_get_list(container->host_config, "GroupAdd", task->mem, &groups, err) < 0)
        return -1;
    return user_lookup(task->mem, root_fd, text, groups, user, err);
}

int64_t launch_exit_code(const char *message, int64_t otherwise)
{
    if (strstr(message, "executable file not found") != NULL ||
        strstr(message, "no such file or directory") != NULL)
        return 127;
    if (strstr(message, "permission denied") != NULL || strstr(message, "is a directory") != NULL)
        return 126;
    return otherwise;
}

static int launch_with(struct task *task, struct oci_input *input, int box_fd, struct error *err)
{
    cleanup_json json_t *config = oci_config(task, input, err);

    if (config == NULL)
        return -1;
    const char *text = json_write(task->mem, config);
    if (fs_write_volatile(box_fd, "config.json", text, strlen(text), 0600, err) < 0)
        return -1;
    return spawn(task, input, err);
}

/* Execs of an earlier run; its own remains are the supervisor's to remove, under its lock. */
static int clean_box(int box_fd, struct error *err)
{
    struct stat st;

    return sys_fstatat(box_fd, "exec", &st, AT_SYMLINK_NOFOLLOW) == -ENOENT
               ? 0
               : fs_remove_tree(box_fd, "exec", err);
}

/* An image without layers is an empty directory, and rootfs/ is one. */
static int find_layers(struct task *task, struct oci_input *input, struct error *err)
{
    if (input->container->chain_id != NULL)
        return image_layers(task, input->container->chain_id, &input->layers, err);
    const char **layers = arena_array(task->mem, 2, sizeof(*layers));
    layers[0] = arena_printf(task->mem, "%s/rootfs", input->box_path);
    input->layers = layers;
    return 0;
}

static int find_user(struct task *task, struct oci_input *input, int box_fd, struct error *err)
{
    const struct container *container = input->container;
    const char *text = json_string_value(json_object_get(container->config, "User"));
    const char *const *groups = NULL;
    cleanup_fd int root_fd = open_root(task, input, box_fd, err);

    if (root_fd < 0 ||
        json_get_list(container->host_config, "GroupAdd", task->mem, &groups, err) < 0)
        return -1;
    return user_lookup(task->mem, root_fd, text, groups, &input->user, err);
}

/* The container's tree as it will be, seen without mounting it anywhere. */
static int open_root(struct task *task, const struct oci_input *input, int box_fd,
                     struct error *err)
{
    cleanup_fd int upper_fd = sys_openat(box_fd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    bool is_empty = true;
    size_t count = 0;

    if (upper_fd < 0)
        return fail_sys(err, upper_fd, "cannot open the writable layer");
    if (fs_dir_is_empty(upper_fd, &is_empty, err) < 0)
        return -1;
    if (is_empty)
        return overlay_view_open(input->layers, err);
    while (input->layers[count] != NULL)
        count++;
    const char **dirs = arena_array(task->mem, count + 2, sizeof(*dirs));
    dirs[0] = arena_printf(task->mem, "%s/upper", input->box_path);
    memcpy(dirs + 1, input->layers, count * sizeof(*dirs));
    return overlay_view_open(dirs, err);
}

/*
 * `--init`: the runner, which is one static program, under the name by which it reaps.  A copy,
 * since a privileged container could write to what it is given.
 */
static int place_init(struct task *task, struct oci_input *input, int box_fd, struct error *err)
{
    char path[PATH_MAX]; /* without the links that the runner may be named by */
    char *program;
    size_t size;

    if (!json_is_true(json_object_get(input->container->host_config, "Init")))
        return 0;
    if (realpath(task->service->runner_path, path) == NULL)
        return fail_sys(err, -errno, "cannot find '%s'", task->service->runner_path);
    if (fs_read_file(task->mem, AT_FDCWD, path, INIT_MAX_BYTES, &program, &size, err) < 0 ||
        fs_write_volatile(box_fd, "docker-init", program, size, 0755, err) < 0)
        return error_prefix(err, "cannot give container %s an init", input->container->id);
    input->init_path = arena_printf(task->mem, "%s/docker-init", input->box_path);
    return 0;
}

static int find_namespaces(struct task *task, struct oci_input *input, struct error *err)
{
    const json_t *host = input->container->host_config;

    if (find_pid(task, host, "NetworkMode", &input->network_pid, err) < 0 ||
        find_pid(task, host, "PidMode", &input->pid_pid, err) < 0)
        return -1;
    return find_pid(task, host, "IpcMode", &input->ipc_pid, err);
}

static int find_pid(struct task *task, const json_t *host, const char *member, int64_t *pid,
                    struct error *err)
{
    const char *mode = json_string_value(json_object_get(host, member));
    cleanup_container struct container other = { 0 };

    if (mode == NULL || strncmp(mode, "container:", 10) != 0)
        return 0;
    if (container_get(task, mode + 10, &other, err) < 0)
        return -1;
    if (!container_is_live(&other))
        return fail(err, ERR_CONFLICT, "cannot join %s of a non running container: %s", member,
                    other.id);
    *pid = other.pid;
    return 0;
}

/* `-v /host:/x` makes the directory, as dockerd does. */
static int make_bind_sources(const struct container *container, struct error *err)
{
    size_t i;
    json_t *mount;

    json_array_foreach(container->mounts, i, mount)
    {
        const char *source = json_string_value(json_object_get(mount, "Source"));
        struct stat st;
        if (source == NULL || sys_fstatat(AT_FDCWD, source, &st, 0) == 0)
            continue;
        if (!json_is_true(json_object_get(mount, "IsCreated")))
            return fail(err, ERR_INVALID,
                        "invalid mount config for type \"bind\": bind source path does not exist:"
                        " %s",
                        source);
        cleanup_fd int fd = fs_make_path(source, 0755, err);
        if (fd < 0)
            return error_prefix(err, "error while creating mount source path '%s'", source);
    }
    return 0;
}

static int spawn(struct task *task, const struct oci_input *input, struct error *err)
{
    const struct service *service = task->service;
    const char *argv[ARGUMENTS_MAX] = {
        service->runner_path, "--root",   arena_printf(task->mem, "%s/run", service->state_dir),
        "supervise",          "--bundle", input->box_path,
    };
    size_t count = 6;
    int *fds = arena_array(task->mem, input->volume_count + 1, sizeof(*fds));
    struct program runner = { .argv = argv, .fds = fds, .fd_count = input->volume_count };

    for (size_t i = 0; i < input->volume_count; i++)
        fds[i] = input->volumes[i].fd;
    if (input->volume_count > 0) {
        argv[count++] = "--preserve-fds";
        argv[count++] = arena_printf(task->mem, "%zu", input->volume_count);
    }
    if (log_arguments(task, input->container->host_config, argv, &count, err) < 0)
        return -1;
    argv[count] = input->container->id;
    return supervisor_spawn(&runner, err);
}

/* LogConfig.Config: max-size and max-file. */
static int log_arguments(struct task *task, const json_t *host, const char **argv, size_t *count,
                         struct error *err)
{
    const json_t *options = json_member(json_object_get(host, "LogConfig"), "Config");
    const char *size = json_string_value(json_object_get(options, "max-size"));
    const char *files = json_string_value(json_object_get(options, "max-file"));
    int64_t size_bytes = 0;
    int64_t file_count = 1;

    if (size == NULL || strcmp(size, "-1") == 0)
        return 0;
    if (units_parse_size(size, &size_bytes) < 0 || size_bytes <= 0)
        return fail(err, ERR_INVALID, "invalid value for 'max-size': %s", size);
    if (files != NULL && (units_parse_int(files, &file_count) < 0 || file_count < 1))
        return fail(err, ERR_INVALID, "invalid value for 'max-file': %s", files);
    argv[(*count)++] = "--log-max-bytes";
    argv[(*count)++] = arena_printf(task->mem, "%" PRId64, size_bytes);
    argv[(*count)++] = "--log-max-files";
    argv[(*count)++] = arena_printf(task->mem, "%" PRId64, file_count);
    return 0;
}
