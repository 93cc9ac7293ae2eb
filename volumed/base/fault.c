/* SPDX-License-Identifier: Apache-2.0 */
/* One countdown for the whole process.  Compiled out of release builds. */
#include "base/fault.h"

#ifdef FAULT_INJECTION

#include <stdatomic.h>
#include <unistd.h>

static _Atomic int countdown;
static _Atomic int passed;
static _Atomic bool has_fired;
static int armed_rc;

void fault_arm(int nth, int rc)
{
    armed_rc = rc;
    has_fired = false;
    passed = 0;
    countdown = nth;
}

void fault_disarm(void)
{
    countdown = 0;
    passed = 0;
    has_fired = false;
}

bool fault_fired(void)
{
    return has_fired;
}

int fault_count(void)
{
    return passed;
}

int fault_point(void)
{
    passed++;
    if (countdown <= 0 || --countdown != 0)
        return 0;
    has_fired = true;
    if (armed_rc == FAULT_CRASH)
        _exit(FAULT_CRASH_STATUS);
    return armed_rc;
}

void fault_crash_point(void)
{
    if (armed_rc == FAULT_CRASH)
        (void)fault_point(); /* does not return when it fires */
}

#endif
