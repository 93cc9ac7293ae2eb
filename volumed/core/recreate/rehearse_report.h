/* SPDX-License-Identifier: Apache-2.0 */
/* What a rehearsal has shown, for its verdict. */
#ifndef CORE_REHEARSE_REPORT_H
#define CORE_REHEARSE_REPORT_H

#include "core/recreate/recreate_run.h"

/* Stops the container and fills the run's report; what cannot be found out is left out and logged.
 */
void rehearse_report(struct recreate_run *run);

#endif
