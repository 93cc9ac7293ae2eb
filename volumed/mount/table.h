/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has what mounted, in every mount namespace of this host that has a process.  Read from the
 * kernel each time; nothing is remembered.
 */
#ifndef MOUNT_TABLE_H
#define MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

/* One line of /proc/PID/mountinfo (proc(5)), unescaped. */
struct mount_line {
    unsigned int device_major;
    unsigned int device_minor;
    const char *root;   /* what of the filesystem is mounted: "/volumes/<id>/sub" */
    const char *target; /* where */
    bool is_read_only;  /* of the mount or of its filesystem */
    const char *type;
    const char *source; /* "/dev/sda1"; of a view "/volumes/<id>" */
};

/* Reads one line, without its newline.  Returns 0, or -EINVAL for what the kernel never writes. */
int mount_line_parse(struct arena *mem, const char *text, struct mount_line *line);

struct mount_namespace {
    ino_t inode;
    pid_t pid;        /* of one process in it */
    const char *text; /* its mountinfo */
};

struct mount_table {
    struct mount_namespace *items;
    size_t count;
};

/*
 * The tables of all namespaces that /proc shows.  A namespace that only a descriptor or a bind
 * mount keeps alive has no process and is not seen.
 */
int mount_table_read(struct arena *mem, struct mount_table *table, struct error *err);

/* A mount of the tree 'name' of a pool, or of something below it. */
struct mount_user {
    ino_t inode; /* of its namespace */
    pid_t pid;   /* of one process there */
    const char *target;
    bool is_read_only;
    bool is_view; /* volumed's own, at "…/<parent>/<name>/view" */
};

#define MOUNT_VIEW "view"

/*
 * All mounts whose root is, or lies in, a directory "<parent>/<name>", and all of an overlay that
 * has that for its source: with a UUID for a name that is the tree and no other.  Returns the
 * count.
 */
size_t mount_table_find(struct arena *mem, const struct mount_table *table, const char *parent,
                        const char *name, struct mount_user **users);

/*
 * As mount_table_read(), for the sake of these names alone: empty, and read in a tenth of the time,
 * when the kernel knows that nobody has any of them mounted.
 */
int mount_table_read_for(struct arena *mem, const char *parent, const char *const *names,
                         size_t count, struct mount_table *table, struct error *err);

/* True for the root field of such a mount. */
bool mount_root_matches(const char *root, const char *parent, const char *name);

/* Inode of a process's mount namespace; 0 when it is gone. */
ino_t mount_namespace_of(pid_t pid);

/* True when the directory is where something is mounted. */
bool mount_is_root(int fd);

#endif
