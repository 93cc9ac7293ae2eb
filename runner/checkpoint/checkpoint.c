/* SPDX-License-Identifier: Apache-2.0 */
/* Storing, and what storing and bringing back have in common. */
#include "runner/checkpoint/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/sys.h"
#include "base/units.h"
#include "runner/cgroup/cgroup.h"
#include "runner/checkpoint/external.h"
#include "runner/checkpoint/protobuf.h"
#include "runner/spec/spec.h"

#define PORT_MAX 65535

/* In the order of criu_cg_mode. */
static const char *const cgroup_modes[] = { "ignore", "none", "props", "soft", "full", "strict" };

static int check(const struct container *container, const struct checkpoint_options *options,
                 int image_fd, struct error *err);
static int describe(struct arena *mem, struct criu_call *call, const struct container *container,
                    const struct checkpoint_options *options, struct error *err);
static void set_freezer(struct criu_call *call, const struct cgroup *cgroup);
static int set_page_server(struct arena *mem, struct criu_call *call, const char *text,
                           struct error *err);
static int set_cgroups_mode(struct criu_call *call, const char *mode, struct error *err);
static int open_directory(const char *path, struct error *err);

int container_checkpoint(struct arena *mem, const struct container *container,
                         const struct checkpoint_options *options, struct error *err)
{

    CLEANUP(criu_done)
    struct criu_call call = { .action = options->is_pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
                              .image_fd = -1,
                              .work_fd = -1 };
    enum container_status status = container_status(container);

    if (status != CONTAINER_RUNNING && status != CONTAINER_PAUSED)
        return fail(err, ERR_CONFLICT, "container not running");
    if (checkpoint_begin(&call, options, err) < 0 ||
        check(container, options, call.image_fd, err) < 0 ||
        describe(mem, &call, container, options, err) < 0 ||
        (!options->is_pre_dump &&
         external_streams_store(mem, &call, call.image_fd, container->pid, err) < 0))
        return -1;
    criu_number(&call, CRIU_LEAVE_RUNNING, options->leaves_running);
    if (options->parent_path != NULL)
        criu_text(&call, CRIU_PARENT_IMG, options->parent_path);
    if (options->parent_path != NULL || options->is_pre_dump)
        criu_number(&call, CRIU_TRACK_MEM, 1);
    if (options->page_server != NULL && set_page_server(mem, &call, options->page_server, err) < 0)
        return -1;
    return criu_run(mem, &call, err);
}

int checkpoint_begin(struct criu_call *call, const struct checkpoint_options *options,
                     struct error *err)
{
    static const struct {
        enum criu_option option;
        size_t offset;
    } switches[] = {
        { CRIU_TCP_ESTABLISHED, offsetof(struct checkpoint_options, has_tcp) },
        { CRIU_TCP_CLOSE, offsetof(struct checkpoint_options, closes_tcp) },
        { CRIU_TCP_SKIP_IN_FLIGHT, offsetof(struct checkpoint_options, skips_in_flight) },
        { CRIU_EXT_UNIX_SK, offsetof(struct checkpoint_options, has_unix_sockets) },
        { CRIU_FILE_LOCKS, offsetof(struct checkpoint_options, has_file_locks) },
        { CRIU_SHELL_JOB, offsetof(struct checkpoint_options, is_shell_job) },
        { CRIU_LINK_REMAP, offsetof(struct checkpoint_options, links_again) },
        { CRIU_AUTO_DEDUP, offsetof(struct checkpoint_options, deduplicates) },
        { CRIU_LAZY_PAGES, offsetof(struct checkpoint_options, is_lazy) },
    };

