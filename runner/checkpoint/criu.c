/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation with `criu swrk`: one request, points of its work, one answer. */
#include "runner/checkpoint/criu.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "runner/checkpoint/protobuf.h"
#include "runner/container/message.h"

#define ANSWER_MAX 65536
#define LOG_MARK   "Error ("
#define LOG_MAX    ((size_t)256 * 1024 * 1024)

/* Fields of criu_req, criu_resp and what is in them. */
enum criu_field {
    REQ_TYPE = 1,
    REQ_OPTS = 2,
    REQ_NOTIFY_SUCCESS = 3,
    RESP_TYPE = 1,
    RESP_SUCCESS = 2,
    RESP_RESTORE = 4,
    RESP_NOTIFY = 5,
    RESP_ERRNO = 7,
    RESP_ERRMSG = 9,
    RESTORE_PID = 1,
    NOTIFY_SCRIPT = 1,
    NOTIFY_PID = 2,
};

#define TYPE_NOTIFY 6

struct answer {
    uint64_t type;
    bool is_success;
    pid_t pid;
    int number; /* errno as criu saw it */
    char point[64];
    char text[256];
};

static void exec_criu(const char *program, struct criu_call *call, int report_fd)
    __attribute__((noreturn));
static int prepare_process(struct criu_call *call, int report_fd, int *socket_fd,
                           struct error *err);
static int reopen(const char *path, int fd, struct error *err);
static int receive_socket(int report_fd, struct error *err);
static int converse(struct arena *mem, struct criu_call *call, int socket_fd, struct error *err);
static int answer_point(struct criu_call *call, int socket_fd, const struct answer *answer, int *fd,
                        struct error *err);
static int send_request(int socket_fd, const struct buf *request);
static int receive_answer(int socket_fd, struct answer *answer, int *fd);
static int read_answer(const char *data, size_t size, struct answer *answer);
static int read_inner(const struct protobuf *outer, struct answer *answer);
static void copy_text(char *to, size_t room, const struct protobuf *from);
static int fail_call(struct arena *mem, const struct criu_call *call, const struct answer *answer,
                     struct error *err);
static const char *after_mark(const char *text);
static const char *last_error(struct arena *mem, const struct criu_call *call);
static const char *log_name(const struct criu_call *call);

void criu_number(struct criu_call *call, enum criu_option option, int64_t value)
{
    protobuf_number(&call->options, option, value);
}

void criu_text(struct criu_call *call, enum criu_option option, const char *text)
{
    protobuf_text(&call->options, option, text);
}

void criu_pair(struct criu_call *call, enum criu_option option, const char *first,
               const char *second)
{
    cleanup_buf struct buf pair = { 0 };

    if (first != NULL)
        protobuf_text(&pair, 1, first);
    protobuf_text(&pair, 2, second);
    protobuf_message(&call->options, option, &pair);
}

void criu_inherit(struct criu_call *call, const char *key, int fd)
{
    cleanup_buf struct buf pair = { 0 };

    assert(call->inherited_count < CRIU_INHERITED_MAX);
    protobuf_text(&pair, 1, key);
    protobuf_number(&pair, 2, fd);
    protobuf_message(&call->options, CRIU_INHERIT_FD, &pair);
    call->inherited[call->inherited_count++] = fd;
}

void criu_done(struct criu_call *call)
{
    buf_done(&call->options);
    sys_close_fd(&call->image_fd);
    sys_close_fd(&call->work_fd);
}

/* Engines call us with whatever PATH they have: the directories of system programs come after it.
 */
const char *criu_find(struct arena *mem)
{
    const char *path = getenv("PATH");

    path = arena_printf(mem, "%s:/usr/local/sbin:/usr/sbin:/sbin", path != NULL ? path : "");
    for (const char *at = path; *at != '\0'; at += *at == ':') {
        size_t length = strcspn(at, ":");
        const char *program = arena_printf(mem, "%.*s/criu", (int)length, at);
        at += length;
        if (*program == '/' && access(program, X_OK) == 0 && length > 0)
            return program;
    }
    return NULL;
}

