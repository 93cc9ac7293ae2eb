/* SPDX-License-Identifier: Apache-2.0 */
/* The three files that containers get from their engine: names and name servers. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "core/box/container_launch.h"
#include "core/container/container_host.h"

#define HOST_FILE_MAX (256 << 10)

static int write_hosts(struct task *task, const struct container *container, int box_fd,
                       struct error *err);
static int write_resolv(struct task *task, const struct container *container, int box_fd,
                        struct error *err);
static const char *host_file(struct task *task, const char *path);
static void add_each(struct buf *buf, const json_t *list, const char *prefix);
static void add_joined(struct buf *buf, const json_t *list, const char *keyword);
static void add_extra_hosts(struct buf *buf, const json_t *list);
static int write_buf(int box_fd, const char *name, const struct buf *buf, struct error *err);

int launch_files(struct task *task, const struct container *container, int box_fd,
                 struct error *err)
{
    cleanup_buf struct buf name = { 0 };

    buf_printf(&name, "%s\n", json_string_value(json_object_get(container->config, "Hostname")));
    if (write_buf(box_fd, "hostname", &name, err) < 0 ||
        write_hosts(task, container, box_fd, err) < 0)
        return -1;
    return write_resolv(task, container, box_fd, err);
}

static int write_hosts(struct task *task, const struct container *container, int box_fd,
                       struct error *err)
{
    cleanup_buf struct buf hosts = { 0 };

    if (host_network_is_host(container->host_config))
        buf_text(&hosts, host_file(task, "/etc/hosts"));
    else
        buf_printf(&hosts,
                   "127.0.0.1\tlocalhost\n"
                   "::1\tlocalhost ip6-localhost ip6-loopback\n"
                   "fe00::\tip6-localnet\n"
                   "ff00::\tip6-mcastprefix\n"
                   "ff02::1\tip6-allnodes\n"
                   "ff02::2\tip6-allrouters\n"
                   "127.0.0.1\t%s\n",
                   json_string_value(json_object_get(container->config, "Hostname")));
    add_extra_hosts(&hosts, json_object_get(container->host_config, "ExtraHosts"));
    return write_buf(box_fd, "hosts", &hosts, err);
}

static int write_resolv(struct task *task, const struct container *container, int box_fd,
                        struct error *err)
{
    const json_t *host = container->host_config;
    const json_t *servers = json_object_get(host, "Dns");
    const json_t *search = json_object_get(host, "DnsSearch");
    const json_t *options = json_object_get(host, "DnsOptions");
    cleanup_buf struct buf resolv = { 0 };

    if (json_array_size(servers) == 0)
        buf_text(&resolv, host_file(task, "/etc/resolv.conf"));
    add_joined(&resolv, search, "search");
    add_each(&resolv, servers, "nameserver ");
    add_joined(&resolv, options, "options");
    return write_buf(box_fd, "resolv.conf", &resolv, err);
}

/* A host without the file has nothing to say. */
static const char *host_file(struct task *task, const char *path)
{
    struct error ignored;
    char *text;
    size_t size;

    /* /etc/resolv.conf is a link on many hosts: it is the host's own, and followed. */
    char *target = arena_alloc(task->mem, PATH_MAX);
    if (realpath(path, target) == NULL)
        return "";
    return fs_read_file(task->mem, AT_FDCWD, target, HOST_FILE_MAX, &text, &size, &ignored) < 0
               ? ""
               : text;
}

static void add_each(struct buf *buf, const json_t *list, const char *prefix)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        buf_printf(buf, "%s%s\n", prefix, json_string_value(item));
    }
}

static void add_joined(struct buf *buf, const json_t *list, const char *keyword)
{
    size_t i;
    json_t *item;

    if (json_array_size(list) == 0)
        return;
    buf_text(buf, keyword);
    json_array_foreach(list, i, item)
    {
        buf_printf(buf, " %s", json_string_value(item));
    }
    buf_text(buf, "\n");
}

/* "name:address"; the address may have colons of its own. */
static void add_extra_hosts(struct buf *buf, const json_t *list)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);
        size_t length = strcspn(text, ":=");
        if (text[length] != '\0')
            buf_printf(buf, "%s\t%.*s\n", text + length + 1, (int)length, text);
    }
}

static int write_buf(int box_fd, const char *name, const struct buf *buf, struct error *err)
{
    return fs_write_volatile(box_fd, name, buf->data == NULL ? "" : buf->data, buf->size, 0644,
                             err);
}
