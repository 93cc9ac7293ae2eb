/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts and namespaces; the streams are external_stream.c's. */
#include "runner/checkpoint/external.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "runner/mount/target.h"
#include "runner/spec/mount_option.h"

#define MOUNTINFO_MAX ((size_t)16 * 1024 * 1024)
#define MASKED_NAME   "masked"
#define GROUP_NAME    "cgroup"

/* Those that every container has; bound from the host where nodes cannot be made. */
static const char *const device_paths[] = { "/dev/null",   "/dev/zero",    "/dev/full",
                                            "/dev/random", "/dev/urandom", "/dev/tty" };

/* By descriptor where there is a key for it, else by path.  Others cannot be shared. */
static const struct shared_namespace {
    enum namespace_kind kind;
    const char *name; /* in /proc/PID/ns */
    const char *key;
} shared_namespaces[] = {
    { NAMESPACE_NETWORK, "net", "extRootNetNS" },
    { NAMESPACE_PID, "pid", "extRootPidNS" },
    { NAMESPACE_IPC, "ipc", NULL },
    { NAMESPACE_UTS, "uts", NULL },
    { NAMESPACE_TIME, "time", NULL },
};

/* The mounts of a container, looked at from outside. */
struct view {
    struct arena *mem;
    struct criu_call *call;
    int root_fd;
    const char *mountinfo;
};

static const struct shared_namespace *find_shared(int kind);
static int open_view(struct view *view, pid_t pid, struct error *err);
static void store_place(const struct view *view, const char *path, const char *name,
                        bool is_device);
static const char *mount_point(const struct view *view, uint64_t mount_id);
static const char *unescape(struct arena *mem, const char *text, size_t size);
static void store_groups(const struct view *view, const struct mount_spec *mount,
                         const struct cgroup *cgroup);
static const char *group_name(struct arena *mem, const struct hierarchy *hierarchy);
static const char *directory_name(const struct hierarchy *hierarchy);

bool external_is_bind(struct arena *mem, const struct mount_spec *mount)
{
    struct mount_options options = { 0 };

    mount_options_read(mem, mount->options, &options);
    return options.is_bind || (mount->type != NULL && strcmp(mount->type, "bind") == 0);
}

int external_mounts_store(struct arena *mem, struct criu_call *call, const struct spec *spec,
                          const struct cgroup *cgroup, pid_t pid, struct error *err)
{
    struct view view = { .mem = mem, .call = call, .root_fd = -1 };

    if (open_view(&view, pid, err) < 0)
        return -1;
    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct mount_spec *mount = ARRAY_ITEM(spec->mounts, const struct mount_spec, i);
        if (external_is_bind(mem, mount))
            store_place(&view, mount->destination, mount->destination, false);
        else if (mount->type != NULL && strcmp(mount->type, "cgroup") == 0)
            store_groups(&view, mount, cgroup);
    }
    for (const char *const *path = spec->masked_paths; path != NULL && *path != NULL; path++)
        store_place(&view, *path, MASKED_NAME, true);
    for (size_t i = 0; i < ARRAY_SIZE(device_paths); i++)
        store_place(&view, device_paths[i], device_paths[i], true);
    for (size_t i = 0; i < spec->devices.count; i++) {
        const char *path = ARRAY_ITEM(spec->devices, const struct device_spec, i)->path;
        store_place(&view, path, path, true);
    }
    sys_close_fd(&view.root_fd);
    return 0;
}

void external_mounts_restore(struct arena *mem, struct criu_call *call, const struct spec *spec,
                             const struct cgroup *cgroup)
{
    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct mount_spec *mount = ARRAY_ITEM(spec->mounts, const struct mount_spec, i);
        const char *source = mount->source;
        if (!external_is_bind(mem, mount) || source == NULL)
            continue;
        if (*source != '/')
            source = arena_printf(mem, "%s/%s", spec->bundle, source);
        criu_text(call, CRIU_EXTERNAL, arena_printf(mem, "mnt[%s]:%s", mount->destination, source));
    }
    for (size_t i = 0; i < cgroup->count; i++)
        criu_text(call, CRIU_EXTERNAL,
                  arena_printf(mem, "mnt[%s]:%s", group_name(mem, &cgroup->hierarchies[i]),
                               cgroup->hierarchies[i].path));
    criu_text(call, CRIU_EXTERNAL, "mnt[" MASKED_NAME "]:/dev/null");
    for (size_t i = 0; i < ARRAY_SIZE(device_paths); i++)
        criu_text(call, CRIU_EXTERNAL,
                  arena_printf(mem, "mnt[%s]:%s", device_paths[i], device_paths[i]));
}

