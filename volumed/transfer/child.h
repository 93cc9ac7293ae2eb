/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's side of a confined child: volumed's own binary, started again as `volumed confined
 * VERB`, which handles foreign archives and foreign trees for us (transfer/confined.h).  Starts it,
 * moves bytes to and from it, and collects its report.
 */
#ifndef TRANSFER_CHILD_H
#define TRANSFER_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

/* Descriptors that a child finds open. */
#define CHILD_REPORT_FD  3
#define CHILD_REQUEST_FD 4
#define CHILD_FIRST_FD   5 /* child_spec.fds, in order */
#define CHILD_FDS_MAX    256

enum child_stream {
    CHILD_NOTHING, /* /dev/null */
    CHILD_PIPE,    /* the parent has the other end */
    CHILD_FILE     /* a descriptor of the caller's */
};

struct child_spec {
    const char *program;   /* volumed's own binary */
    const char *verb;      /* "unpack" */
    const char *argument;  /* a path, as bytes; NULL: none */
    const json_t *request; /* what the verb needs; NULL: {} */
    enum child_stream input;
    enum child_stream output;
    int input_fd; /* with CHILD_FILE; borrowed, as are all below */
    int output_fd;
    const int *fds;
    size_t fd_count;
};

struct child {
    pid_t pid;
    int input_fd;  /* with CHILD_PIPE: to be written; else -1 */
    int output_fd; /* with CHILD_PIPE: to be read; else -1 */
    int report_fd;
};

/* A child that is none; what child_done() leaves. */
#define CHILD_NONE ((struct child){ .input_fd = -1, .output_fd = -1, .report_fd = -1 })

int child_start(struct child *child, const struct child_spec *spec, struct error *err);

/* Returns 1 when the child has stopped reading: child_wait() tells why. */
int child_write(struct child *child, const void *data, size_t size, struct error *err);

/* Returns the bytes read, 0 at the end. */
ssize_t child_read(struct child *child, void *data, size_t size, struct error *err);

/*
 * Ends its input, waits for its report and its end.  Fails with the child's own error when it
 * failed.  'report' holds its answers: see report_get().
 */
int child_wait(struct child *child, struct buf *report, struct error *err);

/* Kills and reaps a child that was not waited for. */
void child_done(struct child *child);
#define cleanup_child CLEANUP(child_done)

/* The value of 'key' in a report, NULL when absent; borrowed. */
const char *report_get(const struct buf *report, const char *key);
int report_get_int(const struct buf *report, const char *key, int64_t *value, struct error *err);

/* Walks over pairs: *position starts at 0; false at the end. */
bool report_next(const struct buf *report, size_t *position, const char **key, const char **value);

#endif