    call->image_path = options->image_path;
    call->work_path = options->work_path != NULL ? options->work_path : options->image_path;
    call->image_fd = open_directory(call->image_path, err);
    call->work_fd = call->image_fd < 0 ? -1 : open_directory(call->work_path, err);
    if (call->work_fd < 0)
        return -1;
    criu_number(call, CRIU_IMAGES_DIR_FD, call->image_fd);
    criu_number(call, CRIU_WORK_DIR_FD, call->work_fd);
    for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
        if (*(const bool *)((const char *)options + switches[i].offset))
            criu_number(call, switches[i].option, 1);
    criu_number(call, CRIU_NOTIFY_SCRIPTS, 1);
    criu_number(call, CRIU_ORPHAN_PTS_MASTER, 1);
    if (options->empty_ns != NULL && strcmp(options->empty_ns, "network") != 0)
        return fail(err, ERR_INVALID, "only the network namespace can be left empty, not '%s'",
                    options->empty_ns);
    if (options->empty_ns != NULL)
        criu_number(call, CRIU_EMPTY_NS, CLONE_NEWNET);
    if (options->status_fd > 0)
        criu_number(call, CRIU_STATUS_FD, options->status_fd);
    return set_cgroups_mode(call, options->cgroups_mode, err);
}

static int check(const struct container *container, const struct checkpoint_options *options,
                 int image_fd, struct error *err)
{
    const char *parent = options->parent_path;
    struct stat st;

    (void)container;
    if (parent == NULL)
        return 0;
    if (*parent == '/')
        return fail(err, ERR_INVALID, "--parent-path must be relative to --image-path");
    int rc = sys_fstatat(image_fd, parent, &st, 0);
    if (rc < 0 || !S_ISDIR(st.st_mode))
        return fail_sys(err, rc < 0 ? rc : -ENOTDIR, "cannot use --parent-path '%s'", parent);
    return 0;
}

static int describe(struct arena *mem, struct criu_call *call, const struct container *container,
                    const struct checkpoint_options *options, struct error *err)
{
    struct spec *spec = NULL;

    criu_number(call, CRIU_PID, container->pid);
    if (options->is_pre_dump)
        return 0;
    if (spec_read(mem, container->bundle, NULL, &spec, err) < 0)
        return -1;
    criu_text(call, CRIU_ROOT, container->rootfs);
    set_freezer(call, container->cgroup);
    int rc = external_mounts_store(mem, call, spec, container->cgroup, container->pid, err);
    if (rc == 0)
        rc = external_namespaces_store(mem, call, spec, container->pid, err);
    spec_close(spec);
    return rc;
}

/* So that nothing can be made behind criu's back while it collects the processes. */
static void set_freezer(struct criu_call *call, const struct cgroup *cgroup)
{
    const struct hierarchy *hierarchy = cgroup_find(cgroup, cgroup->is_unified ? "" : "freezer");

    if (hierarchy != NULL)
        criu_text(call, CRIU_FREEZE_CGROUP, hierarchy->path);
}

static int set_page_server(struct arena *mem, struct criu_call *call, const char *text,
                           struct error *err)
{
    const char *colon = strrchr(text, ':');
    cleanup_buf struct buf server = { 0 };
    int64_t port = 0;

    if (colon == NULL || colon == text || units_parse_int(colon + 1, &port) < 0 || port <= 0 ||
        port > PORT_MAX)
        return fail(err, ERR_INVALID, "invalid --page-server '%s': expected ADDRESS:PORT", text);
    protobuf_text(&server, 1, arena_strndup(mem, text, (size_t)(colon - text)));
    protobuf_number(&server, 2, port);
    protobuf_message(&call->options, CRIU_PAGE_SERVER, &server);
    return 0;
}

static int set_cgroups_mode(struct criu_call *call, const char *mode, struct error *err)
{
    if (mode == NULL || *mode == '\0')
        mode = "soft";
    for (size_t i = 0; i < ARRAY_SIZE(cgroup_modes); i++) {
        if (strcmp(cgroup_modes[i], mode) != 0)
            continue;
        criu_number(call, CRIU_MANAGE_CGROUPS, 1);
        criu_number(call, CRIU_MANAGE_CGROUPS_MODE, (int64_t)i);
        return 0;
    }
    return fail(err, ERR_INVALID, "unknown --manage-cgroups-mode '%s'", mode);
}

static int open_directory(const char *path, struct error *err)
{
    int rc = sys_mkdirat(AT_FDCWD, path, 0700);
    int fd = rc < 0 && rc != -EEXIST ? rc : sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open the directory '%s'", path) : fd;
}
