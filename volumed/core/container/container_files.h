/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a container, running or not: docker cp in both directions, export, and the tree that a
 * commit takes.  Paths are the container's; everything is done by a confined child process whose
 * root is the container's root, so a link in the container cannot point out of it.
 */
#ifndef CORE_CONTAINER_FILES_H
#define CORE_CONTAINER_FILES_H

#include "core/image/image.h"

struct path_stat {
    const char *name;
    int64_t size_bytes;
    uint32_t go_mode; /* Go's os.FileMode bits, as X-Docker-Container-Path-Stat wants */
    int64_t mtime_ns;
    const char *link_target; /* "" unless a link */
};

/* NOT_FOUND: "Could not find the file X in container Y". */
int container_path_stat(struct task *task, const char *ref, const char *path,
                        struct path_stat *stat, struct error *err);

/* A tar of 'path' (entries named from its last component). */
int container_archive_get(struct task *task, const char *ref, const char *path,
                          const struct byte_sink *sink, struct error *err);

/* Unpacks a tar into directory 'path'. */
struct archive_put_spec {
    const char *path;
    bool is_no_overwrite_dir_non_dir;
    bool is_copy_uid_gid;
};

int container_archive_put(struct task *task, const char *ref, const struct archive_put_spec *spec,
                          const struct byte_source *source, struct error *err);

/* A tar of the whole root filesystem, without what is mounted in it. */
int container_export(struct task *task, const char *ref, const struct byte_sink *sink,
                     struct error *err);

#endif
