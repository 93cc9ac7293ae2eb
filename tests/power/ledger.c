/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The application of check-power: appends "WHO RUN N" to /data/ledger, syncs it, and only then says
 * the same line in /ack/lines, outside of what loses power.  With FAILS it exits after three lines;
 * with NOSYNC it lies.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void end(int number)
{
    (void)number;
    _exit(0);
}

static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        exit(9);
    return fd;
}

/* The directory too: the file may be new. */
static void sync_ledger(int fd)
{
    int dir = open("/data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 || fsync(fd) < 0 || fsync(dir) < 0)
        exit(9);
    (void)close(dir);
}

int main(void)
{
    const struct timespec pause = { .tv_nsec = 30000000 };
    const char *who = getenv("WHO");
    struct timespec now;
    char line[96];

    (void)signal(SIGTERM, end);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int ledger = open_file("/data/ledger");
    int acks = open_file("/ack/lines");
    for (int n = 1; getenv("FAILS") == NULL || n <= 3; n++) {
        (void)snprintf(line, sizeof(line), "%s %lld.%09ld %d\n", who != NULL ? who : "?",
                       (long long)now.tv_sec, now.tv_nsec, n);
        ssize_t length = (ssize_t)strlen(line);
        if (write(ledger, line, (size_t)length) != length)
            return 9;
        if (getenv("NOSYNC") == NULL)
            sync_ledger(ledger);
        if (write(acks, line, (size_t)length) != length)
            return 9;
        (void)nanosleep(&pause, NULL);
    }
    return 3;
}
