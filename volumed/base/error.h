/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong, in a form that code can branch on and a person can read.
 *
 * Every function that can fail for more reasons than one errno returns 0 (or a
 * count, or a descriptor) on success and -1 on failure, and takes a
 * 'struct error *err' last, filled exactly when it returns -1.  fail() and
 * fail_sys() are the only ways to fill it.  The codes are a closed list:
 * api/status.c maps them to HTTP, volctl maps them to exit codes.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"

#define ERROR_CODES(X)                                                                         \
    X(INVALID, "invalid")         /* the request makes no sense, whatever the state */         \
    X(NOT_FOUND, "not_found")     /* the named object does not exist */                        \
    X(EXISTS, "exists")           /* the name is taken */                                      \
    X(BUSY, "busy")               /* in use, or another operation holds it; try later */       \
    X(CONFLICT, "conflict")       /* the object's state forbids it until someone changes it */ \
    X(DENIED, "denied")           /* the caller, or we, lack the right */                      \
    X(UNSUPPORTED, "unsupported") /* this driver, kernel or build cannot */                    \
    X(NO_SPACE, "no_space")       /* disk or quota is full */                                  \
    X(TIMEOUT, "timeout")         /* a deadline passed */                                      \
    X(PENDING, "pending")         /* done on disk, not yet recorded; reconcile completes it */ \
    X(CORRUPT, "corrupt")         /* stored data contradicts itself */                         \
    X(SYSTEM, "system")           /* anything else the system refused */

enum error_code {
    ERR_NONE = 0,
#define X(code, name) ERR_##code,
    ERROR_CODES(X)
#undef X
};

#define ERROR_MESSAGE_MAX 1024

struct error {
    enum error_code code;
    char message[ERROR_MESSAGE_MAX];
};

/* Fills 'err' and returns -1.  Text: lower case, no full stop, subject in quotes. */
int fail(struct error *err, enum error_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * As fail(), for a failed system call: 'rc' is the -errno; its text is appended after ": " and
 * decides the code (ENOENT gives NOT_FOUND, ENOSPC and EDQUOT NO_SPACE, and so on).
 */
int fail_sys(struct error *err, int rc, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "prefix: " before the message; for context when an error crosses a floor.  Returns -1. */
int error_prefix(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The code's stable name, as in JSON ("not_found"). */
const char *error_code_name(enum error_code code);

/* The code of a name, ERR_SYSTEM for one that is not known. */
enum error_code error_code_find(const char *name);

/* The code that an errno stands for. */
enum error_code error_code_from_errno(int error_number);

#endif
