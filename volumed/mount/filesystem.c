/* SPDX-License-Identifier: Apache-2.0 */
/* libmount splits options into flags and data, finds loop devices, and calls mount(2). */
#include "mount/filesystem.h"

#include <errno.h>
#include <libmount/libmount.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/sys.h"

#define ADDRESS_SIZE NI_MAXHOST

static void context_done(struct libmnt_context **context);
static int set_up(struct libmnt_context *context, const struct filesystem_spec *spec,
                  const char *target, const char *options);
static int resolve_address(struct arena *mem, const struct filesystem_spec *spec,
                           const char **options, struct error *err);
static int look_up(const char *host, char address[ADDRESS_SIZE]);

int filesystem_mount(const struct filesystem_spec *spec, const char *target, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    CLEANUP(context_done) struct libmnt_context *context = mnt_new_context();
    const char *options = spec->options != NULL ? spec->options : "";
    char reason[256] = "";

    if (resolve_address(mem, spec, &options, err) < 0)
        return -1;
    int rc = FAULT_POINT();
    if (rc == 0)
        rc = context == NULL ? -ENOMEM : set_up(context, spec, target, options);
    if (rc == 0)
        rc = mnt_context_mount(context);
    if (rc == 0)
        return 0;
    if (context != NULL)
        (void)mnt_context_get_excode(context, rc, reason, sizeof(reason)); /* a courtesy */
    int error_number = rc > 0 && context != NULL ? mnt_context_get_syscall_errno(context) : -rc;
    return fail_sys(err, error_number > 0 ? -error_number : -EINVAL,
                    "failed to mount local volume: mount %s:%s%s%s", spec->device, target,
                    *reason != '\0' ? ": " : "", reason);
}

int filesystem_unmount(const char *target, struct error *err)
{
    int rc = sys_umount2(target, UMOUNT_NOFOLLOW);

    if (rc == -EINVAL || rc == -ENOENT) /* nothing is mounted there */
        return 0;
    return rc < 0 ? fail_sys(err, rc, "cannot unmount '%s'", target) : 0;
}

static void context_done(struct libmnt_context **context)
{
    mnt_free_context(*context);
}

static int set_up(struct libmnt_context *context, const struct filesystem_spec *spec,
                  const char *target, const char *options)
{
    int rc = mnt_context_disable_helpers(context, 1);

    if (rc == 0)
        rc = mnt_context_disable_mtab(context, 1);
    if (rc == 0)
        rc = mnt_context_disable_canonicalize(context, 1);
    if (rc == 0 && *spec->type != '\0' && strcmp(spec->type, "none") != 0)
        rc = mnt_context_set_fstype(context, spec->type);
    if (rc == 0)
        rc = mnt_context_set_source(context, spec->device);
    if (rc == 0)
        rc = mnt_context_set_target(context, target);
    if (rc == 0)
        rc = mnt_context_set_options(context, options);
    return rc;
}

/* The kernel wants addresses: mount.nfs and mount.cifs would look names up, and so does dockerd. */
static int resolve_address(struct arena *mem, const struct filesystem_spec *spec,
                           const char **options, struct error *err)
{
    char address[ADDRESS_SIZE];
    const char *start = strstr(*options, "addr=");
    bool is_network = strncmp(spec->type, "nfs", 3) == 0 || strcmp(spec->type, "cifs") == 0;

    if (!is_network || start == NULL || (start > *options && start[-1] != ','))
        return 0;
    const char *value = start + strlen("addr=");
    size_t size = strcspn(value, ",");
    const char *host = arena_strndup(mem, value, size);
    if (look_up(host, address) < 0)
        return fail(err, ERR_INVALID, "error resolving passed in network volume address '%s'",
                    host);
    *options =
        arena_printf(mem, "%.*s%s%s", (int)(value - *options), *options, address, value + size);
    return 0;
}

static int look_up(const char *host, char address[ADDRESS_SIZE])
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;

    if (getaddrinfo(host, NULL, &hints, &found) != 0 || found == NULL)
        return -1;
    int rc = getnameinfo(found->ai_addr, found->ai_addrlen, address, ADDRESS_SIZE, NULL, 0,
                         NI_NUMERICHOST);
    freeaddrinfo(found);
    return rc == 0 ? 0 : -1;
}