int criu_run(struct arena *mem, struct criu_call *call, struct error *err)
{
    const char *program = criu_find(mem);
    int fds[2];

    if (program == NULL)
        return fail(err, ERR_UNSUPPORTED,
                    "checkpoint and restore need criu, which is not installed");
    criu_number(call, CRIU_LOG_LEVEL, 4);
    criu_text(call, CRIU_LOG_FILE, log_name(call));
    int rc = message_pair(fds);
    if (rc < 0)
        return fail_sys(err, rc, "cannot make a socket");
    cleanup_fd int report_fd = fds[0];
    cleanup_fd int theirs_fd = fds[1];
    pid_t pid = fork();
    if (pid < 0)
        return fail_sys(err, -errno, "cannot run criu");
    if (pid == 0)
        exec_criu(program, call, theirs_fd);
    sys_close_fd(&theirs_fd);
    cleanup_fd int socket_fd = receive_socket(report_fd, err);
    rc = socket_fd < 0 ? -1 : converse(mem, call, socket_fd, err);
    sys_close_fd(&socket_fd); /* which ends it, if it has not done so itself */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return rc;
}

static void exec_criu(const char *program, struct criu_call *call, int report_fd)
{
    struct error err = { 0 };
    int socket_fd = -1;
    char number[16];
    char swrk[] = "swrk";
    char name[] = "criu";
    char *argv[] = { name, swrk, number, NULL };

    if (prepare_process(call, report_fd, &socket_fd, &err) == 0) {
        (void)snprintf(number, sizeof(number), "%d", socket_fd); /* fits */
        (void)execv(program, argv);
        (void)fail_sys(&err, -errno, "cannot execute '%s'", program);
    }
    (void)message_send_error(report_fd, &err); /* nobody there: nobody to tell */
    _exit(1);
}

/*
 * criu looks for descriptors in the process that made the socket: that is to be itself, so that the
 * directories are of its own mount namespace.  What it keeps loses the flag that closes it.
 */
static int prepare_process(struct criu_call *call, int report_fd, int *socket_fd, struct error *err)
{
    int fds[2];
    int rc;

    if (call->enter != NULL &&
        (call->enter(call->owner, err) < 0 || reopen(call->image_path, call->image_fd, err) < 0 ||
         reopen(call->work_path, call->work_fd, err) < 0))
        return -1;
    rc = message_pair(fds);
    if (rc >= 0)
        rc = message_send(report_fd, MESSAGE_READY, 0, fds[0]);
    if (rc < 0)
        return fail_sys(err, rc, "cannot make a socket");
    (void)close(fds[0]);
    *socket_fd = fds[1];
    (void)fcntl(*socket_fd, F_SETFD, 0); /* as below: open, cannot fail */
    (void)fcntl(call->image_fd, F_SETFD, 0);
    (void)fcntl(call->work_fd, F_SETFD, 0);
    for (int i = 0; i < call->inherited_count; i++)
        (void)fcntl(call->inherited[i], F_SETFD, 0);
    return 0;
}

static int reopen(const char *path, int fd, struct error *err)
{
    cleanup_fd int new_fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    int rc = new_fd;

    if (rc >= 0 && dup2(new_fd, fd) < 0)
        rc = -errno;
    return rc < 0 ? fail_sys(err, rc, "cannot open '%s' again", path) : 0;
}

/* Or why there is none. */
static int receive_socket(int report_fd, struct error *err)
{
    struct message message;
    int fd = -1;
    int rc = message_receive(report_fd, &message, &fd);

    if (rc <= 0)
        return fail(err, ERR_SYSTEM, "the process of criu has died");
    return message.kind == MESSAGE_ERROR ? message_to_error(&message, err) : fd;
}

static int converse(struct arena *mem, struct criu_call *call, int socket_fd, struct error *err)
{
    cleanup_buf struct buf request = { 0 };
    struct answer answer = { 0 };

    protobuf_number(&request, REQ_TYPE, call->action);
    protobuf_message(&request, REQ_OPTS, &call->options);
    int rc = send_request(socket_fd, &request);
    for (; rc >= 0;) {
        cleanup_fd int fd = -1;
        rc = receive_answer(socket_fd, &answer, &fd);
        if (rc < 0)
            break;
        if (answer.type != TYPE_NOTIFY) {
            call->pid = answer.pid;
            return answer.is_success ? 0 : fail_call(mem, call, &answer, err);
        }
        if (answer_point(call, socket_fd, &answer, &fd, err) < 0)
            return -1;
    }
    return fail_call(mem, call, &answer, err);
}

/* When we have failed criu undoes what it has done, and says so; then our own error is told. */
static int answer_point(struct criu_call *call, int socket_fd, const struct answer *answer, int *fd,
                        struct error *err)
{
    cleanup_buf struct buf request = { 0 };
    struct answer last;
    int rc =
        call->notify == NULL ? 0 : call->notify(call->owner, answer->point, answer->pid, fd, err);

