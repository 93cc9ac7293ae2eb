/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting on use, taking down for a change.  Whether a view is mounted is asked of the kernel; a
 * claim keeps two threads from doing both at once, and everybody out while a view is at rest.
 */
#include "core/volume/volume_view.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "core/pool/pool_reserve.h"
#include "core/volume/volume_image.h"
#include "driver/image.h"
#include "mount/overlay.h"

#define PATH_SIZE    64
#define PROBE_DIR    ".overlay-probe"
#define BUSY_TRIES   10 /* somebody lists a directory just now */
#define BUSY_WAIT_MS 20

static const char *const place_names[] = { "volumes", "snapshots", "trash", "tmp" };

static int place_fd(const struct driver_pool *pool, enum tree_place place);
static int open_plain(const struct driver_pool *pool, enum tree_place place, const char *name,
                      struct error *err);
static int open_mount_point(int tree_fd, const char *name, struct error *err);
static int mount_view(const struct driver_pool *pool, enum tree_place place, const char *name,
                      int tree_fd, int point_fd, struct error *err);
static int open_stack(const struct driver_pool *pool, enum tree_place place, const char *name,
                      struct error *err);
static int open_image_still(const struct driver_pool *pool, enum tree_place place, const char *name,
                            struct error *err);
static int check_unseen(enum tree_place place, const char *name, struct error *err);
static bool is_untouched(const struct driver_pool *pool, enum tree_place place, const char *name);
static bool was_written(const struct driver_stack *stack);
static int write_back(const struct driver_pool *pool, int tree_fd, struct error *err);
static int take_down(const struct driver_pool *pool, int tree_fd, const char *name,
                     struct error *err);
static int unmount(const struct driver_pool *pool, const char *path);
static void name_claim(struct view_rest *rest, const char *name);
static int probe_in(int dir_fd, const char *path, struct error *err);

const char *tree_place_name(enum tree_place place)
{
    return place_names[place];
}

bool view_is_needed(const struct driver_pool *pool)
{
    return pool->driver->stack != NULL || pool->driver->image != NULL;
}

/* Of an image in use only one whole instant can be copied: where blocks can be shared. */
bool view_must_rest(const struct driver_pool *pool)
{
    return view_is_needed(pool) &&
           (pool->driver->image == NULL || reflink_driver.probe(pool->tmp_fd) <= 0);
}

int view_open(const struct driver_pool *pool, enum tree_place place, const char *name,
              struct error *err)
{
    cleanup_view_rest struct view_rest turn = { 0 };
    cleanup_fd int tree_fd = open_plain(pool, place, name, err);

    if (tree_fd < 0 || !view_is_needed(pool))
        return move_fd(&tree_fd);
    name_claim(&turn, name);
    cleanup_fd int fd = open_mount_point(tree_fd, name, err);
    if (fd < 0 || mount_is_root(fd))
        return move_fd(&fd);
    if (mount_view(pool, place, name, tree_fd, fd, err) < 0)
        return -1;
    return open_mount_point(tree_fd, name, err);
}

