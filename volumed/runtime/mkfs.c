/* SPDX-License-Identifier: Apache-2.0 */
/* Their words are in one table; what they say becomes the error. */
#include "runtime/mkfs.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "runtime/program.h"

#define OUTPUT_MAX_BYTES 65536
#define TIMEOUT_MS       300000
#define WORDS_MAX        12
#define FSCK_CORRECTED   1 /* e2fsck's status when it had something to do, and did it */

static const struct maker {
    const char *type;
    const char *program;
    const char *package;
    const char *uuid_option;
    const char *uuid_prefix;
    const char *words[5]; /* no discarding: it would undo what was allocated */
} makers[] = {
    { "btrfs", "mkfs.btrfs", "btrfs-progs", "-U", "", { "-q", "-K" } },
    { "xfs", "mkfs.xfs", "xfsprogs", "-m", "reflink=1,uuid=", { "-q", "-K" } },
    { "ext4",
      "mkfs.ext4",
      "e2fsprogs",
      "-U",
      "",
      { "-q", "-m0", "-b4096", "-Enodiscard,lazy_itable_init=0,assume_storage_prezeroed=1" } },
};

static const char *const folders[] = { "/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin" };

static const struct maker *find(const char *type);
static int run(struct arena *mem, const struct maker *maker, const struct mkfs_spec *spec,
               struct error *err);
static int run_tool(const char *const *argv, struct buf *output, int *exit_code, struct error *err);
static int sync_disk(const char *path, struct error *err);

int mkfs_run(struct arena *mem, const struct mkfs_spec *spec, struct error *err)
{
    const struct maker *maker = find(spec->type);

    if (maker == NULL)
        return fail(err, ERR_INVALID, "no such filesystem: %s", spec->type);
    if (run(mem, maker, spec, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            return fail(err, ERR_UNSUPPORTED, "there is no '%s' here: install %s", maker->program,
                        maker->package);
        return -1;
    }
    return sync_disk(spec->path, err);
}

int mkfs_resize(struct arena *mem, const char *type, const char *path, int64_t size_bytes,
                struct error *err)
{
    const char *const check[] = { "e2fsck", "-f", "-p", path, NULL };
    const char *const resize[] = { "resize2fs", path,
                                   arena_printf(mem, "%lldK", (long long)(size_bytes >> 10)),
                                   NULL };
    cleanup_buf struct buf output = { 0 };
    int exit_code = 0;

    if (strcmp(type, "ext4") != 0)
        return fail(err, ERR_UNSUPPORTED, "a filesystem '%s' cannot be resized at rest", type);
    if (run_tool(check, &output, &exit_code, err) < 0)
        return -1;
    if (exit_code > FSCK_CORRECTED)
        return fail(err, ERR_CORRUPT, "e2fsck finds damage in '%s' (status %d)", path, exit_code);
    if (run_tool(resize, &output, &exit_code, err) < 0)
        return -1;
    if (exit_code != 0)
        return fail(err, ERR_CONFLICT,
                    "its contents do not fit into %lld MiB (resize2fs: status %d)",
                    (long long)(size_bytes >> 20), exit_code);
    return sync_disk(path, err);
}

static int run_tool(const char *const *argv, struct buf *output, int *exit_code, struct error *err)
{
    const struct program program = { .argv = argv, .timeout_ms = TIMEOUT_MS };

    if (program_run(&program, OUTPUT_MAX_BYTES, output, exit_code, err) == 0)
        return 0;
    return err->code == ERR_NOT_FOUND
               ? fail(err, ERR_UNSUPPORTED, "there is no '%s' here: install e2fsprogs", argv[0])
               : -1;
}

bool mkfs_is_there(const char *type)
{
    cleanup_arena struct arena *mem = arena_new();
    const struct maker *maker = find(type);

    for (size_t i = 0; maker != NULL && i < ARRAY_SIZE(folders); i++)
        if (access(arena_printf(mem, "%s/%s", folders[i], maker->program), X_OK) == 0)
            return true;
    return false;
}

static const struct maker *find(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
        if (strcmp(makers[i].type, type) == 0)
            return &makers[i];
    return NULL;
}

static int run(struct arena *mem, const struct maker *maker, const struct mkfs_spec *spec,
               struct error *err)
{
    cleanup_buf struct buf output = { 0 };
    const char *argv[WORDS_MAX] = { maker->program };
    size_t count = 1;
    int exit_code = 0;

    for (size_t i = 0; maker->words[i] != NULL; i++)
        argv[count++] = maker->words[i];
    if (spec->is_forced)
        argv[count++] = strcmp(maker->type, "ext4") == 0 ? "-F" : "-f";
    argv[count++] = maker->uuid_option;
    argv[count++] = arena_printf(mem, "%s%s", maker->uuid_prefix, spec->uuid);
    argv[count++] = spec->path;
    const struct program program = { .argv = argv, .timeout_ms = TIMEOUT_MS };
    if (program_run(&program, OUTPUT_MAX_BYTES, &output, &exit_code, err) < 0)
        return -1;
    if (exit_code == 0)
        return 0;
    const char *text = output.data != NULL ? output.data : "";
    return fail(err, ERR_SYSTEM, "%s failed on '%s' (status %d): %.*s", maker->program, spec->path,
                exit_code, (int)strcspn(text, "\n"), text);
}

static int sync_disk(const char *path, struct error *err)
{
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    int rc = fd < 0 ? fd : sys_fsync(fd);

    return rc < 0 ? fail_sys(err, rc, "cannot sync '%s'", path) : 0;
}
