/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and loading filters.  Translating is filter_compile.c's. */
#include "runner/process/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sha256.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/sys.h"
#include "runner/container/state.h"
#include "runner/process/console.h"
#include "runner/spec/spec.h"

#define CACHE_DIR     ".seccomp"
#define CACHE_VERSION "3\n" /* of the translation: change it when filter_compile.c does */
#define PROGRAM_MAX   ((size_t)BPF_MAXINSNS * sizeof(struct sock_filter))

/* seccomp.h of libseccomp 2.5 and linux/seccomp.h of 6.1 know it under different names. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

const char *const seccomp_flag_names[] = {
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    NULL,
};
static const unsigned long flag_bits[] = {
    SECCOMP_FILTER_FLAG_LOG,
    SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    0, /* one thread: nothing to synchronise */
    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};

static int read_flags(const json_t *json, struct filter *filter, struct error *err);
static void cache_name(const json_t *json, char name[SHA256_DIGEST_STRING_LENGTH]);
static int cache_open(const char *cache_root);

int filter_prepare(struct arena *mem, const json_t *json, const char *cache_root,
                   struct filter *filter, struct error *err)
{
    char name[SHA256_DIGEST_STRING_LENGTH];
    struct error ignored; /* a cache that does not work only costs time */
    char *program;

    *filter = (struct filter){ .listener_socket = -1 };
    if (json == NULL)
        return 0;
    if (read_flags(json, filter, err) < 0)
        return -1;
    filter->listener_path = json_string_value(json_object_get(json, "listenerPath"));
    filter->listener_metadata = json_string_value(json_object_get(json, "listenerMetadata"));
    cache_name(json, name);
    cleanup_fd int cache_fd = cache_root != NULL ? cache_open(cache_root) : -1;
    if (cache_fd >= 0 &&
        fs_read_file(mem, cache_fd, name, PROGRAM_MAX, &program, &filter->size, &ignored) == 0 &&
        filter->size > 0 && filter->size % sizeof(struct sock_filter) == 0) {
        filter->program = (struct sock_filter *)(void *)program; /* from an arena: aligned */
        return 0;
    }
    if (filter_compile(mem, json, filter, err) < 0)
        return error_prefix(err, "seccomp");
    if (cache_fd >= 0)
        (void)fs_write_volatile(cache_fd, name, filter->program, filter->size, 0600, &ignored);
    return 0;
}

int filter_store(const struct filter *filter, int state_fd, struct error *err)
{
    if (filter->program == NULL)
        return 0;
    return fs_write_volatile(state_fd, STATE_SECCOMP, filter->program, filter->size, 0600, err);
}

int filter_restore(struct arena *mem, int state_fd, const json_t *json, struct filter *filter,
                   struct error *err)
{
    char *program;

    if (json == NULL)
        return 0;
    if (fs_read_file(mem, state_fd, STATE_SECCOMP, PROGRAM_MAX, &program, &filter->size, err) < 0)
        return -1;
    filter->program = (struct sock_filter *)(void *)program; /* from an arena: aligned */
    filter->flags = (unsigned int)json_integer_value(json_object_get(json, "flags"));
    filter->listener_path = json_string_value(json_object_get(json, "listenerPath"));
    filter->listener_metadata = json_string_value(json_object_get(json, "listenerMetadata"));
    return 0;
}

int filter_load(const struct filter *filter, int *listener_fd, struct error *err)
{
    struct sock_fprog program = {
        .len = (unsigned short)(filter->size / sizeof(struct sock_filter)),
        .filter = filter->program,
    };
    unsigned int flags = filter->flags;

    if (listener_fd != NULL)
        *listener_fd = -1;
    if (filter->program == NULL)
        return 0;
    if (filter->listener_path != NULL)
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    else
        flags &= ~(unsigned int)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (rc < 0)
        return fail_sys(err, -errno, "cannot load the seccomp filter");
    if (listener_fd != NULL && filter->listener_path != NULL)
        *listener_fd = (int)rc;
    return 0;
}

int filter_connect(struct filter *filter, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (filter->listener_path == NULL)
        return 0;
    if (strlen(filter->listener_path) >= sizeof(address.sun_path))
        return fail(err, ERR_INVALID, "seccomp: listenerPath is too long");
    memcpy(address.sun_path, filter->listener_path, strlen(filter->listener_path) + 1);
    cleanup_fd int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0 || connect(socket_fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return fail_sys(err, -errno, "seccomp: cannot connect to '%s'", filter->listener_path);
    filter->listener_socket = move_fd(&socket_fd);
    return 0;
}

int filter_notify(const struct filter *filter, int listener_fd, pid_t pid, const json_t *state,
                  struct error *err)
{
    cleanup_buf struct buf text = { 0 };
    const char *metadata = filter->listener_metadata != NULL ? filter->listener_metadata : "";
    cleanup_json json_t *message =
        json_pack("{s:s, s:[s], s:i, s:s, s:O}", "ociVersion", SPEC_VERSION_MAX, "fds", "seccompFd",
                  "pid", (int)pid, "metadata", metadata, "state", state);

    json_append(&text, message);
    int rc = console_pass(filter->listener_socket, text.data, text.size, listener_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot send the notify descriptor") : 0;
}

static int read_flags(const json_t *json, struct filter *filter, struct error *err)
{
    size_t index;
    json_t *item;

    json_array_foreach(json_object_get(json, "flags"), index, item)
    {
        const char *name = json_string_value(item);
        size_t row = 0;
        while (row < ARRAY_SIZE(flag_bits) &&
               (name == NULL || strcmp(seccomp_flag_names[row], name) != 0))
            row++;
        if (row == ARRAY_SIZE(flag_bits))
            return fail(err, ERR_INVALID, "seccomp: unknown flag '%s'", name != NULL ? name : "?");
        filter->flags |= (unsigned int)flag_bits[row];
    }
    return 0;
}

/* The profile's own text with sorted keys: what differs in it differs in the filter, or may. */
static void cache_name(const json_t *json, char name[SHA256_DIGEST_STRING_LENGTH])
{
    SHA2_CTX context;
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

    SHA256Init(&context);
    SHA256Update(&context, (const uint8_t *)CACHE_VERSION, strlen(CACHE_VERSION));
    if (text != NULL)
        SHA256Update(&context, (const uint8_t *)text, strlen(text));
    (void)SHA256End(&context, name);
    free(text);
}

static int cache_open(const char *cache_root)
{
    struct error ignored;
    cleanup_fd int root_fd = sys_openat(AT_FDCWD, cache_root, O_PATH | O_DIRECTORY, 0);

    return root_fd < 0 ? -1 : fs_make_dir(root_fd, CACHE_DIR, 0700, &ignored);
}
