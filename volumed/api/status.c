/* SPDX-License-Identifier: Apache-2.0 */
/* The one map from error codes to HTTP.  Exit codes are volctl's. */
#include "api/call.h"

int status_of_error(enum error_code code)
{
    switch (code) {
    case ERR_INVALID: return 400;
    case ERR_DENIED: return 403;
    case ERR_NOT_FOUND: return 404;
    case ERR_EXISTS:
    case ERR_BUSY:
    case ERR_CONFLICT: return 409;
    case ERR_UNSUPPORTED: return 501;
    case ERR_TIMEOUT: return 504;
    case ERR_NO_SPACE: return 507;
    case ERR_PENDING: return 202; /* the change stands, its record follows */
    case ERR_NONE:
    case ERR_CORRUPT:
    case ERR_SYSTEM: return 500;
    }
    return 500;
}
