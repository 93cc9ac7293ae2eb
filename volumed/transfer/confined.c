/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of verbs: what root each sees, what it may still do, and what it does.  All confinement
 * is done here, before a verb's function runs.
 */
#include "transfer/confined.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "transfer/child.h"
#include "transfer/digest.h"
#include "transfer/sandbox.h"
#include "transfer/verbs.h"
#include "transfer/view.h"

#define REQUEST_BYTES_MAX ((size_t)16 << 20)
#define TREE_ATTRIBUTES   (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

enum root_kind {
    ROOT_EMPTY,     /* nothing at all */
    ROOT_DIRECTORY, /* the last descriptor passed */
    ROOT_VIEW       /* a container's root: view.h */
};

struct verb {
    const char *name;
    enum root_kind root;
    unsigned int needs; /* SANDBOX_* */
    int (*run)(struct confined *run, const struct view *view, struct error *err);
};

static const struct verb verbs[] = {
    { "unpack-layer", ROOT_DIRECTORY, SANDBOX_MAKE_FILES, verb_unpack_layer },
    { "put-tree", ROOT_DIRECTORY, SANDBOX_MAKE_FILES, verb_put_tree },
    { "unpack-files", ROOT_DIRECTORY, SANDBOX_MAKE_FILES, verb_unpack_files },
    { "inflate", ROOT_EMPTY, 0, verb_inflate },
    { "pack-layer", ROOT_DIRECTORY, SANDBOX_READ_FILES | SANDBOX_READ_XATTRS, verb_pack_layer },
    { "export", ROOT_VIEW, SANDBOX_READ_FILES, verb_export },
    { "get-tree", ROOT_DIRECTORY, SANDBOX_READ_FILES | SANDBOX_READ_XATTRS, verb_get },
    { "save-tree", ROOT_DIRECTORY, SANDBOX_READ_FILES | SANDBOX_READ_XATTRS, verb_save_tree },
    { "stat", ROOT_VIEW, SANDBOX_READ_FILES, verb_stat },
    { "get", ROOT_VIEW, SANDBOX_READ_FILES, verb_get },
    { "put", ROOT_VIEW, SANDBOX_MAKE_FILES, verb_put },
};

static const struct verb *verb_find(const char *name);
static json_t *read_request(struct arena *mem, struct error *err);
static int run_verb(const struct verb *verb, struct confined *run, struct error *err);
static int enter_root(const struct verb *verb, struct confined *run, struct view *view,
                      struct error *err);
static int enter_tree(int tree_fd, struct error *err);
static void close_others(const struct confined *run);
static int write_report(struct confined *run);

int confined_main(int argc, char **argv)
{
    struct confined run = {
        .mem = arena_new(),
        .argument = argc > 3 ? argv[3] : NULL,
        .base_fd = -1,
    };
    struct error err = { 0 };
    const struct verb *verb = argc > 2 ? verb_find(argv[2]) : NULL;

    if (verb == NULL) {
        (void)fprintf(stderr, "volumed confined: for volumed's own use\n");
        return EXIT_FAILURE;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* an orphan would write into the void */
    (void)signal(SIGPIPE, SIG_IGN);                  /* neither can fail with these arguments */
    (void)umask(0);
    digest_bytes("", 0, (char[DIGEST_TEXT_SIZE]){ 0 }); /* OpenSSL reads its files now */
    json_t *request = read_request(run.mem, &err);
    run.request = request;
    int rc = request == NULL ? -1 : run_verb(verb, &run, &err);
    if (rc < 0) {
        report_add(&run, "code", error_code_name(err.code));
        report_add(&run, "failed", err.message);
    }
    report_add(&run, "end", "");
    /* No destructors: they were not thought of when the filter was made. */
    _exit(write_report(&run) < 0 || rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

void report_add(struct confined *run, const char *key, const char *value)
{
    buf_append(&run->report, key, strlen(key) + 1);
    buf_append(&run->report, value, strlen(value) + 1);
}

void report_add_int(struct confined *run, const char *key, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)value); /* fits */
    report_add(run, key, text);
}

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static json_t *read_request(struct arena *mem, struct error *err)
{
    char *text = arena_alloc(mem, REQUEST_BYTES_MAX);
    ssize_t size = sys_read_all(CHILD_REQUEST_FD, text, REQUEST_BYTES_MAX);

    if (size < 0) {
        (void)fail_sys(err, (int)size, "cannot read the request");
        return NULL;
    }
    return json_read(text, (size_t)size, err);
}

static int run_verb(const struct verb *verb, struct confined *run, struct error *err)
{
    struct view view = { 0 };

    if (enter_root(verb, run, &view, err) < 0)
        return -1;
    close_others(run);
    if (sandbox_lock(verb->needs, err) < 0)
        return -1;
    return verb->run(run, &view, err);
}

static int enter_root(const struct verb *verb, struct confined *run, struct view *view,
                      struct error *err)
{
    int64_t directory = CHILD_FIRST_FD;
    int64_t base = -1;

    switch (verb->root) {
    case ROOT_VIEW: return view_enter(run, view, err);
    case ROOT_EMPTY:
        if (sandbox_unshare(err) < 0)
            return -1;
        return enter_tree(sandbox_empty_tree(err), err);
    case ROOT_DIRECTORY: break;
    }
    if (json_get_int(run->request, "directory", &directory, err) < 0 ||
        json_get_int(run->request, "base", &base, err) < 0)
        return -1;
    cleanup_fd int tree = sandbox_tree((int)directory, TREE_ATTRIBUTES, err);
    if (tree >= 0 && base >= 0)
        run->base_fd = sandbox_tree((int)base, TREE_ATTRIBUTES | MOUNT_ATTR_RDONLY, err);
    if (tree < 0 || (base >= 0 && run->base_fd < 0) || sandbox_unshare(err) < 0)
        return -1;
    return enter_tree(move_fd(&tree), err);
}

static int enter_tree(int tree_fd, struct error *err)
{
    cleanup_fd int tree = tree_fd;

    return tree < 0 ? -1 : sandbox_enter(tree, err);
}

/* A descriptor of a host directory would lead out of the root; only the copy's file stays, and the
 * base, which is a mount of its own. */
static void close_others(const struct confined *run)
{
    int64_t copy = -1;
    struct error ignored;

    (void)json_get_int(run->request, "copy", &copy, &ignored); /* of the wrong type: none */
    (void)close(CHILD_REQUEST_FD);
    for (int fd = CHILD_FIRST_FD; fd < CHILD_FIRST_FD + CHILD_FDS_MAX; fd++)
        if (fd != copy && fd != run->base_fd)
            (void)close(fd);
}

static int write_report(struct confined *run)
{
    return sys_write_all(CHILD_REPORT_FD, run->report.data, run->report.size);
}
