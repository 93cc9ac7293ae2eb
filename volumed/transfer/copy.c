/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `docker cp`: look at a path of a container, take it out, put something in. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "transfer/copy_path.h"
#include "transfer/limits.h"
#include "transfer/pack.h"
#include "transfer/unpack.h"
#include "transfer/user.h"
#include "transfer/verbs.h"

static int open_parent(struct confined *run, struct copy_path *path, const char **last,
                       struct stat *st, struct error *err);
static int open_root(struct error *err);
static int open_target(struct confined *run, int root, struct error *err);
static const char *path_of(struct confined *run, int directory, struct error *err);
static int sync_below(int root, const char *below, struct error *err);
static int read_rules(struct confined *run, struct unpack_rules *rules, struct error *err);

int verb_stat(struct confined *run, const struct view *view, struct error *err)
{
    struct copy_path path = { 0 };
    const char *last = NULL;
    struct stat st = { 0 };
    cleanup_fd int parent = open_parent(run, &path, &last, &st, err);
    cleanup_fd int root = parent < 0 ? -1 : open_root(err);

    (void)view;
    if (parent < 0 || root < 0)
        return -1;
    report_add(run, "name", path.name);
    report_add_int(run, "size", st.st_size);
    report_add_int(run, "mode", st.st_mode);
    report_add_int(run, "mtime_ns", st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec);
    report_add(run, "link_target",
               S_ISLNK(st.st_mode) ? copy_path_resolve(root, run->mem, path.clean) : "");
    return 0;
}

int verb_get(struct confined *run, const struct view *view, struct error *err)
{
    static const struct pack_rules rules = { 0 };
    struct copy_path path = { 0 };
    const char *last = NULL;
    struct stat st = { 0 };
    cleanup_fd int parent = open_parent(run, &path, &last, &st, err);

    (void)view;
    return parent < 0 ? -1 : pack_tree(parent, last, path.name, &rules, STDOUT_FILENO, err);
}

int verb_put(struct confined *run, const struct view *view, struct error *err)
{
    cleanup_inflate struct inflate source = { 0 };
    struct unpack_result result;
    struct unpack_rules rules = { 0 };
    cleanup_fd int root = open_root(err);
    cleanup_fd int target = root < 0 ? -1 : open_target(run, root, err);

    if (target < 0 || view_check_writable(view, target, err) < 0)
        return -1;
    rules.below = path_of(run, target, err);
    if (rules.below == NULL || read_rules(run, &rules, err) < 0 ||
        inflate_open(&source, STDIN_FILENO, -1, LIMIT_ARCHIVE_BYTES, err) < 0)
        return -1;
    if (unpack_tar(run, root, &rules, &source, &result, err) < 0)
        return -1;
    return sync_below(root, rules.below, err);
}

/* What was acknowledged is to be there after power loss. */
static int sync_below(int root, const char *below, struct error *err)
{
    cleanup_fd int fd = path_open_in_root(root, below, O_RDONLY | O_DIRECTORY);
    int rc = fd < 0 ? fd : sys_syncfs(fd);

    return rc < 0 ? fail_sys(err, rc, "cannot make the copy durable") : 0;
}

static int open_target(struct confined *run, int root, struct error *err)
{
    struct stat st;
    cleanup_fd int target = path_open_in_root(root, path_clean(run->mem, run->argument), O_PATH);

    if (target == -ENOENT || target == -ENOTDIR)
        return fail(err, ERR_NOT_FOUND, "no such path");
    if (target < 0 || fstat(target, &st) < 0)
        return fail_sys(err, target < 0 ? target : -errno, "cannot open the destination");
    if (!S_ISDIR(st.st_mode))
        return fail(err, ERR_INVALID, "extraction point is not a directory");
    return move_fd(&target);
}

/* Without links: our root is the container's. */
static const char *path_of(struct confined *run, int directory, struct error *err)
{
    char *path = arena_alloc(run->mem, PATH_MAX);

    if (fchdir(directory) < 0 || getcwd(path, PATH_MAX) == NULL) {
        (void)fail_sys(err, -errno, "cannot enter the destination");
        return NULL;
    }
    return path + 1; /* of the first slash */
}

static int open_parent(struct confined *run, struct copy_path *path, const char **last,
                       struct stat *st, struct error *err)
{
    cleanup_fd int root = open_root(err);

    if (root < 0)
        return -1;
    copy_path_read(path, run->mem, run->argument);
    cleanup_fd int parent = copy_path_open(path, root, last, run->mem);
    int rc = parent < 0 ? parent : sys_fstatat(parent, *last, st, AT_SYMLINK_NOFOLLOW);
    if (rc == -ENOENT || rc == -ENOTDIR)
        return fail(err, ERR_NOT_FOUND, "no such path");
    return rc < 0 ? fail_sys(err, rc, "cannot look at '%.200s'", path->clean) : move_fd(&parent);
}

static int open_root(struct error *err)
{
    int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);

    return root < 0 ? fail_sys(err, root, "cannot open the root") : root;
}

static int read_rules(struct confined *run, struct unpack_rules *rules, struct error *err)
{
    const char *user = NULL;

    rules->has_attributes = true;
    rules->entries_max = LIMIT_ENTRIES;
    if (json_get_bool(run->request, "is_no_overwrite_dir_non_dir",
                      &rules->is_no_overwrite_dir_non_dir, err) < 0 ||
        json_get_text(run->request, "user", run->mem, &user, err) < 0)
        return -1;
    rules->is_owned = user != NULL && *user != '\0';
    return rules->is_owned ? user_find(user, &rules->uid, &rules->gid, err) : 0;
}