int view_open_still(const struct driver_pool *pool, enum tree_place place, const char *name,
                    struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct driver_stack stack;
    size_t count = 0;

    if (!view_is_needed(pool))
        return open_plain(pool, place, name, err);
    if (pool->driver->image != NULL)
        return open_image_still(pool, place, name, err);
    if (pool->driver->stack(pool, place_fd(pool, place), name, mem, &stack, err) < 0)
        return -1;
    while (stack.layers[count] != NULL)
        count++;
    const char **layers = arena_array(mem, count + 2, sizeof(*layers));
    size_t used = 0;
    if (stack.upper != NULL)
        layers[used++] = stack.upper;
    for (size_t i = 0; i < count; i++)
        layers[used++] = stack.layers[i];
    cleanup_fd int mount_fd =
        overlay_stack_mount(&(struct overlay_stack){ .source = "volumed", .layers = layers }, err);
    if (mount_fd < 0)
        return -1;
    /* The mount's own descriptor is no readable one; a directory in it keeps the mount. */
    int fd = sys_openat(mount_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open the layers of '%s'", name) : fd;
}

int view_open_new(const struct driver_pool *pool, enum tree_place place, const char *name,
                  struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct driver_stack stack;

    if (!view_is_needed(pool))
        return open_plain(pool, place, name, err);
    if (pool->driver->image != NULL)
        return view_open(pool, place, name, err);
    if (pool->driver->stack(pool, place_fd(pool, place), name, mem, &stack, err) < 0)
        return -1;
    if (stack.upper == NULL)
        return fail(err, ERR_CONFLICT, "'%s' is sealed", name);
    int fd = sys_openat(AT_FDCWD, stack.upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open '%s'", stack.upper) : fd;
}

const char *view_path(struct arena *mem, const struct driver_pool *pool, enum tree_place place,
                      const char *name)
{
    return arena_printf(mem, "%s/%s/%s%s", pool->path, place_names[place], name,
                        view_is_needed(pool) ? "/" MOUNT_VIEW : "");
}

int view_put_to_rest(const struct driver_pool *pool, enum tree_place place, const char *name,
                     struct view_rest *rest, struct error *err)
{
    cleanup_view_rest struct view_rest resting = { 0 };
    struct error ignored; /* what is not there rests */

    if (!view_is_needed(pool))
        return 0;
    name_claim(&resting, name);
    cleanup_fd int tree_fd = open_plain(pool, place, name, &ignored);
    int was_mounted = 0;
    if (tree_fd >= 0 && !is_untouched(pool, place, name)) {
        if (check_unseen(place, name, err) < 0 || write_back(pool, tree_fd, err) < 0)
            return -1;
        was_mounted = take_down(pool, tree_fd, name, err);
        if (was_mounted < 0)
            return -1;
    }
    (void)snprintf(rest->claim_name, sizeof(rest->claim_name), "%s", resting.claim_name);
    claim_move(&resting.claim, &rest->claim, rest->claim_name);
    bool is_to_return = was_mounted > 0 && place == TREE_IN_VOLUMES && pool->driver->stack != NULL;
    rest->pool = is_to_return ? pool : NULL;
    rest->name = name;
    return 0;
}

void view_wake(struct view_rest *rest)
{
    struct error ignored; /* the tree may have moved; else whoever asks next mounts it */

    claim_leave(&rest->claim);
    if (rest->pool == NULL)
        return;
    cleanup_fd int fd = view_open(rest->pool, TREE_IN_VOLUMES, rest->name, &ignored);
    rest->pool = NULL;
}

int view_tree_remove(const struct driver_pool *pool, enum tree_place place, const char *name,
                     struct error *err)
{
    cleanup_view_rest struct view_rest rest = { 0 };

    return view_put_to_rest(pool, place, name, &rest, err) < 0
               ? -1
               : pool_tree_remove(pool, place_fd(pool, place), name, err);
}

bool view_tree_is_empty(const struct driver_pool *pool, enum tree_place place, const char *name)
{
    bool is_empty = false;
    struct error ignored; /* what cannot be read is not known to be empty */

    if (pool->driver->image != NULL) {
        struct stat st;
        cleanup_fd int tree_fd = open_plain(pool, place, name, &ignored);
        if (tree_fd >= 0 && sys_fstatat(tree_fd, IMAGE_FILE, &st, AT_SYMLINK_NOFOLLOW) == -ENOENT)
            return true; /* never used */
    }
    cleanup_fd int fd = view_open_still(pool, place, name, &ignored);

    return fd >= 0 && fs_dir_is_empty(fd, &is_empty, &ignored) == 0 && is_empty;
}

int view_resize(const struct driver_pool *pool, enum tree_place place, const char *name,
                const struct driver_limit *limit, struct error *err)
{
    cleanup_view_rest struct view_rest rest = { 0 };
    cleanup_fd int tree_fd = open_plain(pool, place, name, err);

    if (tree_fd < 0)
        return -1;
    if (pool->driver->set_limit(pool, tree_fd, limit, err) == 0) {
        cleanup_fd int fd = view_open(pool, place, name, err);
        if (fd < 0)
            return -1;
        if (image_grow(pool, tree_fd, fd, err) == 0)
            return 0;
        if (err->code != ERR_DENIED)
            return -1;
    } else if (err->code != ERR_UNSUPPORTED) {
        return -1;
    }
    if (view_put_to_rest(pool, place, name, &rest, err) < 0)
        return error_prefix(err, "this can be done here only while it is not in use");
    int rc = image_rebuild(pool, tree_fd, place, name, limit->size_bytes, err);
    view_wake(&rest);
    return rc < 0 ? -1 : view_show(pool, place, name, err);
}

int view_show(const struct driver_pool *pool, enum tree_place place, const char *name,
              struct error *err)
{
    if (pool->driver->image == NULL)
        return 0;
    cleanup_fd int fd = view_open(pool, place, name, err);
    return fd < 0 ? -1 : 0;
}

int view_probe(const struct driver *driver, int pool_fd, const char *pool_path, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct error ignored; /* an empty directory of ours */

    if (driver->image != NULL)
        return image_check(err);
    if (driver->stack == NULL)
        return 0;
    cleanup_fd int dir_fd = fs_make_dir(pool_fd, PROBE_DIR, 0700, err);
    if (dir_fd < 0)
        return -1;
    int rc = probe_in(dir_fd, arena_printf(mem, "%s/" PROBE_DIR, pool_path), err);
    (void)fs_remove_tree(pool_fd, PROBE_DIR, &ignored);
    return rc;
}

static int place_fd(const struct driver_pool *pool, enum tree_place place)
{
    switch (place) {
    case TREE_IN_VOLUMES: return pool->volumes_fd;
    case TREE_IN_SNAPSHOTS: return pool->snapshots_fd;
    case TREE_IN_TRASH: return pool->trash_fd;
    case TREE_IN_TMP: break;
    }
    return pool->tmp_fd;
}

static int open_plain(const struct driver_pool *pool, enum tree_place place, const char *name,
                      struct error *err)
{
    int fd = sys_openat(place_fd(pool, place), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open '%s' in pool '%s'", name, pool->name) : fd;
}

static int open_mount_point(int tree_fd, const char *name, struct error *err)
{
    int fd = sys_openat(tree_fd, MOUNT_VIEW, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open the view of '%s'", name) : fd;
}

static int mount_view(const struct driver_pool *pool, enum tree_place place, const char *name,
                      int tree_fd, int point_fd, struct error *err)
{
    cleanup_fd int mount_fd =
        pool->driver->image != NULL
            ? image_open(pool, tree_fd, place, name, place == TREE_IN_SNAPSHOTS, err)
            : open_stack(pool, place, name, err);

    if (mount_fd < 0)
        return -1;
    int rc = sys_move_mount(mount_fd, "", point_fd, "",
                            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    return rc < 0 ? fail_sys(err, rc, "cannot mount the view of '%s'", name) : 0;
}

/* An upper layer that somebody else writes to by a mount that is not ours any more must not get a
 * second overlay. */
static int open_stack(const struct driver_pool *pool, enum tree_place place, const char *name,
                      struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct driver_stack stack;

    if (pool->driver->stack(pool, place_fd(pool, place), name, mem, &stack, err) < 0 ||
        (was_written(&stack) && check_unseen(place, name, err) < 0))
        return -1;
    return overlay_stack_mount(
        &(struct overlay_stack){
            .source = arena_printf(mem, "/%s/%s", place_names[place], name),
            .upper = stack.upper,
            .work = stack.work,
            .layers = stack.layers,
        },
        err);
}

/* A view that is mounted, or put to rest by whoever calls, is not in the way. */
static int open_image_still(const struct driver_pool *pool, enum tree_place place, const char *name,
                            struct error *err)
{
    cleanup_fd int tree_fd = open_plain(pool, place, name, err);
    cleanup_fd int mount_fd = tree_fd < 0 ? -1 : image_open(pool, tree_fd, place, name, true, err);

    if (mount_fd < 0)
        return -1;
    int fd = sys_openat(mount_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open the image of '%s'", name) : fd;
}

/* Views do not count: other namespaces have copies of all that we have mounted. */
static int check_unseen(enum tree_place place, const char *name, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct mount_table table = { 0 };
    struct mount_user *users = NULL;

    if (mount_table_read(mem, &table, err) < 0)
        return -1;
    size_t count = mount_table_find(mem, &table, place_names[place], name, &users);
    for (size_t i = 0; i < count; i++)
        if (!users[i].is_view)
            return fail(err, ERR_BUSY,
                        "it is mounted at '%s', seen by process %d; that must end first",
                        users[i].target, (int)users[i].pid);
    return 0;
}

/* Looking through all namespaces is dear, and what never was mounted is mounted nowhere. */
static bool is_untouched(const struct driver_pool *pool, enum tree_place place, const char *name)
{
    cleanup_arena struct arena *mem = arena_new();
    struct driver_stack stack;
    struct error ignored; /* then it is looked for */

    return pool->driver->stack != NULL &&
           pool->driver->stack(pool, place_fd(pool, place), name, mem, &stack, &ignored) == 0 &&
           stack.upper != NULL && !was_written(&stack);
}

/* Overlayfs makes a directory in its own for as long as the layer is an upper one. */
static bool was_written(const struct driver_stack *stack)
{
    bool is_empty = false;
    struct error ignored; /* what cannot be read may have been */

    if (stack->upper == NULL)
        return false;
    cleanup_fd int fd = sys_openat(AT_FDCWD, stack->work, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd < 0 || fs_dir_is_empty(fd, &is_empty, &ignored) < 0 || !is_empty;
}

/* A namespace that has a copy of an image's view keeps its filesystem, which is then not written
 * back by our unmounting; nor is it in the way. */
static int write_back(const struct driver_pool *pool, int tree_fd, struct error *err)
{
    return pool->driver->image != NULL ? pool->driver->sync(tree_fd, err) : 0;
}

/*
 * 1: it was mounted.  Layers become read-only first, in all namespaces at once: the kernel refuses
 * that while anybody has a file open to write, and nobody can write to what becomes a sealed layer
 * by a copy of the view that a namespace of others has kept.
 */
static int take_down(const struct driver_pool *pool, int tree_fd, const char *name,
                     struct error *err)
{
    char path[PATH_SIZE];
    bool was_mounted = false;
    int rc = -EBUSY;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/" MOUNT_VIEW, tree_fd); /* fits */
    for (int i = 0; i < BUSY_TRIES && rc == -EBUSY; i++) {
        if (i > 0)
            (void)poll(NULL, 0, BUSY_WAIT_MS); /* sleeps */
        cleanup_fd int fd = sys_openat(tree_fd, MOUNT_VIEW, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
        bool is_mounted = fd >= 0 && mount_is_root(fd);
        sys_close_fd(&fd);
        was_mounted = was_mounted || is_mounted;
        rc = is_mounted ? unmount(pool, path) : 0;
    }
    if (rc == -EBUSY)
        return fail(err, ERR_BUSY,
                    "a process has a file or directory of it open ('fuser -m' on its path tells"
                    " which)");
    return rc < 0 ? fail_sys(err, rc, "cannot unmount the view of '%s'", name) : was_mounted;
}

static int unmount(const struct driver_pool *pool, const char *path)
{
    bool is_stack = pool->driver->stack != NULL;
    int rc = is_stack ? sys_remount(path, MS_RDONLY) : 0;

    if (rc < 0)
        return rc;
    rc = sys_umount2(path, UMOUNT_NOFOLLOW);
    if (rc < 0 && is_stack)
        (void)sys_remount(path, 0); /* as it was; if not, the next unmount is a success */
    return rc;
}

/* Enters the claim. */
static void name_claim(struct view_rest *rest, const char *name)
{
    (void)snprintf(rest->claim_name, sizeof(rest->claim_name), "view:%s", name); /* a UUID fits */
    claim_enter(&rest->claim, rest->claim_name);
}

static int probe_in(int dir_fd, const char *path, struct error *err)
{
    static const char *const names[] = { "upper", "work", "lower" };
    cleanup_arena struct arena *mem = arena_new();

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        cleanup_fd int fd = fs_make_dir(dir_fd, names[i], 0700, err);
        if (fd < 0)
            return -1;
    }
    const char *layers[] = { arena_printf(mem, "%s/lower", path), NULL };
    cleanup_fd int mount_fd = overlay_stack_mount(
        &(struct overlay_stack){
            .source = "volumed",
            .upper = arena_printf(mem, "%s/upper", path),
            .work = arena_printf(mem, "%s/work", path),
            .layers = layers,
        },
        err);
    return mount_fd < 0 ? -1 : 0;
}
