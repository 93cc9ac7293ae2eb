/* SPDX-License-Identifier: Apache-2.0 */
/* The error's text and codes.  Who maps codes to HTTP or exit statuses is elsewhere. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
static const char *const code_names[] = {
    [ERR_NONE] = "none",
#define X(code, name) [ERR_##code] = (name),
    ERROR_CODES(X)
#undef X
};

/* clang-format on */

static const struct {
    int error_number;
    enum error_code code;
} errno_codes[] = {
    { ENOENT, ERR_NOT_FOUND },       { ENOTDIR, ERR_NOT_FOUND },  { EEXIST, ERR_EXISTS },
    { ENOTEMPTY, ERR_EXISTS },       { EBUSY, ERR_BUSY },         { ETXTBSY, ERR_BUSY },
    { EACCES, ERR_DENIED },          { EPERM, ERR_DENIED },       { EROFS, ERR_DENIED },
    { EOPNOTSUPP, ERR_UNSUPPORTED }, { ENOSYS, ERR_UNSUPPORTED }, { ENOTTY, ERR_UNSUPPORTED },
    { ENOSPC, ERR_NO_SPACE },        { EDQUOT, ERR_NO_SPACE },    { EINVAL, ERR_INVALID },
    { ENAMETOOLONG, ERR_INVALID },   { ELOOP, ERR_INVALID },      { EXDEV, ERR_INVALID },
    { ETIMEDOUT, ERR_TIMEOUT },      { EUCLEAN, ERR_CORRUPT },    { EBADMSG, ERR_CORRUPT },
};

static void append_errno(struct error *err, int error_number);

int fail(struct error *err, enum error_code code, const char *fmt, ...)
{
    va_list args;

    err->code = code;
    va_start(args, fmt);
    (void)vsnprintf(err->message, sizeof(err->message), fmt, args); /* cut text is still text */
    va_end(args);
    return -1;
}

int fail_sys(struct error *err, int rc, const char *fmt, ...)
{
    va_list args;

    err->code = error_code_from_errno(-rc);
    va_start(args, fmt);
    (void)vsnprintf(err->message, sizeof(err->message), fmt, args); /* cut text is still text */
    va_end(args);
    append_errno(err, -rc);
    return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
    char tail[ERROR_MESSAGE_MAX];
    size_t tail_length = strlen(err->message);
    va_list args;

    memcpy(tail, err->message, sizeof(tail));
    va_start(args, fmt);
    (void)vsnprintf(err->message, sizeof(err->message) - 3, fmt, args); /* room for ": " */
    va_end(args);
    size_t used = strlen(err->message);
    memcpy(err->message + used, ": ", 2);
    used += 2;
    if (tail_length > sizeof(err->message) - 1 - used)
        tail_length = sizeof(err->message) - 1 - used; /* cut text is still text */
    memcpy(err->message + used, tail, tail_length);
    err->message[used + tail_length] = '\0';
    return -1;
}

const char *error_code_name(enum error_code code)
{
    return code_names[code];
}

enum error_code error_code_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(code_names); i++)
        if (strcmp(code_names[i], name) == 0)
            return (enum error_code)i;
    return ERR_SYSTEM;
}

enum error_code error_code_from_errno(int error_number)
{
    for (size_t i = 0; i < ARRAY_SIZE(errno_codes); i++)
        if (errno_codes[i].error_number == error_number)
            return errno_codes[i].code;
    return ERR_SYSTEM;
}

/* strerrordesc_np: not translated, thread-safe (glibc 2.32). */
static void append_errno(struct error *err, int error_number)
{
    const char *text = strerrordesc_np(error_number);
    size_t used = strlen(err->message);
    char *end = err->message + used;

    if (text == NULL)
        (void)snprintf(end, sizeof(err->message) - used, ": error %d", error_number);
    else
        (void)snprintf(end, sizeof(err->message) - used, ": %s", text);
}
