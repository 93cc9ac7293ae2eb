/* SPDX-License-Identifier: Apache-2.0 */
/* Making and removing the directories of execs. */
#include "core/box/exec_box.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/box/container_launch.h"
#include "core/box/monitor.h"
#include "core/box/oci.h"
#include "core/container/exec_table.h"
#include "core/service.h"
#include "runtime/supervisor.h"

static int make_dir(struct task *task, const struct exec *exec, struct error *err);
static int write_process(struct task *task, int dirfd, const struct exec *exec,
                         const struct container *container, struct error *err);
static int spawn(struct task *task, const struct exec *exec, struct error *err);
static const char *dir_path(struct task *task, const struct exec *exec);
static void remove_work(struct task *task, const char *exec_id);

int exec_box_make(struct task *task, const struct exec *exec, const struct container *container,
                  struct error *err)
{
    struct error ignored; /* what failed is told; the rest goes with the container's box */
    cleanup_fd int dirfd = make_dir(task, exec, err);

    if (dirfd < 0)
        return -1;
    if (write_process(task, dirfd, exec, container, err) < 0 || spawn(task, exec, err) < 0) {
        (void)exec_box_remove(task, exec, &ignored);
        return -1;
    }
    return move_fd(&dirfd);
}

int exec_box_open(struct task *task, const struct exec *exec, struct error *err)
{
    const char *name = arena_printf(task->mem, "%s/exec/%s", exec->container_id, exec->id);
    int fd = sys_openat(task->service->containers_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open the directory of exec '%s'", exec->id) : fd;
}

void exec_box_remove_later(struct task *task, const struct exec *exec)
{
    monitor_defer(task->service->monitor, remove_work, exec->id);
}

int exec_box_remove(struct task *task, const struct exec *exec, struct error *err)
{
    cleanup_fd int box_fd = box_open(task, exec->container_id, err);

    if (box_fd < 0) /* the whole box has gone */
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    int execs_fd = sys_openat(box_fd, "exec", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (execs_fd == -ENOENT)
        return 0;
    cleanup_fd int held = execs_fd;
    return held < 0 ? fail_sys(err, held, "cannot open the execs of '%s'", exec->container_id)
                    : fs_remove_tree(held, exec->id, err);
}

int exec_box_read_exit(struct task *task, const struct exec *exec, struct box_exit *end)
{
    struct error ignored; /* no directory, no end to read */
    cleanup_fd int dirfd = exec_box_open(task, exec, &ignored);

    return dirfd >= 0 && box_read_exit(task->mem, dirfd, end, &ignored) == 1;
}

static int make_dir(struct task *task, const struct exec *exec, struct error *err)
{
    cleanup_fd int box_fd = box_open(task, exec->container_id, err);

    if (box_fd < 0)
        return -1;
    cleanup_fd int execs_fd = fs_make_dir(box_fd, "exec", 0711, err);
    return execs_fd < 0 ? -1 : fs_make_dir(execs_fd, exec->id, 0711, err);
}

static int write_process(struct task *task, int dirfd, const struct exec *exec,
                         const struct container *container, struct error *err)
{
    struct oci_process_input input = { .container = container, .exec = exec->config };
    cleanup_json json_t *process = NULL;

    if (launch_exec_user(task, container, exec->config, &input.user, err) < 0 ||
        oci_process(task, &input, &process, err) < 0)
        return -1;
    const char *text = json_write(task->mem, process);
    return fs_write_volatile(dirfd, "process.json", text, strlen(text), 0600, err);
}

static int spawn(struct task *task, const struct exec *exec, struct error *err)
{
    const struct service *service = task->service;
    const char *dir = dir_path(task, exec);
    bool has_input = json_is_true(json_member(exec->config, "AttachStdin"));
    const char *argv[] = {
        service->runner_path,
        "--root",
        arena_printf(task->mem, "%s/run", service->state_dir),
        "supervise",
        "--exec",
        "--dir",
        dir,
        "--process",
        arena_printf(task->mem, "%s/process.json", dir),
        has_input ? "--stdin" : exec->container_id,
        has_input ? exec->container_id : NULL,
        NULL,
    };
    struct program runner = { .argv = argv };

    return supervisor_spawn(&runner, err);
}

static const char *dir_path(struct task *task, const struct exec *exec)
{
    return arena_printf(task->mem, "%s/exec/%s", box_path(task, exec->container_id), exec->id);
}

static void remove_work(struct task *task, const char *exec_id)
{
    cleanup_exec struct exec exec = { 0 };
    struct error err;

    if (execs_get(task, exec_id, &exec, &err) == 0 && exec_box_remove(task, &exec, &err) < 0)
        log_warn("cannot remove an exec's directory id=%s error=\"%s\"", exec_id, err.message);
}
