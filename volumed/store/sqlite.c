/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's result codes as ours. */
#include "store/sqlite.h"

#include <errno.h>

static const struct {
    int result;
    enum error_code code;
} result_codes[] = {
    { SQLITE_CONSTRAINT_UNIQUE, ERR_EXISTS },
    { SQLITE_CONSTRAINT_PRIMARYKEY, ERR_EXISTS },
    { SQLITE_CONSTRAINT_FOREIGNKEY, ERR_CONFLICT },
    { SQLITE_CONSTRAINT_TRIGGER,
      ERR_CONFLICT }, /* ON DELETE RESTRICT; the schema has no triggers */
    { SQLITE_FULL, ERR_NO_SPACE },
    { SQLITE_BUSY, ERR_BUSY },
    { SQLITE_CORRUPT, ERR_CORRUPT },
    { SQLITE_NOTADB, ERR_CORRUPT },
};

static int log_errno(sqlite3 *handle);

int sqlite_fail(sqlite3 *handle, struct error *err, const char *what)
{
    int result = sqlite3_extended_errcode(handle);
    enum error_code code = ERR_SYSTEM;

    for (size_t i = 0; i < ARRAY_SIZE(result_codes); i++)
        if (result_codes[i].result == result || result_codes[i].result == (result & 0xff))
            code = result_codes[i].code;
    if (code == ERR_SYSTEM && (result & 0xff) == SQLITE_IOERR && log_errno(handle) == EDQUOT)
        return fail_sys(err, -EDQUOT, "%s: the database cannot grow", what);
    return fail(err, code, "%s: %s", what, sqlite3_errmsg(handle));
}

/*
 * The last frame of a transaction is what makes it count, and is written last: while frames cannot
 * be written it does not.  A sync that fails, or the index that cannot grow, come after it.
 */
bool sqlite_is_refused(sqlite3 *handle)
{
    int result = sqlite3_extended_errcode(handle);

    return result == SQLITE_FULL || (result == SQLITE_IOERR_WRITE && log_errno(handle) == EDQUOT);
}

/* Of the last call on the log.  SQLite has a result for ENOSPC, but none for quotas. */
static int log_errno(sqlite3 *handle)
{
    sqlite3_file *file = NULL;
    int last = 0;

    if (sqlite3_file_control(handle, NULL, SQLITE_FCNTL_JOURNAL_POINTER, (void *)&file) !=
            SQLITE_OK ||
        file == NULL || file->pMethods == NULL ||
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last) != SQLITE_OK)
        return 0;
    return last;
}
