/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detached overlays by the new mount API.  From Linux 6.8 each layer is a parameter of its own;
 * before, all go into one "lowerdir" of at most 255 bytes, into which only the short names of open
 * descriptors fit in some number.
 */
#include "mount/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/sys.h"

#define PARAMETER_MAX 256 /* fsconfig(2) takes strings shorter than this */
#define LAYERS_OLD    24  /* "/dev/fd/NN:" each */

/* Gives the context its layers; what must be open until the overlay is made goes to fds. */
typedef int (*add_fn)(int fs_fd, const char *const *dirs, int *fds);

static int open_dir(const char *path, struct error *err);
static int make(const struct overlay_stack *stack, unsigned int attributes);
static int make_with(const struct overlay_stack *stack, unsigned int attributes, add_fn add);
static int configure(int fs_fd, const struct overlay_stack *stack);
static int add_each(int fs_fd, const char *const *dirs, int *fds);
static int add_joined(int fs_fd, const char *const *dirs, int *fds);

int overlay_view_open(const char *const *dirs, struct error *err)
{
    const struct overlay_stack view = { .layers = dirs };

    if (dirs[0] == NULL)
        return fail(err, ERR_NOT_FOUND, "there are no layers");
    if (dirs[1] == NULL)
        return open_dir(dirs[0], err);
    int fd = make(&view, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (fd == -ENAMETOOLONG)
        return fail(err, ERR_UNSUPPORTED, "this kernel cannot stack so many layers");
    return fd < 0 ? fail_sys(err, fd, "cannot mount an overlay of the layers") : fd;
}

int overlay_mount_detached(const char *const *options, struct error *err)
{
    char key[32];
    cleanup_fd int fs_fd = sys_fsopen("overlay");
    int rc = fs_fd < 0 ? fs_fd : 0;

    for (; rc >= 0 && *options != NULL; options++) {
        size_t length = strcspn(*options, "=");
        if (length >= sizeof(key) || (*options)[length] == '\0')
            return fail(err, ERR_INVALID, "bad overlay option '%s'", *options);
        memcpy(key, *options, length);
        key[length] = '\0';
        rc = sys_fsconfig(fs_fd, key, *options + length + 1);
    }
    if (rc >= 0)
        rc = sys_fsconfig_create(fs_fd);
    if (rc >= 0)
        rc = sys_fsmount(fs_fd, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return rc < 0 ? fail_sys(err, rc, "cannot mount an overlay") : rc;
}

int overlay_stack_mount(const struct overlay_stack *stack, struct error *err)
{
    int fd = make(stack, stack->upper == NULL ? MOUNT_ATTR_RDONLY : 0);

    if (fd == -EINVAL)
        return fail(err, ERR_UNSUPPORTED,
                    "the kernel refuses an overlay there: the filesystem lacks what one needs, or"
                    " is an overlay itself");
    return fd < 0 ? fail_sys(err, fd, "cannot mount the layers") : fd;
}

/* Kernels before 6.5 take any parameter, and say -EINVAL only when the overlay is made of them. */
static int make(const struct overlay_stack *stack, unsigned int attributes)
{
    int fd = make_with(stack, attributes, add_each);

    return fd == -EINVAL ? make_with(stack, attributes, add_joined) : fd;
}

static int make_with(const struct overlay_stack *stack, unsigned int attributes, add_fn add)
{
    int fds[LAYERS_OLD];
    cleanup_fd int fs_fd = sys_fsopen("overlay");

    for (size_t i = 0; i < LAYERS_OLD; i++)
        fds[i] = -1;
    int rc = fs_fd < 0 ? fs_fd : add(fs_fd, stack->layers, fds);
    if (rc >= 0 && stack->source != NULL)
        rc = configure(fs_fd, stack);
    if (rc >= 0)
        rc = sys_fsconfig_create(fs_fd);
    for (size_t i = 0; i < LAYERS_OLD; i++)
        sys_close_fd(&fds[i]);
    return rc < 0 ? rc : sys_fsmount(fs_fd, attributes);
}

/* Said in full, whatever the kernel was built or booted with. */
static int configure(int fs_fd, const struct overlay_stack *stack)
{
    const char *const options[][2] = {
        { "source", stack->source },
        { "upperdir", stack->upper },
        { "workdir", stack->upper != NULL ? stack->work : NULL },
        { "redirect_dir", stack->upper != NULL ? "on" : "follow" },
        { "metacopy", "off" },
        { "index", "off" },
    };
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(options); i++)
        if (options[i][1] != NULL)
            rc = sys_fsconfig(fs_fd, options[i][0], options[i][1]);
    return rc;
}

static int open_dir(const char *path, struct error *err)
{
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open layer '%s'", path) : fd;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): an add_fn */
static int add_each(int fs_fd, const char *const *dirs, int *fds)
{
    (void)fds;
    for (; *dirs != NULL; dirs++) {
        int rc = sys_fsconfig(fs_fd, "lowerdir+", *dirs);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add_joined(int fs_fd, const char *const *dirs, int *fds)
{
    char joined[PARAMETER_MAX] = "";
    size_t size = 0;

    for (size_t i = 0; dirs[i] != NULL; i++) {
        char name[32];
        if (i == LAYERS_OLD)
            return -ENAMETOOLONG;
        fds[i] = sys_openat(AT_FDCWD, dirs[i], O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
        if (fds[i] < 0)
            return fds[i];
        int length = snprintf(name, sizeof(name), "%s/dev/fd/%d", i == 0 ? "" : ":", fds[i]);
        if (size + (size_t)length >= sizeof(joined))
            return -ENAMETOOLONG;
        memcpy(joined + size, name, (size_t)length + 1);
        size += (size_t)length;
    }
    return sys_fsconfig(fs_fd, "lowerdir", joined);
}
