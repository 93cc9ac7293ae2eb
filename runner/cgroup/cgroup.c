/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the host's layout, and making, joining and removing a container's directories in it. */
#include "runner/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/path.h"
#include "base/sys.h"
#include "runner/cgroup/cgroup_file.h"
#include "runner/cgroup/cgroup_systemd.h"

#define CGROUP_ROOT       "/sys/fs/cgroup"
#define HIERARCHIES_MAX   32
#define REMOVE_TIMEOUT_MS 1000
#define SELF_CGROUP_MAX   ((size_t)64 * 1024)
#define GROUP_DEPTH_MAX   64

static bool is_v2_alone(void);
static int start_scope(struct arena *mem, struct cgroup_request *request, struct cgroup *made,
                       struct error *err);
static int plan_hierarchies(struct arena *mem, const struct cgroup_request *request,
                            struct cgroup *cgroup, struct error *err);
static bool plan_line(struct arena *mem, char *line, const struct cgroup_request *request,
                      struct cgroup *cgroup);
static const char *find_mount(struct arena *mem, const char *controllers, bool is_unified);
static const char *group_path(struct arena *mem, const struct cgroup_request *request,
                              const char *own, bool is_unified);
static int make_group(struct arena *mem, struct hierarchy *hierarchy, bool is_unified,
                      struct error *err);
static int open_tasks(struct hierarchy *hierarchy, struct error *err);
static bool has_magic(const char *path, long magic);
static int make_directory(char *path, size_t mount_length);
static int make_one(const char *path);
static bool has_controller(const char *controllers, const char *name);
static int collect_pids(struct arena *mem, const char *directory, pid_t **pids, size_t *count);
static int remove_directory(const char *directory, int depth);
static int remove_below(const char *directory, int depth);

int cgroup_create(struct arena *mem, const struct cgroup_request *request, struct cgroup **cgroup,
                  struct error *err)
{
    struct cgroup *made = arena_alloc(mem, sizeof(*made));
    struct cgroup_request absolute = *request;
    struct error ignored; /* the first error is the one to tell */

    made->is_unified = is_v2_alone();
    if (request->manager == CGROUP_SYSTEMD && start_scope(mem, &absolute, made, err) < 0)
        return -1;
    if (request->manager != CGROUP_DISABLED && plan_hierarchies(mem, &absolute, made, err) < 0) {
        cgroup_release(made);
        (void)cgroup_remove(made, &ignored);
        return -1;
    }
    size_t kept = 0;
    for (size_t i = 0; i < made->count; i++) {
        struct hierarchy hierarchy = made->hierarchies[i];
        int rc = make_group(mem, &hierarchy, made->is_unified, err);
        if (rc < 0 && !(err->code == ERR_DENIED && geteuid() != 0)) {
            made->hierarchies[kept] = hierarchy; /* its directory may be there */
            made->count = kept + 1;
            cgroup_release(made);
            (void)cgroup_remove(made, &ignored);
            return -1;
        }
        if (rc == 1)
            made->hierarchies[kept++] = hierarchy;
    }
    made->count = kept;
    if (request->manager != CGROUP_DISABLED && kept == 0 && geteuid() == 0) {
        cgroup_release(made);
        return fail(err, ERR_UNSUPPORTED, "no cgroup hierarchy is mounted below " CGROUP_ROOT);
    }
    *cgroup = made;
    return 0;
}

void cgroup_release(struct cgroup *cgroup)
{
    scope_release(&cgroup->holder);
    for (size_t i = 0; i < cgroup->count; i++)
        if (cgroup->hierarchies[i].tasks_fd > 0)
            sys_close_fd(&cgroup->hierarchies[i].tasks_fd);
}

static bool is_v2_alone(void)
{
    return has_magic(CGROUP_ROOT, CGROUP2_SUPER_MAGIC);
}

/* systemd alone knows where it puts a slice: its holder shows. */
static int start_scope(struct arena *mem, struct cgroup_request *request, struct cgroup *made,
                       struct error *err)
{
    const char *wanted = made->is_unified ? "\n0::" : ":name=systemd:";
    struct scope scope;
    char *text;

    if (scope_plan(mem, request->path, request->id, &scope, err) < 0 ||
        scope_start(&scope, request->resources, made->is_unified, &made->holder, err) < 0)
        return -1;
    made->unit = scope.unit;
    const char *path = arena_printf(mem, "/proc/%d/cgroup", (int)made->holder);
    if (fs_read_file(mem, AT_FDCWD, path, SELF_CGROUP_MAX, &text, NULL, err) < 0) {
        cgroup_release(made);
        return -1;
    }
    text = arena_printf(mem, "\n%s", text);
    char *found = strstr(text, wanted);
    if (found == NULL) {
        cgroup_release(made);
        return fail(err, ERR_SYSTEM, "cannot find the group of unit '%s'", scope.unit);
    }
    found += strlen(wanted);
    found[strcspn(found, "\n")] = '\0';
    request->path = found;
    return 0;
}