int external_namespaces_store(struct arena *mem, struct criu_call *call, const struct spec *spec,
                              pid_t pid, struct error *err)
{
    struct stat st;

    for (size_t i = 0; i < spec->namespaces.count; i++) {
        const struct namespace_spec *ns =
            ARRAY_ITEM(spec->namespaces, const struct namespace_spec, i);
        const struct shared_namespace *shared = find_shared(namespace_kind_find(ns->type));
        if (ns->path == NULL || *ns->path == '\0' || shared == NULL || shared->key == NULL)
            continue;
        const char *path = arena_printf(mem, "/proc/%d/ns/%s", (int)pid, shared->name);
        int rc = sys_fstatat(AT_FDCWD, path, &st, 0);
        if (rc < 0)
            return fail_sys(err, rc, "cannot look at the container's %s namespace", ns->type);
        criu_text(call, CRIU_EXTERNAL,
                  arena_printf(mem, "%s[%llu]:%s", shared->name, (unsigned long long)st.st_ino,
                               shared->key));
    }
    return 0;
}

int external_namespaces_restore(struct criu_call *call, const struct spec *spec,
                                const struct namespaces *namespaces, struct error *err)
{
    for (size_t i = 0; i < spec->namespaces.count; i++) {
        const struct namespace_spec *ns =
            ARRAY_ITEM(spec->namespaces, const struct namespace_spec, i);
        int kind = namespace_kind_find(ns->type);
        const struct shared_namespace *shared = find_shared(kind);
        if (ns->path == NULL || *ns->path == '\0')
            continue;
        if (shared == NULL)
            return fail(err, ERR_UNSUPPORTED, "cannot restore into a %s namespace that exists",
                        ns->type);
        if (shared->key != NULL)
            criu_inherit(call, shared->key, namespaces->fds[kind]);
        else
            criu_pair(call, CRIU_JOIN_NS, shared->name, ns->path);
    }
    return 0;
}

static const struct shared_namespace *find_shared(int kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(shared_namespaces); i++)
        if ((int)shared_namespaces[i].kind == kind)
            return &shared_namespaces[i];
    return NULL;
}

static int open_view(struct view *view, pid_t pid, struct error *err)
{
    char *text = NULL;
    size_t size = 0;

    if (fs_read_file(view->mem, AT_FDCWD, arena_printf(view->mem, "/proc/%d/mountinfo", (int)pid),
                     MOUNTINFO_MAX, &text, &size, err) < 0)
        return -1;
    view->mountinfo = text;
    view->root_fd = sys_openat(AT_FDCWD, arena_printf(view->mem, "/proc/%d/root", (int)pid),
                               O_PATH | O_DIRECTORY, 0);
    return view->root_fd < 0 ? fail_sys(err, view->root_fd, "cannot open the container's root") : 0;
}

/* Named as it is mounted: links on the way to 'path' are resolved.  Not there: nothing to name. */
static void store_place(const struct view *view, const char *path, const char *name, bool is_device)
{
    struct statx found;
    cleanup_fd int fd = target_find(view->root_fd, path);

    if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &found) < 0 ||
        (is_device && !S_ISCHR(found.stx_mode)))
        return;
    const char *point = mount_point(view, found.stx_mnt_id);
    /* A device that is a node of a mount of the container's own is nothing from outside. */
    if (point != NULL && (!is_device || strcmp(point, path) == 0))
        criu_text(view->call, CRIU_EXTERNAL, arena_printf(view->mem, "mnt[%s]:%s", point, name));
}

/* "36 35 98:0 /root /point options …" */
static const char *mount_point(const struct view *view, uint64_t mount_id)
{
    for (const char *line = view->mountinfo; line != NULL && *line != '\0';) {
        const char *at = line;
        bool is_it = strtoull(line, NULL, 10) == mount_id;
        for (int spaces = 0; is_it && spaces < 4 && at != NULL; spaces++) {
            at = strchr(at, ' ');
            at = at != NULL ? at + 1 : NULL;
        }
        if (is_it)
            return at != NULL ? unescape(view->mem, at, strcspn(at, " \n")) : NULL;
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return NULL;
}

/* "\040" is a space: octal, three digits. */
static const char *unescape(struct arena *mem, const char *text, size_t size)
{
    char *plain = arena_strndup(mem, text, size);
    char *to = plain;

    for (const char *at = plain; *at != '\0'; to++) {
        if (*at == '\\' && strspn(at + 1, "01234567") >= 3) {
            *to = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            at += 4;
        } else {
            *to = *at++;
        }
    }
    *to = '\0';
    return plain;
}

static void store_groups(const struct view *view, const struct mount_spec *mount,
                         const struct cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->count; i++) {
        const struct hierarchy *hierarchy = &cgroup->hierarchies[i];
        const char *path = cgroup->is_unified ? mount->destination
                                              : arena_printf(view->mem, "%s/%s", mount->destination,
                                                             directory_name(hierarchy));
        store_place(view, path, group_name(view->mem, hierarchy), false);
    }
}

static const char *group_name(struct arena *mem, const struct hierarchy *hierarchy)
{
    return arena_printf(mem, GROUP_NAME ".%s", directory_name(hierarchy));
}

static const char *directory_name(const struct hierarchy *hierarchy)
{
    return path_base(hierarchy->mount);
}