    protobuf_number(&request, REQ_TYPE, TYPE_NOTIFY);
    protobuf_number(&request, REQ_NOTIFY_SUCCESS, rc == 0);
    int sent = send_request(socket_fd, &request);
    if (rc < 0) {
        while (receive_answer(socket_fd, &last, fd) >= 0)
            sys_close_fd(fd);
        return -1;
    }
    return sent < 0 ? fail_sys(err, sent, "cannot answer criu") : 0;
}

static int send_request(int socket_fd, const struct buf *request)
{
    return send(socket_fd, request->data, request->size, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_answer(int socket_fd, struct answer *answer, int *fd)
{
    static char data[ANSWER_MAX];

    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec piece = { data, sizeof(data) };
    struct msghdr message = { .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    ssize_t size;

    do
        size = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size <= 0)
        return size < 0 ? -errno : -ECONNRESET;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof(*fd));
    *answer = (struct answer){ 0 };
    return read_answer(data, (size_t)size, answer);
}

static int read_answer(const char *data, size_t size, struct answer *answer)
{
    struct protobuf field = { .at = data, .end = data + size };
    int rc;

    while ((rc = protobuf_next(&field)) > 0) {
        switch (field.field) {
        case RESP_TYPE: answer->type = field.number; break;
        case RESP_SUCCESS: answer->is_success = field.number != 0; break;
        case RESP_ERRNO: answer->number = (int)field.number; break;
        case RESP_ERRMSG: copy_text(answer->text, sizeof(answer->text), &field); break;
        case RESP_RESTORE:
        case RESP_NOTIFY:
            if (read_inner(&field, answer) < 0)
                return -EBADMSG;
            break;
        default: break;
        }
    }
    return rc;
}

/* Both have a PID: that of a restored process is field 1, that of a point is field 2. */
static int read_inner(const struct protobuf *outer, struct answer *answer)
{
    uint32_t pid_field = outer->field == RESP_RESTORE ? RESTORE_PID : NOTIFY_PID;
    int rc;

    if (outer->bytes == NULL)
        return -EBADMSG;
    struct protobuf field = { .at = outer->bytes, .end = outer->bytes + outer->size };
    while ((rc = protobuf_next(&field)) > 0) {
        if (field.field == pid_field && field.bytes == NULL)
            answer->pid = (pid_t)field.number;
        else if (field.field == NOTIFY_SCRIPT)
            copy_text(answer->point, sizeof(answer->point), &field);
    }
    return rc;
}

static void copy_text(char *to, size_t room, const struct protobuf *from)
{
    size_t size = from->size < room ? from->size : room - 1;

    if (size > 0)
        memcpy(to, from->bytes, size);
    to[size] = '\0';
}

static int fail_call(struct arena *mem, const struct criu_call *call, const struct answer *answer,
                     struct error *err)
{
    const char *what = call->action == CRIU_RESTORE ? "restore" : "checkpoint";
    const char *text = answer->text[0] != '\0' ? answer->text : last_error(mem, call);

    text = after_mark(arena_strndup(mem, text, strcspn(text, "\n")));
    if (*text == '\0')
        text = answer->number > 0 ? strerrordesc_np(answer->number) : "it ended without a word";
    return fail(err, ERR_SYSTEM, "criu cannot %s: %s; its log is '%s/%s'", what, text,
                call->work_path, log_name(call));
}

/* "Error (criu/x.c:12): what" */
static const char *after_mark(const char *text)
{
    const char *found = strstr(text, LOG_MARK);
    const char *colon = found != NULL ? strstr(found, "): ") : NULL;

    return colon != NULL ? colon + strlen("): ") : text;
}

/* "(00.012345)     1: Error (criu/x.c:12): what": criu's own, of which the last is the nearest. */
static const char *last_error(struct arena *mem, const struct criu_call *call)
{
    char *text = NULL;
    const char *last = "";
    size_t size = 0;
    struct error ignored; /* then nothing is known */

    if (fs_read_file(mem, call->work_fd, log_name(call), LOG_MAX, &text, &size, &ignored) < 0)
        return "";
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        /* That it has failed is what it says at last, always. */
        if (strstr(line, LOG_MARK) != NULL && strstr(line, "FAILED") == NULL)
            last = line;
    }
    return last;
}

static const char *log_name(const struct criu_call *call)
{
    return call->action == CRIU_RESTORE ? "restore.log" : "dump.log";
}