/* Returns 1, or 0 when there is no such hierarchy. */
static int make_group(struct arena *mem, struct hierarchy *hierarchy, bool is_unified,
                      struct error *err)
{
    bool is_v1 = *hierarchy->controllers != '\0';
    int rc = make_directory(arena_strdup(mem, hierarchy->path), strlen(hierarchy->mount));

    /* One that is left from a container that was killed by cgroup.kill would have what is cloned
     * into it killed too (Linux 6.13 and later). */
    if (rc == 0 && *hierarchy->controllers == '\0' &&
        sys_unlinkat(AT_FDCWD, hierarchy->path, AT_REMOVEDIR) >= 0)
        rc = sys_mkdirat(AT_FDCWD, hierarchy->path, 0755);
    if (rc < 0 && is_v1 && !has_magic(hierarchy->mount, CGROUP_SUPER_MAGIC))
        return 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot make cgroup '%s'", hierarchy->path);
    bool is_new = rc == 1;
    if (is_v1 && (rc = open_tasks(hierarchy, err)) <= 0)
        return rc;
    rc = is_unified ? cgroup_v2_prepare(hierarchy, err) : cgroup_v1_prepare(hierarchy, is_new, err);
    return rc < 0 ? -1 : 1;
}

/*
 * Joining needs the file anyway, and that it is there tells that the directory is a group: no look
 * at each mount before.  Returns as make_group.
 */
static int open_tasks(struct hierarchy *hierarchy, struct error *err)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/tasks", hierarchy->path); /* cut: the open fails */
    int fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
    if (fd == -ENOENT && !has_magic(hierarchy->mount, CGROUP_SUPER_MAGIC)) {
        (void)remove_directory(hierarchy->path, 0); /* an empty one somewhere else */
        return 0;
    }
    if (fd < 0)
        return fail_sys(err, fd, "cannot open cgroup '%s'", path);
    hierarchy->tasks_fd = fd;
    return 1;
}

static bool has_magic(const char *path, long magic)
{
    struct statfs st;

    return statfs(path, &st) == 0 && st.f_type == magic;
}

json_t *cgroup_json(const struct cgroup *cgroup)
{
    json_t *json = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < cgroup->count; i++) {
        const struct hierarchy *hierarchy = &cgroup->hierarchies[i];
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:s}", "controllers", hierarchy->controllers, "mount",
                            hierarchy->mount, "path", hierarchy->path)); /* aborts without memory */
    }
    json_set(json, "unified", json_boolean(cgroup->is_unified));
    json_set(json, "hierarchies", list);
    if (cgroup->unit != NULL)
        json_set(json, "unit", json_text(cgroup->unit));
    return json;
}

int cgroup_load(struct arena *mem, const json_t *json, struct cgroup **cgroup, struct error *err)
{
    static const struct field hierarchy_fields[] = {
        FIELD_REQUIRED(TEXT, struct hierarchy, controllers, "controllers"),
        FIELD_REQUIRED(TEXT, struct hierarchy, mount, "mount"),
        FIELD_REQUIRED(TEXT, struct hierarchy, path, "path"),
        { .type = FIELD_END },
    };

    struct stored {
        bool is_unified;
        struct array hierarchies;
        const char *unit;
    };
    static const struct field fields[] = {
        FIELD_REQUIRED(BOOL, struct stored, is_unified, "unified"),
        FIELD_LIST(struct stored, hierarchies, "hierarchies", struct hierarchy, hierarchy_fields),
        FIELD(TEXT, struct stored, unit, "unit"),
        { .type = FIELD_END },
    };
    struct stored stored = { 0 };
    struct cgroup *loaded = arena_alloc(mem, sizeof(*loaded));

    if (json != NULL && fields_read(mem, "cgroup", json, fields, &stored, err) < 0)
        return -1;
    *loaded = (struct cgroup){ stored.is_unified, stored.hierarchies.items,
                               stored.hierarchies.count, stored.unit, 0 };
    *cgroup = loaded;
    return 0;
}

int cgroup_apply(const struct cgroup *cgroup, const struct resources *resources, struct error *err)
{
    if (cgroup->count == 0)
        return 0;
    if (cgroup->unit != NULL && cgroup->holder == 0 && /* else it has just been told */
        scope_update(cgroup->unit, resources, cgroup->is_unified, err) < 0)
        return -1;
    return cgroup->is_unified ? cgroup_v2_apply(cgroup, resources, err)
                              : cgroup_v1_apply(cgroup, resources, err);
}

