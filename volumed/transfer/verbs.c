/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs on layers and image archives; those on a container's files are in copy.c. */
#include "transfer/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/sys.h"
#include "transfer/inflate.h"
#include "transfer/limits.h"
#include "transfer/pack.h"
#include "transfer/unpack.h"

static int unpack_input(struct confined *run, const struct unpack_rules *rules, int copy_fd,
                        struct error *err);
static int open_root(struct error *err);
static int report_stream(struct confined *run, struct inflate *source, struct error *err);

int verb_unpack_layer(struct confined *run, const struct view *view, struct error *err)
{
    static const struct unpack_rules rules = {
        .below = "",
        .has_whiteouts = true,
        .has_attributes = true,
        .entries_max = LIMIT_ENTRIES,
    };
    int64_t copy = -1;

    (void)view;
    if (json_get_int(run->request, "copy", &copy, err) < 0)
        return -1;
    return unpack_input(run, &rules, (int)copy, err);
}

int verb_put_tree(struct confined *run, const struct view *view, struct error *err)
{
    static const struct unpack_rules rules = {
        .below = "", .has_attributes = true, .is_exact = true, .entries_max = LIMIT_ENTRIES
    };
    cleanup_fd int root = open_root(err);

    (void)view;
    if (root < 0 || unpack_input(run, &rules, -1, err) < 0)
        return -1;
    int rc = sys_syncfs(root);
    return rc < 0 ? fail_sys(err, rc, "cannot make the tree durable") : 0;
}

int verb_save_tree(struct confined *run, const struct view *view, struct error *err)
{
    cleanup_fd int root = open_root(err);
    cleanup_fd int base =
        run->base_fd < 0 ? -1 : sys_openat(run->base_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    bool is_shared = false;

    (void)view;
    if (root < 0 || json_get_bool(run->request, "is_shared", &is_shared, err) < 0)
        return -1;
    if (run->base_fd >= 0 && base < 0)
        return fail_sys(err, base, "cannot open what to compare with");
    return pack_changes(base, root, is_shared, STDOUT_FILENO, err);
}

int verb_unpack_files(struct confined *run, const struct view *view, struct error *err)
{
    static const struct unpack_rules rules = { .below = "", .entries_max = LIMIT_ENTRIES };

    (void)view;
    return unpack_input(run, &rules, -1, err);
}

int verb_inflate(struct confined *run, const struct view *view, struct error *err)
{
    cleanup_inflate struct inflate source = { 0 };
    const void *data;
    ssize_t got;

    (void)view;
    if (inflate_open(&source, STDIN_FILENO, -1, LIMIT_ARCHIVE_BYTES, err) < 0)
        return -1;
    while ((got = inflate_next(&source, &data, err)) > 0) {
        int rc = sys_write_all(STDOUT_FILENO, data, (size_t)got);
        if (rc < 0)
            return fail_sys(err, rc, "cannot write the decompressed archive");
    }
    return got < 0 ? -1 : report_stream(run, &source, err);
}

int verb_pack_layer(struct confined *run, const struct view *view, struct error *err)
{
    static const struct pack_rules rules = { .has_whiteouts = true, .is_contents = true };
    cleanup_fd int root = open_root(err);

    (void)run;
    (void)view;
    return root < 0 ? -1 : pack_tree(root, ".", "", &rules, STDOUT_FILENO, err);
}

int verb_export(struct confined *run, const struct view *view, struct error *err)
{
    static const struct pack_rules rules = { .is_contents = true };
    cleanup_fd int root = open_root(err);

    (void)run;
    (void)view;
    return root < 0 ? -1 : pack_tree(root, ".", "", &rules, STDOUT_FILENO, err);
}

static int unpack_input(struct confined *run, const struct unpack_rules *rules, int copy_fd,
                        struct error *err)
{
    cleanup_inflate struct inflate source = { 0 };
    struct unpack_result result = { 0 };
    cleanup_fd int root = open_root(err);

    if (root < 0 || inflate_open(&source, STDIN_FILENO, copy_fd, LIMIT_ARCHIVE_BYTES, err) < 0 ||
        unpack_tar(run, root, rules, &source, &result, err) < 0)
        return -1;
    report_add_int(run, "bytes", result.bytes);
    return report_stream(run, &source, err);
}

static int open_root(struct error *err)
{
    int root = sys_openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0);

    return root < 0 ? fail_sys(err, root, "cannot open the root") : root;
}

static int report_stream(struct confined *run, struct inflate *source, struct error *err)
{
    char digest[DIGEST_TEXT_SIZE];

    if (inflate_finish(source, digest, err) < 0)
        return -1;
    report_add(run, "diff_id", digest);
    report_add_int(run, "archive_bytes", source->bytes);
    return 0;
}
