/* SPDX-License-Identifier: Apache-2.0 */
/* The client of ctl.sock, against a server that answers as told, well or badly. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "lib/test.h"
#include "runtime/supervisor.h"

static char directory[] = "/tmp/test-supervisor.XXXXXX";
static int dirfd;
static int listener;
static struct error err;

/* What the server says to each line it gets; NULL ends the connection instead. */
struct script {
    const char *const *answers;
    char requests[256];
};

static void remove_directory(void)
{
    (void)fs_remove_tree(AT_FDCWD, directory, &err);
}

static void *serve(void *argument)
{
    struct script *script = argument;
    cleanup_fd int fd = accept(listener, NULL, NULL);

    for (size_t i = 0; script->answers[i] != NULL; i++) {
        size_t used = strlen(script->requests);
        if (recv(fd, script->requests + used, sizeof(script->requests) - used - 1, 0) <= 0)
            break;
        (void)send(fd, script->answers[i], strlen(script->answers[i]), MSG_NOSIGNAL);
    }
    return NULL;
}

static pthread_t begin(struct script *script)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    pthread_t thread;

    (void)signal(SIGPIPE, SIG_IGN); /* the daemon blocks all signals */
    CHECK(mkdtemp(directory) != NULL);
    CHECK_INT(atexit(remove_directory), 0);
    dirfd = sys_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/ctl.sock", directory);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_INT(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    if (script == NULL) {
        (void)close(listener);
        return 0;
    }
    CHECK_INT(listen(listener, 1), 0);
    CHECK_INT(pthread_create(&thread, NULL, serve, script), 0);
    return thread;
}

TEST(an_answer_is_what_follows_ok)
{
    static const char *const answers[] = { "ok running 17 99\n", NULL };
    static struct script script = { .answers = answers };
    cleanup_buf struct buf answer = { 0 };

    pthread_t thread = begin(&script);
    CHECK_OK(supervisor_ask(dirfd, "status", &answer, &err), &err);
    (void)pthread_join(thread, NULL);
    CHECK_STR(answer.data, "running 17 99");
    CHECK_STR(script.requests, "status\n");
}

TEST(an_error_comes_with_its_code_and_text)
{
    static const char *const answers[] = { "error conflict container not running\n", NULL };
    static struct script script = { .answers = answers };

    (void)begin(&script);
    CHECK_FAILS(supervisor_ask(dirfd, "pause", NULL, &err), &err, ERR_CONFLICT);
    CHECK_STR(err.message, "container not running");
}

TEST(nonsense_is_an_error_of_the_system)
{
    static const char *const answers[] = { "what?\n", NULL };
    static struct script script = { .answers = answers };

    (void)begin(&script);
    CHECK_FAILS(supervisor_ask(dirfd, "pause", NULL, &err), &err, ERR_SYSTEM);
}

TEST(an_end_instead_of_an_answer_is_a_conflict)
{
    static const char *const answers[] = { NULL };
    static struct script script = { .answers = answers };

    (void)begin(&script);
    CHECK_FAILS(supervisor_ask(dirfd, "status", NULL, &err), &err, ERR_CONFLICT);
}

TEST(without_a_supervisor_there_is_a_conflict)
{
    (void)begin(NULL); /* the socket of one that was killed */
    CHECK_FAILS(supervisor_ask(dirfd, "status", NULL, &err), &err, ERR_CONFLICT);
    CHECK_INT(sys_unlinkat(dirfd, "ctl.sock", 0), 0);
    CHECK_FAILS(supervisor_watch(dirfd, &err), &err, ERR_CONFLICT);
}

TEST(what_follows_the_answer_to_attach_is_left_in_the_stream)
{
    static const char *const answers[] = { "ok raw\nhello", NULL };
    static struct script script = { .answers = answers };
    char text[8] = "";

    (void)begin(&script);
    int fd = supervisor_attach(dirfd, "stdin,stdout", &err);
    CHECK_OK(fd, &err);
    CHECK_INT((int)sys_read_all(fd, text, 5), 5);
    CHECK_STR(text, "hello");
    CHECK_STR(script.requests, "attach stdin,stdout\n");
}

TEST(a_lease_is_taken_and_given_back_on_one_connection)
{
    static const char *const answers[] = { "ok 120\n", "ok 4500\n", NULL };
    static struct script script = { .answers = answers };
    int64_t pause_ns = 0;

    pthread_t thread = begin(&script);
    int lease = supervisor_freeze(dirfd, 1500, &err);
    CHECK_OK(lease, &err);
    CHECK_OK(supervisor_thaw(lease, &pause_ns, &err), &err);
    (void)pthread_join(thread, NULL);
    CHECK_INT(pause_ns, 4500);
    CHECK_STR(script.requests, "freeze 1500\nthaw\n");
}

TEST(a_lease_that_expired_says_so)
{
    static const char *const answers[] = { "ok 1\n", "error timeout too late\n", NULL };
    static struct script script = { .answers = answers };
    int64_t pause_ns = 0;

    (void)begin(&script);
    int lease = supervisor_freeze(dirfd, 10, &err);
    CHECK_OK(lease, &err);
    CHECK_FAILS(supervisor_thaw(lease, &pause_ns, &err), &err, ERR_TIMEOUT);
}

TEST(a_failed_spawn_is_told_by_its_last_error_line)
{
    static const struct {
        const char *script;
        enum error_code code;
        const char *message;
    } rows[] = {
        { "echo 'error exists container x exists' >&2; exit 1", ERR_EXISTS, "container x exists" },
        { "echo warning; echo 'error busy b'; exit 1", ERR_BUSY, "b" },
        { "echo 'error not_found no such mount source'; exit 1", ERR_SYSTEM,
          "no such mount source" },
        { "echo oops; exit 1", ERR_SYSTEM, "oops" },
        { "exit 3", ERR_SYSTEM, "the runner failed with 3" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *const argv[] = { "sh", "-c", rows[i].script, NULL };
        struct program program = { .argv = argv };
        CHECK_FAILS(supervisor_spawn(&program, &err), &err, rows[i].code);
        CHECK_STR(err.message, rows[i].message);
    }
}