int cgroup_pids(struct arena *mem, const struct cgroup *cgroup, pid_t **pids, size_t *count,
                struct error *err)
{
    const struct hierarchy *hierarchy = cgroup_main(cgroup);
    int rc = 0;

    *pids = NULL;
    *count = 0;
    if (hierarchy != NULL)
        rc = collect_pids(mem, hierarchy->path, pids, count);
    if (rc < 0 && rc != -ENOENT) /* gone: nobody is in it */
        return fail_sys(err, rc, "cannot list the processes of '%s'", hierarchy->path);
    return 0;
}

int cgroup_kill(const struct cgroup *cgroup, int signal_number, struct error *err)
{
    const struct hierarchy *unified = cgroup_find(cgroup, "");
    cleanup_arena struct arena *mem = arena_new();
    size_t count = 0;
    pid_t *pids;

    if (signal_number == SIGKILL && unified != NULL &&
        cgroup_file_write(unified->path, "cgroup.kill", "1") >= 0)
        return 0;
    /* A frozen group cannot fork behind our back; one that cannot be frozen is tried all the same.
     */
    struct error ignored;
    bool was_frozen = cgroup_is_frozen(cgroup);
    if (!was_frozen && signal_number == SIGKILL)
        (void)cgroup_freeze(cgroup, 100, &ignored);
    int rc = cgroup_pids(mem, cgroup, &pids, &count, err);
    for (size_t i = 0; i < count; i++)
        (void)kill(pids[i], signal_number); /* ended meanwhile: as wanted */
    if (signal_number == SIGKILL)
        (void)cgroup_thaw(cgroup, &ignored);
    return rc;
}

int cgroup_remove(const struct cgroup *cgroup, struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + REMOVE_TIMEOUT_MS;
    struct timespec pause = { .tv_nsec = 200000 };

    if (cgroup->unit != NULL)
        scope_stop(cgroup->unit);
    for (size_t i = 0; i < cgroup->count; i++) {
        int rc = remove_directory(cgroup->hierarchies[i].path, 0);
        while (rc == -EBUSY && clock_mono_ms() < deadline_ms) {
            (void)nanosleep(&pause, NULL); /* cut short: one more try */
            if (pause.tv_nsec < 20000000)
                pause.tv_nsec *= 2;
            rc = remove_directory(cgroup->hierarchies[i].path, 0);
        }
        if (rc < 0)
            return fail_sys(err, rc, "cannot remove cgroup '%s'", cgroup->hierarchies[i].path);
    }
    return 0;
}

const struct hierarchy *cgroup_find(const struct cgroup *cgroup, const char *controller)
{
    for (size_t i = 0; i < cgroup->count; i++)
        if (has_controller(cgroup->hierarchies[i].controllers, controller))
            return &cgroup->hierarchies[i];
    return NULL;
}

const struct hierarchy *cgroup_main(const struct cgroup *cgroup)
{
    const struct hierarchy *unified = cgroup_find(cgroup, "");

    if (unified != NULL)
        return unified;
    return cgroup->count > 0 ? &cgroup->hierarchies[0] : NULL;
}

/* One line of /proc/self/cgroup a hierarchy: "4:memory:/path"; v2 is "0::/path". */
static int plan_hierarchies(struct arena *mem, const struct cgroup_request *request,
                            struct cgroup *cgroup, struct error *err)
{
    char *rest;
    char *text = arena_alloc(mem, CGROUP_TEXT_SIZE);
    ssize_t size = cgroup_file_read("/proc/self", "cgroup", text);

    if (size < 0)
        return fail_sys(err, (int)size, "cannot read '/proc/self/cgroup'");
    if (size >= CGROUP_TEXT_SIZE - 2 && /* it may go on */
        fs_read_file(mem, AT_FDCWD, "/proc/self/cgroup", SELF_CGROUP_MAX, &text, NULL, err) < 0)
        return -1;
    cgroup->hierarchies = arena_array(mem, HIERARCHIES_MAX, sizeof(*cgroup->hierarchies));
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (cgroup->count < HIERARCHIES_MAX && plan_line(mem, line, request, cgroup))
            cgroup->count++;
    return 0;
}

/* Fills the next hierarchy from a line; false when it is not mounted or not of this layout. */
static bool plan_line(struct arena *mem, char *line, const struct cgroup_request *request,
                      struct cgroup *cgroup)
{
    struct hierarchy *hierarchy = &cgroup->hierarchies[cgroup->count];
    char *controllers = strchr(line, ':');
    char *own = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

