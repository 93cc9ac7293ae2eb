/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's result codes as ours. */
#include "store/sqlite.h"

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

int sqlite_fail(sqlite3 *handle, struct error *err, const char *what)
{
    int result = sqlite3_extended_errcode(handle);
    enum error_code code = ERR_SYSTEM;

    for (size_t i = 0; i < ARRAY_SIZE(result_codes); i++)
        if (result_codes[i].result == result || result_codes[i].result == (result & 0xff))
            code = result_codes[i].code;
    return fail(err, code, "%s: %s", what, sqlite3_errmsg(handle));
}
