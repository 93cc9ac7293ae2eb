/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server under test on a Unix socket of its own, and clients that write and read bytes as they
 * like.  Header only: tests link nothing but their own file.
 */
#ifndef LIB_HTTP_H
#define LIB_HTTP_H

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/sys.h"
#include "http/http.h"
#include "lib/test.h"

#define SITE_PATIENCE_MS 10000
#define SITE_GET(path)   "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

struct site {
    char directory[40];
    int directory_fd;
    struct http_server *server;
};

static inline void site_open(struct site *site, const struct http_server_spec *spec,
                             http_handler_fn handler, void *context)
{
    struct error err = { 0 };
    char path[64];

    (void)strcpy(site->directory, "/tmp/volumed-http-XXXXXX");
    CHECK(mkdtemp(site->directory) != NULL);
    site->directory_fd = sys_openat(AT_FDCWD, site->directory, O_RDONLY | O_DIRECTORY, 0);
    CHECK(site->directory_fd >= 0);
    site->server = http_server_new(spec, &err);
    ck_assert_msg(site->server != NULL, "%s", err.message);
    (void)snprintf(path, sizeof(path), "%s/s", site->directory);
    int fd = http_listen_unix(path, 0600, (gid_t)-1, &err);
    CHECK_OK(fd, &err);
    CHECK_OK(http_server_listen(site->server, fd, handler, context, &err), &err);
}

static inline void site_close(struct site *site)
{
    struct error err = { 0 };

    http_server_stop(site->server, 1000);
    http_server_free(site->server);
    sys_close_fd(&site->directory_fd);
    CHECK_OK(fs_remove_tree(AT_FDCWD, site->directory, &err), &err);
}

static inline int site_connect(const struct site *site)
{
    int fd = sys_connect_unix_at(site->directory_fd, "s");

    CHECK(fd >= 0);
    return fd;
}

static inline void client_send(int fd, const char *text)
{
    CHECK_INT(sys_write_all(fd, text, strlen(text)), 0);
}

/* Reads once, at most for 'patience_ms'.  Returns 0 at the end, -1 when nothing came. */
static inline ssize_t client_read(int fd, struct buf *got, int64_t patience_ms)
{
    struct pollfd wanted = { .fd = fd, .events = POLLIN };

    if (poll(&wanted, 1, (int)patience_ms) <= 0)
        return -1;
    ssize_t size = sys_read(fd, buf_reserve(got, 65536), 65536);
    if (size > 0) {
        got->size += (size_t)size;
        got->data[got->size] = '\0';
    }
    return size > 0 ? size : 0;
}

/* Reads until 'text' has come; fails the test at the end or when patience ends. */
static inline void client_expect(int fd, struct buf *got, const char *text)
{
    while (got->data == NULL || strstr(got->data, text) == NULL) {
        ssize_t size = client_read(fd, got, SITE_PATIENCE_MS);
        ck_assert_msg(size > 0, "'%s' never came, only '%s'", text, got->data);
    }
}

/* Reads to the end of the connection. */
static inline void client_expect_end(int fd, struct buf *got)
{
    ssize_t size = 1;

    while (size > 0)
        size = client_read(fd, got, SITE_PATIENCE_MS);
    ck_assert_msg(size == 0, "the connection did not end");
}

/* Sends, reads to the end, closes: for requests that say Connection: close, or are refused. */
static inline void client_talk(const struct site *site, const char *request, struct buf *got)
{
    cleanup_fd int fd = site_connect(site);

    client_send(fd, request);
    client_expect_end(fd, got);
}

#endif