    if (own == NULL)
        return false;
    controllers++;
    *own++ = '\0';
    if (cgroup->is_unified != (*controllers == '\0') && cgroup->is_unified)
        return false;
    hierarchy->controllers = controllers;
    hierarchy->mount = find_mount(mem, controllers, cgroup->is_unified);
    if (hierarchy->mount == NULL)
        return false;
    hierarchy->path = arena_printf(mem, "%s%s", hierarchy->mount,
                                   group_path(mem, request, own, cgroup->is_unified));
    return true;
}

/* Where every distribution mounts a hierarchy.  Whether a v1 one is there make_group finds out. */
static const char *find_mount(struct arena *mem, const char *controllers, bool is_unified)
{
    const char *name = controllers;

    if (strncmp(name, "name=", 5) == 0)
        name += 5;
    bool is_v2 = *name == '\0';
    const char *path =
        is_unified ? CGROUP_ROOT : arena_printf(mem, CGROUP_ROOT "/%s", is_v2 ? "unified" : name);
    return !is_v2 || has_magic(path, CGROUP2_SUPER_MAGIC) ? path : NULL;
}

/*
 * An absolute cgroupsPath counts from the top of the hierarchy, others from our own group.  A v2
 * group with processes cannot give controllers to its children, so there it is a sibling.
 */
static const char *group_path(struct arena *mem, const struct cgroup_request *request,
                              const char *own, bool is_unified)
{
    const char *wanted =
        request->path != NULL && *request->path != '\0' ? request->path : request->id;

    if (*wanted == '/')
        return path_clean(mem, wanted);
    const char *inner = path_clean(mem, wanted); /* begins with '/', never leaves */
    return path_clean(mem, arena_printf(mem, "%s%s%s", own, is_unified ? "/.." : "", inner));
}

/* mkdir -p below the mount point; 'path' is changed meanwhile.  Returns 1 when it was not there. */
static int make_directory(char *path, size_t mount_length)
{
    int rc = make_one(path);

    if (rc != -ENOENT)
        return rc;
    for (char *slash = strchr(path + mount_length + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        rc = make_one(path);
        struct hierarchy parent = { "cpuset", "", path, 0 };
        struct error ignored; /* the leaf will tell */
        if (rc == 1 && strstr(path, "/cpuset") != NULL)
            (void)cgroup_v1_prepare(&parent, true, &ignored);
        *slash = '/';
        if (rc < 0)
            return rc;
    }
    return make_one(path);
}

/* 1: made, 0: it was there. */
static int make_one(const char *path)
{
    int rc = sys_mkdirat(AT_FDCWD, path, 0755);

    if (rc == -EEXIST)
        return 0;
    return rc < 0 ? rc : 1;
}

static bool has_controller(const char *controllers, const char *name)
{
    size_t length = strlen(name);

    if (length == 0)
        return *controllers == '\0';
    for (const char *at = controllers; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == '\0' || at[length] == ','))
            return true;
    }
    return false;
}

static int collect_pids(struct arena *mem, const char *directory, pid_t **pids, size_t *count)
{
    cleanup_dir DIR *dir = NULL;
    struct error ignored;
    char *text;
    char *rest;

    if (fs_read_file(mem, AT_FDCWD, arena_printf(mem, "%s/cgroup.procs", directory),
                     (size_t)16 * 1024 * 1024, &text, NULL, &ignored) < 0)
        return -ENOENT;
    size_t room = strlen(text) / 2 + 1;
    pid_t *grown = arena_array(mem, *count + room, sizeof(**pids));
    if (*count > 0)
        memcpy(grown, *pids, *count * sizeof(**pids));
    *pids = grown;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        (*pids)[(*count)++] = (pid_t)strtol(line, NULL, 10);
    dir = opendir(directory);
    if (dir == NULL)
        return -errno;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        int rc =
            collect_pids(mem, arena_printf(mem, "%s/%s", directory, entry->d_name), pids, count);
        if (rc < 0 && rc != -ENOENT)
            return rc;
    }
    return 0;
}

/* rmdir, and where that is refused for sub-groups, those first. */
static int remove_directory(const char *directory, int depth)
{
    int rc = sys_unlinkat(AT_FDCWD, directory, AT_REMOVEDIR);

    if (rc == -EBUSY && depth < GROUP_DEPTH_MAX) {
        rc = remove_below(directory, depth);
        if (rc >= 0)
            rc = sys_unlinkat(AT_FDCWD, directory, AT_REMOVEDIR);
    }
    return rc == -ENOENT ? 0 : rc;
}

static int remove_below(const char *directory, int depth)
{
    char path[PATH_MAX];
    cleanup_dir DIR *dir = opendir(directory);

    if (dir == NULL)
        return -errno;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        int length = snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        if (length < 0 || (size_t)length >= sizeof(path))
            return -ENAMETOOLONG;
        int rc = remove_directory(path, depth + 1);
        if (rc < 0)
            return rc;
    }
    return 0;
}
